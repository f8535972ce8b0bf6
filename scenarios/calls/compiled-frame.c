/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The compiler's own frames: record at the bottom, record in the middle (outgoing stack
 * arguments below it), a frame of several KiB, and leaves with and without stack space.
 */
#include "calls.h"

SHAPE u64 compiled_leaf(u64 x)
{
	return x * 5 + 2;
}

/* A leaf with stack space and no record: -fno-omit-frame-pointer leaves leaves alone. */
SHAPE u64 compiled_leaf_scratch(u64 x)
{
	u64 slots[4];

	slots[x & 3] = x;
	slots[~x & 3] = x + 1;
	TOUCH(slots);
	return slots[x & 3] + slots[~x & 3];
}

SHAPE u64 compiled_bottom(u64 x)
{
	u64 first = compiled_leaf(x);

	return first + compiled_leaf_scratch(x + 1);
}

SHAPE u64 compiled_ten_arguments(u64 a, u64 b, u64 c, u64 d, u64 e, u64 f, u64 g, u64 h, u64 i, u64 j)
{
	return a + b + c + d + e + f + g + h + i * 10 + j * 100;
}

SHAPE u64 compiled_middle(u64 x)
{
	u64 sum = compiled_ten_arguments(x, 1, 2, 3, 4, 5, 6, 7, x + 1, x + 2);

	return sum + compiled_bottom(x);
}

SHAPE u64 compiled_large(u64 x)
{
	u64 block[640];

	block[0] = x;
	block[639] = compiled_leaf(x);
	TOUCH(block);
	return block[0] + compiled_leaf(block[639]);
}
