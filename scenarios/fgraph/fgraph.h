/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef FGRAPH_H
#define FGRAPH_H

#include "compiler.h"

/* No interprocedural optimisation: calls stay as written. */
#define SHAPE opaque
/* Makes a value unknown to the compiler, so that the call before it is no tail call. */
#define HIDE(value) __asm__ volatile("" : "+r"(value))

u64 fgraph_plain(u64 x);
u64 fgraph_leaf(u64 x);
u64 fgraph_callee(u64 x);
u64 fgraph_outer(u64 x);
u64 fgraph_middle(u64 x);
u64 fgraph_recurse(u64 depth);
u64 fgraph_tail_first(u64 x);
u64 fgraph_tail_second(u64 x);
u64 fgraph_tail_third(u64 x);

#endif
