// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The C half of exception entry: which context is this, count it, handle it, count it out.
 * Facts: arch/arm64/kernel/entry-common.c and kernel/entry/common.c of v7.3-rc7.
 */
#include "entry.h"
#include "kprobes.h"
#include "kunwind.h"

#define ESR_EC(esr) (((esr) >> 26) & 0x3f)
#define ESR_EC_BRK64 0x3c
#define ESR_BRK_IMM(esr) ((esr) & 0xffff)

static struct pt_regs *irq_regs;

noinstr void irqentry_nmi_enter(struct pt_regs *regs)
{
	(void)regs;
	preempt_count_add(KW_NMI_OFFSET + KW_HARDIRQ_OFFSET);
}

noinstr void irqentry_nmi_exit(struct pt_regs *regs)
{
	(void)regs;
	preempt_count_sub(KW_NMI_OFFSET + KW_HARDIRQ_OFFSET);
}

noinline void irq_enter_rcu(void)
{
	preempt_count_add(KW_HARDIRQ_OFFSET);
}

noinline void irq_exit_rcu(void)
{
	preempt_count_sub(KW_HARDIRQ_OFFSET);
}

static __always_inline bool on_thread_stack(void)
{
	u64 low = (u64)current->stack;
	u64 sp;

	__asm__ volatile("mov %0, sp" : "=r"(sp));
	return low && sp >= low && sp < low + KW_THREAD_SIZE;
}

noinline void do_interrupt_handler(struct pt_regs *regs, void (*handler)(struct pt_regs *))
{
	struct pt_regs *old = irq_regs;

	irq_regs = regs;
	if (on_thread_stack())
		call_on_irq_stack(regs, handler);
	else
		handler(regs);
	irq_regs = old;
}

/* Not reached by a normal IRQ: only a pseudo-NMI comes in where IRQs are masked. */
static __always_inline void __el1_pnmi(struct pt_regs *regs, void (*handler)(struct pt_regs *))
{
	irqentry_nmi_enter(regs);
	do_interrupt_handler(regs, handler);
	daif_mask_all();
	irqentry_nmi_exit(regs);
}

static __always_inline void __el1_irq(struct pt_regs *regs, void (*handler)(struct pt_regs *))
{
	irq_enter_rcu();
	do_interrupt_handler(regs, handler);
	irq_exit_rcu();
	daif_mask_all();
}

static noinstr void el1_interrupt(struct pt_regs *regs, void (*handler)(struct pt_regs *))
{
	write_daif(DAIF_PROCCTX_NOIRQ);
	if (regs_irqs_disabled(regs))
		__el1_pnmi(regs, handler);
	else
		__el1_irq(regs, handler);
}

noinstr void el1h_64_irq_handler(struct pt_regs *regs)
{
	el1_interrupt(regs, handle_arch_irq);
}

/* There is no FIQ source. */
noinstr void el1h_64_fiq_handler(struct pt_regs *regs)
{
	handle_bad_mode(regs);
}

/* A breakpoint at EL1: the handler of its immediate may move regs->pc. */
__kprobes noinline void do_el1_brk64(u64 esr, struct pt_regs *regs)
{
	bool handled = false;

	switch (ESR_BRK_IMM(esr)) {
	case KPROBES_BRK_IMM:
		handled = kprobe_brk_handler(regs, esr);
		break;
	case KPROBES_BRK_SS_IMM:
		handled = kprobe_ss_brk_handler(regs, esr);
		break;
	case KRETPROBES_BRK_IMM:
		handled = kretprobe_brk_handler(regs, esr);
		break;
	}
	if (!handled)
		__kw_unexpected_sync(regs, esr);
}

/* Breakpoints can come anywhere, so their context is that of an NMI; DAIF stays masked. */
static noinstr void el1_brk64(struct pt_regs *regs, u64 esr)
{
	irqentry_nmi_enter(regs);
	preempt_count_add(1);
	do_el1_brk64(esr, regs);
	preempt_count_sub(1);
	irqentry_nmi_exit(regs);
}

noinstr void el1h_64_sync_handler(struct pt_regs *regs)
{
	u64 esr;

	__asm__ volatile("mrs %0, esr_el1" : "=r"(esr));
	switch (ESR_EC(esr)) {
	case ESR_EC_BRK64:
		el1_brk64(regs, esr);
		break;
	default:
		__kw_unexpected_sync(regs, esr);
	}
}

/* A corrected error: worth a look, and execution goes on. */
noinline void do_serror(struct pt_regs *regs, u64 esr)
{
	(void)esr;
	kunwind_request_walk(regs);
}

noinstr void el1h_64_error_handler(struct pt_regs *regs)
{
	u64 esr;

	__asm__ volatile("mrs %0, esr_el1" : "=r"(esr));
	write_daif(DAIF_ERRCTX);
	irqentry_nmi_enter(regs);
	do_serror(regs, esr);
	daif_mask_all();
	irqentry_nmi_exit(regs);
}
