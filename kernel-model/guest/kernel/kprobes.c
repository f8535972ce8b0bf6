// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Kprobes: the breakpoint, the handler, and the probed instruction stepped in a slot of its own, with
 * everything masked, up to a second breakpoint. Facts: arch/arm64/kernel/probes/kprobes.c, v7.3-rc7.
 *
 * kprobe_current stands for a probe without its breakpoint: the host takes the exception before any
 * instruction, which stays in place, so that returning to the same PC executes it.
 */
#include "entry.h"
#include "kprobes.h"
#include "kunwind.h"

#define PSTATE_DAIF 0x3c0

enum kprobe_status { KPROBE_HIT_ACTIVE = 1, KPROBE_HIT_SS = 2, KPROBE_REENTER = 4 };

/* In Linux per-CPU: what the probe that was hit last is doing. */
static struct kprobe_ctlblk {
	struct kprobe *running;
	u64 status;
	u64 saved_irqflag;
	struct kprobe *prev_running;
	u64 prev_status;
	u64 prev_irqflag;
} kprobe_ctlblk;

/* Probes that were hit by the handler of another one, and only stepped. */
u64 kprobe_nmissed;

struct kprobe kprobe_table[KW_NR_KPROBES];

static __kprobes noinline int kunwind_pre_handler(struct kprobe *p, struct pt_regs *regs)
{
	(void)p;
	kunwind_request_walk(regs);
	return 0;
}

struct kprobe kprobe_current = { .pre_handler = kunwind_pre_handler };

/* What a probe does that the host armed, unless it was given something else to do. */
__kprobes noinline int kprobe_walk_handler(struct kprobe *p, struct pt_regs *regs)
{
	(void)p;
	kunwind_request_walk(regs);
	return 0;
}

static __always_inline struct kprobe *get_kprobe(u64 addr)
{
	struct kprobe *p;

	for (p = kprobe_table; p < kprobe_table + KW_NR_KPROBES && p->addr; p++)
		if (p->addr == addr)
			return p;
	return NULL;
}

noinline int register_kprobe(u64 addr, kprobe_pre_handler_t pre_handler)
{
	struct kprobe *p = get_kprobe(addr);

	if (!p)
		return -22;
	WRITE_ONCE(p->pre_handler, pre_handler);
	return 0;
}

noinline void unregister_kprobe(u64 addr)
{
	struct kprobe *p = get_kprobe(addr);

	if (p)
		WRITE_ONCE(p->pre_handler, NULL);
}

/* Goes to the slot, or does what the instruction does here and now. */
static __always_inline void setup_singlestep(struct kprobe *p, struct pt_regs *regs, u64 status)
{
	struct kprobe_ctlblk *kcb = &kprobe_ctlblk;

	kcb->status = status;
	if (p->slot) {
		kcb->saved_irqflag = regs->pstate & PSTATE_DAIF;
		regs->pstate |= PSTATE_DAIF;
		regs->pc = p->slot;
		return;
	}
	arch_simulate_insn(p->opcode, p->addr, regs);
	if (status == KPROBE_REENTER) {
		kcb->running = kcb->prev_running;
		kcb->status = kcb->prev_status;
		kcb->saved_irqflag = kcb->prev_irqflag;
	} else {
		kcb->running = NULL;
	}
}

/* Hit by the handler of another probe: stepped, but not handled. */
static __always_inline void reenter_kprobe(struct kprobe *p, struct pt_regs *regs)
{
	struct kprobe_ctlblk *kcb = &kprobe_ctlblk;

	kprobe_nmissed++;
	kcb->prev_running = kcb->running;
	kcb->prev_status = kcb->status;
	kcb->prev_irqflag = kcb->saved_irqflag;
	kcb->running = p;
	setup_singlestep(p, regs, KPROBE_REENTER);
}

/* Returns whether there is a probe at regs->pc. */
__kprobes noinline bool kprobe_brk_handler(struct pt_regs *regs, u64 esr)
{
	struct kprobe_ctlblk *kcb = &kprobe_ctlblk;
	struct kprobe *p = get_kprobe(regs->pc);
	struct kprobe *q;
	bool moved = false;

	(void)esr;
	if (!p) {
		p = &kprobe_current;
		if (p->addr && p->addr != regs->pc)
			return false;
		p->pre_handler(p, regs);
		return true;
	}
	if (kcb->running) {
		if (kcb->status == KPROBE_REENTER)
			return false;
		reenter_kprobe(p, regs);
		return true;
	}
	kcb->running = p;
	kcb->status = KPROBE_HIT_ACTIVE;
	/* Several probes of one instruction share its breakpoint. */
	for (q = p; q < kprobe_table + KW_NR_KPROBES; q++)
		if (q->addr == p->addr && q->pre_handler && q->pre_handler(q, regs))
			moved = true;
	if (moved)
		kcb->running = NULL;
	else
		setup_singlestep(p, regs, KPROBE_HIT_SS);
	return true;
}

/* The slot's second word was reached: on with what follows the probed instruction. */
__kprobes noinline bool kprobe_ss_brk_handler(struct pt_regs *regs, u64 esr)
{
	struct kprobe_ctlblk *kcb = &kprobe_ctlblk;
	struct kprobe *p = kcb->running;

	(void)esr;
	if (!p || kcb->status == KPROBE_HIT_ACTIVE || regs->pc != p->slot + 4)
		return false;
	regs->pstate = (regs->pstate & ~(u64)PSTATE_DAIF) | kcb->saved_irqflag;
	regs->pc = p->addr + 4;
	if (kcb->status == KPROBE_REENTER) {
		kcb->running = kcb->prev_running;
		kcb->status = kcb->prev_status;
		kcb->saved_irqflag = kcb->prev_irqflag;
	} else {
		kcb->running = NULL;
	}
	return true;
}
