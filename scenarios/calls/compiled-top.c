/* cflags: -fstack-protector-all -mstack-protector-guard=global */
/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The compiler's frame with the record above the locals: since its locals must not be able
 * to overwrite the saved registers unseen, GCC puts them below when it adds a canary.
 */
#include "calls.h"

u64 compiled_leaf(u64 x);

u64 __stack_chk_guard = 0x5ca1ab1e0ddba11;

/* Never reached; the canary is whole. */
void __stack_chk_fail(void)
{
	for (;;)
		TOUCH(&__stack_chk_guard);
}

SHAPE u64 compiled_top(u64 x)
{
	u8 bytes[24];

	for (u64 i = 0; i < 4; i++)
		bytes[i] = (u8)(x + i);
	TOUCH(bytes);
	return compiled_leaf(bytes[0]) + bytes[3];
}
