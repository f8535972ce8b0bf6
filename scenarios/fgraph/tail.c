/* cflags: -fpatchable-function-entry=2 -foptimize-sibling-calls */
// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A traced chain of tail calls. Each is entered with x30 = return_to_handler already, so the return
 * stack has several entries of one frame, and only the oldest holds the real address.
 */
#include "fgraph.h"

SHAPE u64 fgraph_tail_first(u64 x)
{
	return fgraph_tail_second(x + 1);
}

SHAPE u64 fgraph_tail_second(u64 x)
{
	return fgraph_tail_third(fgraph_plain(x));
}

SHAPE u64 fgraph_tail_third(u64 x)
{
	return fgraph_leaf(x) - 1;
}
