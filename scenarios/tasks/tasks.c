// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Two tasks that take turns. The other one is blocked in schedule_to while this one runs, and each
 * switch passes instructions at which SP, x29 and current belong to different tasks.
 */
#include "task.h"

/* The task that started the other, and what the two pass to and fro. */
static struct task_struct *tasks_starter;
static u64 tasks_value;

/* Some depth under the switch, so that the blocked task's trace is worth walking. */
static opaque void tasks_hand_over(struct task_struct *next)
{
	schedule_to(next);
	barrier();
}

static opaque void tasks_yield(struct task_struct *next)
{
	tasks_hand_over(next);
	barrier();
}

/* The second task's function. It never returns: the last switch leaves it blocked for good. */
opaque int tasks_worker(void *arg)
{
	for (;;) {
		tasks_value += (u64)arg;
		tasks_yield(tasks_starter);
	}
}

/* Starts kw_task_a, then switches to it and back. x0 = rounds, x1 = what the worker adds each time. */
opaque u64 tasks_switch_entry(u64 rounds, u64 step)
{
	tasks_starter = current;
	tasks_value = 0;
	kernel_thread_init(&kw_task_a, tasks_worker, (void *)step);
	while (rounds--)
		tasks_yield(&kw_task_a);
	return tasks_value;
}

static opaque u64 tasks_busy(u64 x)
{
	__asm__ volatile("" : "+r"(x));
	return x * 5;
}

/* Leaves kw_task_a blocked, then works on: for walks of the blocked task. x0 = 7: 35 */
opaque u64 tasks_blocked_entry(u64 x)
{
	u64 result;

	(void)tasks_switch_entry(1, 1);
	result = tasks_busy(x);
	barrier();
	return result;
}
