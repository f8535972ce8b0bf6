// SPDX-License-Identifier: GPL-2.0-or-later
/* Two compiled callees of a function without a frame pointer: with a dynamic frame, and without. */
#include "compiler.h"

u64 review_leaf(u64 x);

/* x0 = x: 6x */
opaque u64 review_alloca(u64 x)
{
	volatile u64 *block = __builtin_alloca(x * sizeof(*block));
	u64 first, second;

	block[0] = x;
	first = review_leaf(x);
	second = review_leaf(x);
	return first + second + block[0] - x;
}

/* x0 = x: 6x */
opaque u64 review_static(u64 x)
{
	volatile u64 block[8];
	u64 first, second;

	block[0] = x;
	first = review_leaf(x);
	second = review_leaf(x);
	return first + second + block[0] - x;
}
