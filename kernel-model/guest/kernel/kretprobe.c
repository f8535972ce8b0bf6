// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Kretprobes. At the entry of the probed function its return address goes into an instance on the
 * task's list, and the trampoline takes its place in x30. When the function returns, the trampoline
 * (by a breakpoint, or by a call, see kprobes_trampoline.S) looks the address up again. The order of
 * things here decides what an unwinder can find when. Facts: kernel/kprobes.c of v7.3-rc7.
 */
#include "entry.h"
#include "kprobes.h"
#include "kunwind.h"

#define WARN_KRETPROBE_NONE 3

struct kretprobe kretprobe_table[KW_NR_KRETPROBES];

static struct kretprobe_instance instance_pool[KW_NR_KRETPROBE_INSTANCES];
static struct kretprobe_instance *free_instances;
static u64 used_instances;

static __always_inline struct kretprobe_instance *get_instance(void)
{
	struct kretprobe_instance *ri = free_instances;

	if (ri) {
		free_instances = ri->next;
		return ri;
	}
	return used_instances < KW_NR_KRETPROBE_INSTANCES ? &instance_pool[used_instances++] : NULL;
}

/* What a kretprobe does that the host armed. */
opaque void kretprobe_exit_handler(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	(void)ri;
	(void)regs;
}

/* The kprobe at the entry of the function: takes x30 and x29 down and redirects the return. */
__kprobes noinline int pre_handler_kretprobe(struct kprobe *p, struct pt_regs *regs)
{
	struct kretprobe *rp = p->rp;
	struct kretprobe_instance *ri = get_instance();

	if (!ri)
		return 0;
	ri->rp = rp;
	ri->ret_addr = regs->regs[30];
	ri->fp = regs->regs[29];
	regs->regs[30] = rp->trampoline;
	/* An interrupt's own probes come and go above this one. */
	ri->next = current->kretprobe_instances;
	barrier();
	WRITE_ONCE(current->kretprobe_instances, ri);
	return 0;
}

static __always_inline bool is_trampoline(u64 address)
{
	return address == (u64)__kretprobe_trampoline || address == (u64)__kretprobe_trampoline_regs;
}

/* The first instance that holds a real address; those above it are of tail-called functions. */
static __always_inline struct kretprobe_instance *find_return(void)
{
	struct kretprobe_instance *ri = READ_ONCE(current->kretprobe_instances);

	while (ri && is_trampoline(ri->ret_addr))
		ri = ri->next;
	return ri;
}

/* Runs the handlers of the function that returned to a trampoline. Returns where it returns to. */
noinline u64 __kretprobe_trampoline_handler(struct pt_regs *regs, u64 frame_pointer)
{
	struct kretprobe_instance *node = find_return();
	struct kretprobe_instance *first, *ri;
	u64 address;

	if (!node) {
		__kw_warn(WARN_KRETPROBE_NONE);
		kunwind_done();
	}
	address = node->ret_addr;
	/* First of all, so that a trace from regs begins where the function returns to. */
	WRITE_ONCE(regs->pc, address);

	for (ri = current->kretprobe_instances;; ri = ri->next) {
		if (ri->fp != frame_pointer) {
			__kw_warn(WARN_KRETPROBE_NONE);
			break;
		}
		WRITE_ONCE(ri->ret_addr, address);
		if (ri->rp->handler)
			ri->rp->handler(ri, regs);
		if (ri == node)
			break;
	}
	barrier();

	/* From here on no list leads to the address. */
	first = current->kretprobe_instances;
	WRITE_ONCE(current->kretprobe_instances, node->next);
	node->next = free_instances;
	free_instances = first;
	return address;
}

/* The current style: in the exception of the trampoline's breakpoint. */
__kprobes noinline bool kretprobe_brk_handler(struct pt_regs *regs, u64 esr)
{
	(void)esr;
	if (regs->pc != (u64)__kretprobe_trampoline)
		return false;
	regs->pc = __kretprobe_trampoline_handler(regs, regs->regs[29]);
	return true;
}

/* The older style: called by the trampoline, with the pt_regs that it has built. */
__kprobes noinline u64 trampoline_probe_handler(struct pt_regs *regs)
{
	return __kretprobe_trampoline_handler(regs, regs->regs[29]);
}
