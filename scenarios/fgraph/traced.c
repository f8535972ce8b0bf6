/* cflags: -fpatchable-function-entry=2 */
// SPDX-License-Identifier: GPL-2.0-or-later
/* Functions that function graph may trace: two patchable words at the start of each. */
#include "fgraph.h"

/* A leaf: with x30 replaced, its return address is in no frame record at all. */
SHAPE u64 fgraph_leaf(u64 x)
{
	return x * 3 + 1;
}

/* Keeps a record across a call, so that return_to_handler is found in memory. */
SHAPE u64 fgraph_callee(u64 x)
{
	return fgraph_plain(x + 1) ^ 5;
}

/* Traced in a traced function: two entries, of two frames. */
SHAPE u64 fgraph_outer(u64 x)
{
	return fgraph_middle(x) + 2;
}

SHAPE u64 fgraph_middle(u64 x)
{
	return fgraph_leaf(x) + fgraph_callee(x);
}

/* Traced and recursing: several entries of one function, told apart by their frames. */
SHAPE u64 fgraph_recurse(u64 depth)
{
	return depth ? fgraph_recurse(depth - 1) + depth : 0;
}
