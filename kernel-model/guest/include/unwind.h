/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The guest's own unwinder: what is asked of it, and what its parts ask of each other. */
#ifndef KW_UNWIND_H
#define KW_UNWIND_H

#include "task.h"

/* Values of kunwind_variant; the first four as in the kernel that has such a variable. */
#define KUNWIND_FRAME_POINTER 0
#define KUNWIND_SFRAME_V5 5
#define KUNWIND_SFRAME_V6 6
#define KUNWIND_SFRAME_STRICT 7
#define KUNWIND_FGRAPH_DETECT 8
#define KUNWIND_FGRAPH_RECOVER 9

/* Errors: the end of a trace, and everything else. */
#define ENOENT 2
#define EINVAL 22

typedef bool (*stack_trace_consume_fn)(void *cookie, u64 addr);

/* Under which rules to walk. */
extern u32 kunwind_variant;

/*
 * Walk a task (for the second: or the registers of the current one), calling consume_entry for each
 * entry until it returns false. 0: the trace is reliable; negative: it is not.
 */
int arch_stack_walk_reliable(stack_trace_consume_fn consume_entry, void *cookie,
			     struct task_struct *task);
void arch_stack_walk(stack_trace_consume_fn consume_entry, void *cookie, struct task_struct *task,
		     struct pt_regs *regs);

/* Unwind tables of code that was loaded beside the kernel; the host fills them in, as a module loader. */
#define KW_NR_SFRAME_SECTIONS 8
struct sframe_section {
	const u8 *start;
	const u8 *end; /* equal to start: not in use */
};
extern struct sframe_section kw_sframe_sections[KW_NR_SFRAME_SECTIONS];

/* Where a value of the caller's is. */
enum sframe_where {
	SFRAME_IN_REGISTER, /* still in its own register */
	SFRAME_LOAD,	    /* at base + offset in memory */
	SFRAME_VALUE,	    /* base + offset itself */
	SFRAME_UNDEFINED,   /* there is no caller */
};

#define SFRAME_BASE_CFA 32 /* a base besides the registers 0 to 31, 31 being SP */

struct sframe_value {
	enum sframe_where where;
	u32 base;
	s32 offset;
};

struct sframe_row {
	struct sframe_value cfa, ra, fp;
};

/* The row for an instruction. False where no section has one. */
bool sframe_find(u64 pc, struct sframe_row *row);

#endif
