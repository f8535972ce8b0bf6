// SPDX-License-Identifier: GPL-2.0-or-later
/* Switching tasks. IRQs are off throughout, by priority: a pseudo-NMI still comes in. */
#include "irqflags.h"
#include "kunwind.h"

static struct task_struct *const tasks[] = { &init_task, &kw_task_a, &kw_task_b };
#define NR_TASKS (sizeof(tasks) / sizeof(tasks[0]))

__sched noinline struct task_struct *__switch_to(struct task_struct *prev, struct task_struct *next)
{
	return cpu_switch_to(prev, next);
}

/* Called first in a new thread: turns IRQs on, which schedule_to had off. */
noinline void schedule_tail(struct task_struct *prev)
{
	(void)prev;
	local_irq_enable();
}

__sched noinline void schedule_to(struct task_struct *next)
{
	u32 flags = local_irq_save();
	struct task_struct *prev = current;

	if (prev != next)
		__switch_to(prev, next);
	local_irq_restore(flags);
}

/* Round robin over the tasks that may run. */
__sched noinline void schedule(void)
{
	struct task_struct *prev = current;
	u64 here = 0;
	u64 i;

	while (tasks[here] != prev && here < NR_TASKS - 1)
		here++;
	for (i = 1; i <= NR_TASKS; i++) {
		struct task_struct *next = tasks[(here + i) % NR_TASKS];

		if (READ_ONCE(next->__state) == 0) {
			schedule_to(next);
			return;
		}
	}
}
