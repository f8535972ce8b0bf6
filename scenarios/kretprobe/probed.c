/* cflags: -fpatchable-function-entry=2 */
// SPDX-License-Identifier: GPL-2.0-or-later
/* Functions that a kretprobe, or function graph as well, makes return elsewhere. */
#include "kretprobe.h"

SHAPE u64 kretprobe_leaf(u64 x)
{
	return x * 3 + 1;
}

/* Keeps a record across a call, so that the trampoline is found in memory. */
SHAPE u64 kretprobe_callee(u64 x)
{
	return kretprobe_plain(x + 1) ^ 5;
}

/* Probed, and calls what is probed. */
SHAPE u64 kretprobe_outer(u64 x)
{
	return kretprobe_leaf(x) + kretprobe_callee(x);
}

SHAPE u64 kretprobe_recurse(u64 depth)
{
	return depth ? kretprobe_recurse(depth - 1) + depth : 0;
}
