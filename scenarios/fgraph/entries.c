// SPDX-License-Identifier: GPL-2.0-or-later
/* What the scenarios call, and what is never traced. */
#include "fgraph.h"

SHAPE u64 fgraph_plain(u64 x)
{
	return x << 1;
}

/* x0 = 10: 31 */
SHAPE u64 fgraph_leaf_entry(u64 x)
{
	u64 result = fgraph_leaf(x);

	HIDE(result);
	return result;
}

/* x0 = 10: 19 */
SHAPE u64 fgraph_callee_entry(u64 x)
{
	u64 result = fgraph_callee(x);

	HIDE(result);
	return result;
}

/* x0 = 10: 52 */
SHAPE u64 fgraph_nested_entry(u64 x)
{
	u64 result = fgraph_outer(x);

	HIDE(result);
	return result;
}

/* x0 = 10: 66 */
SHAPE u64 fgraph_tail_entry(u64 x)
{
	u64 result = fgraph_tail_first(x);

	HIDE(result);
	return result;
}

/* x0 = 3: 6 */
SHAPE u64 fgraph_recurse_entry(u64 depth)
{
	u64 result = fgraph_recurse(depth);

	HIDE(result);
	return result;
}

/* Twice, so that the return stack empties in between. x0 = 10: 62 */
SHAPE u64 fgraph_repeat_entry(u64 x)
{
	u64 result = fgraph_leaf(x);

	HIDE(result);
	result += fgraph_leaf(x);
	HIDE(result);
	return result;
}
