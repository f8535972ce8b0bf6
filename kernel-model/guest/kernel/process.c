// SPDX-License-Identifier: GPL-2.0-or-later
/* Tasks and stacks, all static: what is not in use costs nothing in the file. */
#include "irqflags.h"
#include "kunwind.h"

#define EL1H_PSTATE 5

#define KW_STACK(name) \
	u8 name[KW_THREAD_SIZE] __section(".bss..stacks") __aligned(2 * KW_THREAD_SIZE)

KW_STACK(init_stack);
static KW_STACK(kw_stack_a);
static KW_STACK(kw_stack_b);

/* In Linux per-CPU: TPIDR_EL1 is 0 here. */
KW_STACK(irq_stack);
void *irq_stack_ptr = irq_stack;
u8 overflow_stack[KW_OVERFLOW_STACK_SIZE] __section(".bss..overflow") __aligned(16);

static u64 init_ret_stack[KW_RET_STACK_WORDS];
static u64 kw_ret_stack_a[KW_RET_STACK_WORDS];
static u64 kw_ret_stack_b[KW_RET_STACK_WORDS];

#define TASK_NEW 0x800

struct task_struct init_task = {
	.stack = init_stack,
	.ret_stack = init_ret_stack,
	.curr_ret_depth = -1,
};
struct task_struct kw_task_a = {
	.__state = TASK_NEW,
	.stack = kw_stack_a,
	.ret_stack = kw_ret_stack_a,
	.curr_ret_depth = -1,
};
struct task_struct kw_task_b = {
	.__state = TASK_NEW,
	.stack = kw_stack_b,
	.ret_stack = kw_ret_stack_b,
	.curr_ret_depth = -1,
};

struct task_struct *walk_task;
s32 walk_result;

noinline void kunwind_request_walk(struct pt_regs *regs)
{
	struct task_struct *task = READ_ONCE(walk_task);

	(void)regs;
	(void)walk_here(task ? task : current);
}

/* Makes task a thread that will run fn(arg) once it is switched to. */
noinline void kernel_thread_init(struct task_struct *task, int (*fn)(void *), void *arg)
{
	struct pt_regs *regs = task_pt_regs(task);
	struct cpu_context *context = &task->cpu_context;
	u64 *word;

	for (word = (u64 *)regs; word < (u64 *)(regs + 1); word++)
		*word = 0;
	regs->pstate = EL1H_PSTATE;
	regs->stackframe.type = KW_FRAME_META_FINAL;

	for (word = (u64 *)context; word < (u64 *)(context + 1); word++)
		*word = 0;
	context->x19 = (u64)fn;
	context->x20 = (u64)arg;
	context->pc = (u64)ret_from_fork;
	context->sp = (u64)regs;
	context->fp = (u64)&regs->stackframe;

	task->thread_info.preempt_count = 0;
	task->curr_ret_stack = 0;
	task->curr_ret_depth = -1;
	task->kretprobe_instances = NULL;
	task->__state = 0;
}

noinline int kunwind_thread(void *arg)
{
	struct kunwind_call *call = arg;

	call->result = call->fn(call->args[0], call->args[1], call->args[2], call->args[3],
				call->args[4], call->args[5], call->args[6], call->args[7]);
	kunwind_done();
}

/* What kthread() takes over from its creator. */
struct kthread_create_info {
	int (*threadfn)(void *data);
	void *data;
};

/* The usual function of a kernel thread, between ret_from_fork and the thread's own. */
noinline int kthread(void *_create)
{
	struct kthread_create_info *create = _create;

	(void)create->threadfn(create->data);
	current->__state = TASK_NEW;
	for (;;)
		schedule();
}
