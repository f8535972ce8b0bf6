// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A kprobe without its breakpoint: the host takes the exception before the probed instruction, which
 * stays in place, so that returning to the same PC executes it. Nothing is stepped out of line.
 */
#include "entry.h"
#include "kunwind.h"

static __kprobes noinline int kunwind_pre_handler(struct kprobe *p, struct pt_regs *regs)
{
	(void)p;
	kunwind_request_walk(regs);
	return 0;
}

struct kprobe kprobe_current = { .pre_handler = kunwind_pre_handler };

/* Returns whether there is a probe at regs->pc. */
__kprobes noinline bool kprobe_brk_handler(struct pt_regs *regs, u64 esr)
{
	struct kprobe *p = &kprobe_current;
	u64 addr = READ_ONCE(p->addr);

	(void)esr;
	if (addr && addr != regs->pc)
		return false;
	p->pre_handler(p, regs);
	return true;
}
