/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The guest's own interface to the host. */
#ifndef KW_KUNWIND_H
#define KW_KUNWIND_H

#include "task.h"
#include "walk-return.h"

/* What kunwind_thread calls, filled in by the host: x0..x7, and x0 on return. */
struct kunwind_call {
	u64 (*fn)(u64, u64, u64, u64, u64, u64, u64, u64);
	u64 args[8];
	u64 result;
};

/* Non-zero: the task that a handler's walk is asked of, instead of the current one. */
extern struct task_struct *walk_task;

/* What walk_request returns, 0 or -22: the host may write it at the walk request. */
extern s32 walk_result;

/* The last thing every handler does: ask for a walk. regs are those of the exception, if any. */
void kunwind_request_walk(struct pt_regs *regs);

/*
 * Calls walk_request, at whose first instruction the host stops and walks: with x0 the task, from the
 * function that this is in, which has a frame record.
 */
#define walk_here(task)                                                                          \
	({                                                                                        \
		register u64 __task __asm__("x0") = (u64)(task);                                  \
		__asm__ volatile("bl	walk_request\n\t" KW_STRING(WALK_RETURN)                \
				 : "+r"(__task)                                                   \
				 :                                                                \
				 : "x1", "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10",   \
				   "x11", "x12", "x13", "x14", "x15", "x16", "x17", "x18", "x30", \
				   "cc", "memory");                                               \
		(int)__task;                                                                      \
	})

/* As in Linux, but the host keeps the entries. Returns 0 or -22. */
int stack_trace_save_tsk_reliable(struct task_struct *task);

/* Thread function: arg is a struct kunwind_call. */
int kunwind_thread(void *arg);

/* The host stops at these; they do not return. */
noreturn void kunwind_done(void);
noreturn void __kw_unexpected_sync(struct pt_regs *regs, u64 esr);
noreturn void handle_bad_mode(struct pt_regs *regs);
noreturn void handle_bad_stack(struct pt_regs *regs);

/* WARN_ON of the guest itself was reached; it goes on. */
void __kw_warn(u64 what);

#endif
