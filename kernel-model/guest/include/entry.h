/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Exception contexts: what C entry code and interrupt code share. */
#ifndef KW_ENTRY_H
#define KW_ENTRY_H

#include "irqflags.h"
#include "task.h"

#define PSTATE_I 0x80

/* Was the interrupted context one that masks IRQs, by PSTATE or by priority? */
static __always_inline bool regs_irqs_disabled(const struct pt_regs *regs)
{
	return (regs->pstate & PSTATE_I) || regs->pmr != KW_GIC_PRIO_IRQON;
}

static __always_inline void preempt_count_add(u32 value)
{
	u32 *count = (u32 *)&current->thread_info.preempt_count;

	WRITE_ONCE(*count, READ_ONCE(*count) + value);
	barrier();
}

static __always_inline void preempt_count_sub(u32 value)
{
	u32 *count = (u32 *)&current->thread_info.preempt_count;

	barrier();
	WRITE_ONCE(*count, READ_ONCE(*count) - value);
}

void irqentry_nmi_enter(struct pt_regs *regs);
void irqentry_nmi_exit(struct pt_regs *regs);

void call_on_irq_stack(struct pt_regs *regs, void (*func)(struct pt_regs *));
extern void (*handle_arch_irq)(struct pt_regs *);
void gic_handle_irq(struct pt_regs *regs);

#endif
