/* cflags: -fpatchable-function-entry=2 -foptimize-sibling-calls */
// SPDX-License-Identifier: GPL-2.0-or-later
/* A second task that blocks inside a probed function, for walks that meet no exception at all. */
#include "kretprobe.h"
#include "task.h"

static struct task_struct *kretprobe_starter;

/* Blocks, with a record of its own. */
SHAPE u64 kretprobe_sleep(u64 x)
{
	schedule_to(kretprobe_starter);
	HIDE(x);
	return x + 1;
}

/* Entered from a function that may be traced: x30 is what that one's tracer made it. */
SHAPE u64 kretprobe_tail_sleep(u64 x)
{
	return kretprobe_sleep(x + 1);
}

/* The second task's function. It stays blocked. */
SHAPE int kretprobe_sleeper(void *arg)
{
	u64 result = kretprobe_tail_sleep((u64)arg);

	HIDE(result);
	return (int)result;
}

/* Leaves kw_task_a blocked, then works on. x0 = 7: 14 */
SHAPE u64 kretprobe_blocked_entry(u64 x)
{
	kretprobe_starter = current;
	kernel_thread_init(&kw_task_a, kretprobe_sleeper, (void *)x);
	schedule_to(&kw_task_a);
	x = kretprobe_plain(x);
	HIDE(x);
	return x;
}
