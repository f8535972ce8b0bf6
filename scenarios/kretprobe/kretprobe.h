/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KRETPROBE_H
#define KRETPROBE_H

#include "compiler.h"

/* No interprocedural optimisation: calls stay as written. */
#define SHAPE opaque
/* Makes a value unknown to the compiler, so that the call before it is no tail call. */
#define HIDE(value) __asm__ volatile("" : "+r"(value))

u64 kretprobe_plain(u64 x);
u64 kretprobe_leaf(u64 x);
u64 kretprobe_callee(u64 x);
u64 kretprobe_outer(u64 x);
u64 kretprobe_recurse(u64 depth);
u64 kretprobe_tail_first(u64 x);
u64 kretprobe_tail_second(u64 x);

#endif
