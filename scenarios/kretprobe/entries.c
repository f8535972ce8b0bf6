// SPDX-License-Identifier: GPL-2.0-or-later
/* What the scenarios call, and what is never probed. */
#include "kretprobe.h"

#define ENTRY(name, call)			\
	SHAPE u64 kretprobe_##name##_entry(u64 x) \
	{					\
		u64 result = call;		\
						\
		HIDE(result);			\
		return result;			\
	}

SHAPE u64 kretprobe_plain(u64 x)
{
	return x << 1;
}

ENTRY(leaf, kretprobe_leaf(x))
ENTRY(callee, kretprobe_callee(x))
ENTRY(outer, kretprobe_outer(x))
ENTRY(recurse, kretprobe_recurse(x))
ENTRY(tail, kretprobe_tail_first(x))
