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

struct ftrace_ops;
typedef void (*ftrace_func_t)(u64 ip, u64 parent_ip, struct ftrace_ops *op,
			      struct ftrace_regs *fregs);

/* A tracer of function entries. */
struct ftrace_ops {
	ftrace_func_t func;
	u64 ip; /* of the only function it wants, as its callbacks get it; 0: every patched one */
	struct ftrace_ops *next;
};

/* What ftrace_caller calls, and with which op: the only tracer there is, or the dispatcher. */
extern ftrace_func_t ftrace_trace_function;
extern struct ftrace_ops *function_trace_op;

int register_ftrace_function(struct ftrace_ops *ops);
void unregister_ftrace_function(struct ftrace_ops *ops);

/* A tracer of entries and returns. */
struct fgraph_ops {
	/* Non-zero: the return is wanted, too. */
	bool (*entryfunc)(u64 func, struct fgraph_ops *gops, struct ftrace_regs *fregs);
	void (*retfunc)(u64 func, struct fgraph_ops *gops, struct ftrace_regs *fregs);
	u64 func; /* the only function it wants, as its callbacks get it; 0: every patched one */
	u64 idx;
};

/* Bits of an entry's type word say which tracers want the return. */
#define FGRAPH_ARRAY_SIZE 16

/* The tracer that is registered from the start. */
extern struct fgraph_ops kunwind_graph_ops;

int register_ftrace_graph(struct fgraph_ops *gops);
void unregister_ftrace_graph(struct fgraph_ops *gops);

/* Words on the return stack for an entry handler, above its entry; NULL if there is no room. */
u64 *fgraph_reserve_data(struct fgraph_ops *gops, u64 words);

void return_to_handler(void);
void ftrace_graph_func(u64 ip, u64 parent_ip, struct ftrace_ops *op, struct ftrace_regs *fregs);
int function_graph_enter(u64 ret, u64 func, u64 fp, u64 retp, struct ftrace_regs *fregs);

#ifdef FGRAPH_RECOVER
/* In x0 and x1: the address to return to, and the two words at curr_ret_stack once it is popped. */
struct ftrace_return {
	u64 ret;
	u64 popped;
};
struct ftrace_return ftrace_return_to_handler(struct ftrace_regs *fregs);
#else
u64 ftrace_return_to_handler(struct ftrace_regs *fregs);
#endif

#endif
