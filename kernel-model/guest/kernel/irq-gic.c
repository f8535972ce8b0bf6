// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The interrupt controller as two words of memory that the host writes, since the emulated CPU has
 * neither ICC_PMR_EL1 nor ICC_IAR1_EL1:
 *   gic_pmr  the priority mask (KW_GIC_PRIO_*)
 *   gic_iar  pending interrupts (KW_GIC_PENDING_*); the host sets a bit, taking the interrupt clears it
 * Facts: drivers/irqchip/irq-gic-v3.c of v7.3-rc7.
 */
#include "entry.h"
#include "kunwind.h"

u32 gic_pmr = KW_GIC_PRIO_IRQON;
u32 gic_iar;
void (*handle_arch_irq)(struct pt_regs *) = gic_handle_irq;

/* Takes the pending interrupt of highest priority; 0 if there is none. */
static __always_inline u32 gic_read_iar(void)
{
	u32 pending = READ_ONCE(gic_iar);
	u32 irq = pending & KW_GIC_PENDING_NMI ? KW_GIC_PENDING_NMI : pending & KW_GIC_PENDING_IRQ;

	WRITE_ONCE(gic_iar, pending & ~irq);
	return irq;
}

noinline void generic_handle_irq(struct pt_regs *regs)
{
	kunwind_request_walk(regs);
}

noinline void generic_handle_nmi(struct pt_regs *regs)
{
	kunwind_request_walk(regs);
}

/* IRQs were on: this may be either kind, and pseudo-NMIs may interrupt its handling. */
static __always_inline void gic_handle_irq_from_irqson(struct pt_regs *regs)
{
	u32 irq = gic_read_iar();

	if (irq == KW_GIC_PENDING_NMI) {
		irqentry_nmi_enter(regs);
		generic_handle_nmi(regs);
		irqentry_nmi_exit(regs);
	}

	WRITE_ONCE(gic_pmr, KW_GIC_PRIO_IRQOFF);
	daif_clear_irq_fiq();
	if (irq == KW_GIC_PENDING_IRQ)
		generic_handle_irq(regs);
	/* PSTATE.I stays clear on the way out, until el1_interrupt masks; ret_to_kernel restores PMR. */
}

/* IRQs were off: it can only be a pseudo-NMI, and nothing else comes in. */
static __always_inline void gic_handle_irq_from_irqsoff(struct pt_regs *regs)
{
	if (gic_read_iar())
		generic_handle_nmi(regs);
}

__irq_entry void gic_handle_irq(struct pt_regs *regs)
{
	if (regs_irqs_disabled(regs))
		gic_handle_irq_from_irqsoff(regs);
	else
		gic_handle_irq_from_irqson(regs);
}
