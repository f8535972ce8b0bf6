/* cflags: -foptimize-sibling-calls -mbranch-protection=pac-ret+leaf+b-key+bti */
/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Key B in every function, leaves included.
 */
#include "calls.h"

SHAPE u64 compiled_pac_b_leaf(u64 x)
{
	x *= 7;
	HIDE(x);
	return x + 1;
}

SHAPE u64 compiled_pac_b_scratch(u64 x)
{
	u64 slots[2] = { x, x + 1 };

	TOUCH(slots);
	return slots[x & 1];
}

SHAPE u64 compiled_pac_b_sibling(u64 x)
{
	u64 y = compiled_pac_b_leaf(x);

	return compiled_pac_b_scratch(y);
}

SHAPE u64 compiled_pac_b(u64 x)
{
	return compiled_pac_b_sibling(x) + compiled_pac_b_leaf(x + 1);
}
