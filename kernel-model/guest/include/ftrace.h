/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What ftrace_caller and return_to_handler hand to C. */
#ifndef KW_FTRACE_H
#define KW_FTRACE_H

#include "asm-offsets.h"
#include "compiler.h"
#include "task.h"

struct ftrace_regs {
	u64 regs[9];
	u64 direct_tramp;
	u64 fp;
	u64 lr;
	u64 sp;
	u64 pc;
};
KW_ASSERT_OFFSET(struct ftrace_regs, fp, FREGS_FP);
KW_ASSERT_OFFSET(struct ftrace_regs, pc, FREGS_PC);
_Static_assert(sizeof(struct ftrace_regs) == FREGS_SIZE, "struct ftrace_regs");

typedef void (*ftrace_func_t)(u64 ip, u64 parent_ip, void *op, struct ftrace_regs *fregs);
extern ftrace_func_t ftrace_trace_function;

void return_to_handler(void);
void ftrace_graph_func(u64 ip, u64 parent_ip, void *op, struct ftrace_regs *fregs);
int function_graph_enter(u64 ret, u64 func, u64 fp, u64 retp);
u64 ftrace_return_to_handler(struct ftrace_regs *fregs);

#endif
