/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The reliable-stacktrace tests: names and call chains of the kernel's suite, so that a trace lists
 * the same functions. Every function has a patch site, as in a kernel with dynamic ftrace.
 */
#ifndef KUNIT_H
#define KUNIT_H

#include "ftrace.h"
#include "kprobes.h"
#include "kunwind.h"

/* Neither inlined nor cloned: its name shows in a trace. */
#define TEST opaque

/* One case's state. */
struct kunit {
	void (*callee)(struct kunit *test);
	u64 param;  /* offset of the probed instruction, in the parameterised cases */
	u64 walks;  /* walks that were asked for */
	s64 status; /* what the last one returned */
};

extern struct kunit kunit_test;

void callee_nop(struct kunit *test);
void callee_nop_caller(struct kunit *test);
void callee_unwind_reliable(struct kunit *test);
void caller_tail_nop(struct kunit *test);
void caller_notail_nop(struct kunit *test);
void caller_tail_unwind_reliable(struct kunit *test);
void caller_notail_unwind_reliable(struct kunit *test);
void caller_3(struct kunit *test);

extern struct ftrace_ops fops_nop, fops_unwind;
extern struct fgraph_ops gops_nop, gops_entry_unwind, gops_return_unwind;
int kp_nop(struct kprobe *p, struct pt_regs *regs);
int kp_unwind_reliable(struct kprobe *p, struct pt_regs *regs);

#endif
