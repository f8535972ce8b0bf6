/* cflags: -foptimize-sibling-calls --param case-values-threshold=4 */
/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Shrink-wrapped frames, several epilogues, sibling calls, indirect calls, jump tables and
 * recursion, as the compiler lays them out.
 */
#include "calls.h"

u64 compiled_leaf(u64 x);
u64 compiled_leaf_scratch(u64 x);

/* No frame on the way out that tests first. */
SHAPE u64 compiled_shrink_wrapped(u64 x)
{
	if (x < 3)
		return x + 40;
	return compiled_leaf(x) + compiled_leaf(x + 1);
}

/* Ends in a sibling call after real calls: epilogue, then a branch. */
SHAPE u64 compiled_sibling(u64 x)
{
	u64 y = compiled_leaf(x);

	HIDE(y);
	return compiled_leaf_scratch(y);
}

/* Three ways out, two of them sibling calls. */
SHAPE u64 compiled_epilogues(u64 x)
{
	u64 y = compiled_leaf(x);

	if (y & 1)
		return compiled_sibling(y >> 3);
	if (y & 2)
		return compiled_shrink_wrapped(y);
	return y + compiled_leaf(y);
}

SHAPE u64 compiled_control_entry(u64 x)
{
	u64 sum = compiled_shrink_wrapped(1);

	for (u64 i = x; i < x + 4; i++)
		sum += compiled_epilogues(i);
	return sum;
}

typedef u64 operation(u64);
static operation *const operations[] = { compiled_leaf, compiled_leaf_scratch, compiled_sibling };

/* BR through x16 or x17 to a function, frame already gone. */
SHAPE u64 compiled_indirect_tail(u64 index, u64 x)
{
	u64 y = compiled_leaf(x);

	return operations[index](y);
}

/* Dense cases with different bodies: a jump table, `bti j` at each. */
SHAPE u64 compiled_switch(u64 kind, u64 x)
{
	switch (kind) {
	case 0:
		return compiled_leaf(x) + 1;
	case 1:
		return compiled_leaf_scratch(x) * x;
	case 2:
		return x * x + 17;
	case 3:
		return compiled_leaf(x + 4) - x;
	case 4:
		return compiled_leaf_scratch(x ^ 3) + 9;
	case 5:
		return (x << 3) ^ 5;
	case 6:
		return compiled_sibling(x);
	default:
		return x;
	}
}

SHAPE u64 compiled_indirect_entry(u64 x)
{
	u64 sum = 0;

	for (u64 i = 0; i < 3; i++) {
		operation *chosen = operations[i];

		HIDE(chosen);
		sum += chosen(x);
		sum += compiled_indirect_tail(i, x);
	}
	for (u64 kind = 0; kind < 8; kind++)
		sum += compiled_switch(kind, x);
	return sum;
}

/* 1 + .. + x; the barrier keeps the compiler from making a loop of it. */
SHAPE u64 compiled_recursion(u64 x)
{
	u64 below;

	if (x == 0)
		return 0;
	below = compiled_recursion(x - 1);
	HIDE(below);
	return below + x;
}
