/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Masking interrupts with pseudo-NMIs, as the kernel does: by priority, PSTATE.I staying clear. The
 * emulated CPU has no ICC_PMR_EL1, so the memory word gic_pmr takes its place. What may come in:
 *   IRQ         PSTATE.I clear and gic_pmr == KW_GIC_PRIO_IRQON
 *   pseudo-NMI  PSTATE.I clear
 */
#ifndef KW_IRQFLAGS_H
#define KW_IRQFLAGS_H

#include "asm-offsets.h"
#include "compiler.h"

extern u32 gic_pmr;

#define DAIF_PROCCTX_NOIRQ 0x0c0 /* I and F masked */
#define DAIF_ERRCTX 0x1c0	 /* A, I and F masked */

#define write_daif(value) __asm__ volatile("msr daif, %0" : : "r"((u64)(value)) : "memory")
#define daif_mask_all() __asm__ volatile("msr daifset, #0xf" : : : "memory")
#define daif_clear_irq_fiq() __asm__ volatile("msr daifclr, #3" : : : "memory")

static __always_inline void local_irq_disable(void)
{
	WRITE_ONCE(gic_pmr, KW_GIC_PRIO_IRQOFF);
	barrier();
}

static __always_inline void local_irq_enable(void)
{
	barrier();
	WRITE_ONCE(gic_pmr, KW_GIC_PRIO_IRQON);
}

static __always_inline u32 local_irq_save(void)
{
	u32 flags = READ_ONCE(gic_pmr);

	local_irq_disable();
	return flags;
}

static __always_inline void local_irq_restore(u32 flags)
{
	barrier();
	WRITE_ONCE(gic_pmr, flags);
}

#endif
