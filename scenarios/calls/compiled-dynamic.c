/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * alloca: the CFA on FP for the whole body, and on one path of a function whose other
 * paths have no frame or leave before the block is made.
 */
#include "calls.h"

SHAPE u64 compiled_fill(u64 *words, u64 count)
{
	u64 sum = 0;

	for (u64 i = 0; i < count; i++) {
		words[i] = i + 1;
		sum += words[i];
		TOUCH(words);
	}
	return sum;
}

SHAPE u64 compiled_alloca(u64 count)
{
	u64 *words = __builtin_alloca(count * sizeof(u64));

	return compiled_fill(words, count) + 1;
}

/* Odd: a block on the stack. Zero: no frame. Even: a call without a block. */
SHAPE u64 compiled_alloca_branch(u64 count)
{
	u64 one;

	if (count == 0)
		return 77;
	if (count & 1) {
		u64 *words = __builtin_alloca(count * sizeof(u64));

		return compiled_fill(words, count) + 2;
	}
	return compiled_fill(&one, 1) + one;
}

SHAPE u64 compiled_dynamic_entry(u64 count)
{
	u64 sum = compiled_alloca(count);

	sum += compiled_alloca_branch(count);
	sum += compiled_alloca_branch(count + 1);
	return sum + compiled_alloca_branch(0);
}
