/* cflags: -fpatchable-function-entry=2 -foptimize-sibling-calls */
// SPDX-License-Identifier: GPL-2.0-or-later
/* Tail calls among probed functions: several instances of one frame, the oldest holds the address. */
#include "kretprobe.h"

SHAPE u64 kretprobe_tail_first(u64 x)
{
	return kretprobe_tail_second(x + 1);
}

SHAPE u64 kretprobe_tail_second(u64 x)
{
	return kretprobe_leaf(kretprobe_plain(x));
}
