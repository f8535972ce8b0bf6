/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pt_regs, tasks and their stacks, laid out as in v7.3-rc7 (see asm-offsets.h). */
#ifndef KW_TASK_H
#define KW_TASK_H

#include "asm-offsets.h"
#include "compiler.h"

struct frame_record {
	u64 fp;
	u64 lr;
};

/* A record of two zeroes, followed by its type (KW_FRAME_META_*). */
struct frame_record_meta {
	struct frame_record record;
	u64 type;
};

struct pt_regs {
	u64 regs[31];
	u64 sp;
	u64 pc;
	u64 pstate;
	u64 orig_x0;
	s32 syscallno;
	u32 pmr;
	u64 sdei_ttbr1;
	struct frame_record_meta stackframe;
};

struct thread_info {
	u64 flags;
	u64 preempt_count; /* the low word counts; see KW_HARDIRQ_OFFSET, KW_NMI_OFFSET */
	u32 cpu;
};

struct cpu_context {
	u64 x19, x20, x21, x22, x23, x24, x25, x26, x27, x28;
	u64 fp;
	u64 sp;
	u64 pc;
};

/* An entry on the return stack; a type word follows it. */
struct ftrace_ret_stack {
	u64 ret;
	u64 func;
	u64 fp;
	u64 retp;
};

struct kretprobe_instance;

struct task_struct {
	struct thread_info thread_info;
	u32 __state; /* 0: may be scheduled */
	u32 pad0;
	void *stack; /* its lowest address */
	u8 pad1[KW_TSK_CURR_RET_STACK - 40];
	s32 curr_ret_stack; /* words in use */
	s32 curr_ret_depth; /* entries in use, less one */
	u64 *ret_stack;
	u8 pad2[KW_TSK_KRETPROBE_INSTANCES - KW_TSK_RET_STACK - 8];
	struct kretprobe_instance *kretprobe_instances; /* newest first */
	struct cpu_context cpu_context;
	u64 pad3;
};

#define KW_ASSERT_OFFSET(type, field, value) \
	_Static_assert(__builtin_offsetof(type, field) == (value), #field " is elsewhere in v7.3-rc7")

KW_ASSERT_OFFSET(struct pt_regs, regs[29], S_FP);
KW_ASSERT_OFFSET(struct pt_regs, sp, S_SP);
KW_ASSERT_OFFSET(struct pt_regs, pc, S_PC);
KW_ASSERT_OFFSET(struct pt_regs, pmr, S_PMR);
KW_ASSERT_OFFSET(struct pt_regs, stackframe, S_STACKFRAME);
KW_ASSERT_OFFSET(struct pt_regs, stackframe.type, S_STACKFRAME_TYPE);
_Static_assert(sizeof(struct pt_regs) == PT_REGS_SIZE, "struct pt_regs");
KW_ASSERT_OFFSET(struct task_struct, thread_info.preempt_count, TSK_TI_PREEMPT);
KW_ASSERT_OFFSET(struct task_struct, thread_info.cpu, TSK_TI_CPU);
KW_ASSERT_OFFSET(struct task_struct, stack, TSK_STACK);
KW_ASSERT_OFFSET(struct task_struct, curr_ret_stack, KW_TSK_CURR_RET_STACK);
KW_ASSERT_OFFSET(struct task_struct, ret_stack, KW_TSK_RET_STACK);
KW_ASSERT_OFFSET(struct task_struct, kretprobe_instances, KW_TSK_KRETPROBE_INSTANCES);
KW_ASSERT_OFFSET(struct task_struct, cpu_context, THREAD_CPU_CONTEXT);
_Static_assert(sizeof(struct task_struct) == KW_TSK_SIZE, "struct task_struct");

/* SP_EL0 is the current task. Read anew each time: a context switch changes it. */
static __always_inline struct task_struct *get_current(void)
{
	struct task_struct *task;

	__asm__ volatile("mrs %0, sp_el0" : "=r"(task));
	return task;
}
#define current get_current()

static __always_inline struct pt_regs *task_pt_regs(struct task_struct *task)
{
	return (struct pt_regs *)((u8 *)task->stack + KW_THREAD_SIZE) - 1;
}

extern struct task_struct init_task, kw_task_a, kw_task_b;
extern u8 init_stack[KW_THREAD_SIZE];

void kernel_thread_init(struct task_struct *task, int (*fn)(void *), void *arg);
void schedule(void);
void schedule_to(struct task_struct *next);
struct task_struct *cpu_switch_to(struct task_struct *prev, struct task_struct *next);
struct task_struct *__switch_to(struct task_struct *prev, struct task_struct *next);
void ret_from_fork(void);

#endif
