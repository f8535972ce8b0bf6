/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Variadic functions: the register save area makes a frame of its own, in leaves too, and
 * the arguments beyond the eighth come from the caller's frame.
 */
#include <stdarg.h>
#include "calls.h"

SHAPE u64 compiled_leaf(u64 x);

/* A variadic leaf: a save area, no record. */
SHAPE u64 compiled_sum(u64 count, ...)
{
	va_list arguments;
	u64 sum = 0;

	va_start(arguments, count);
	for (u64 i = 0; i < count; i++)
		sum += va_arg(arguments, u64);
	va_end(arguments);
	return sum;
}

SHAPE u64 compiled_sum_list(u64 count, va_list arguments)
{
	u64 sum = 0;

	while (count--)
		sum += compiled_leaf(va_arg(arguments, u64));
	return sum;
}

/* A variadic function that calls: save area above the record. */
SHAPE u64 compiled_sum_mapped(u64 count, ...)
{
	va_list arguments;
	u64 sum;

	va_start(arguments, count);
	sum = compiled_sum_list(count, arguments);
	va_end(arguments);
	return sum;
}

SHAPE u64 compiled_variadic_entry(u64 x)
{
	u64 sum = compiled_sum(10, x, x + 1, 2ul, 3ul, 4ul, 5ul, 6ul, 7ul, 8ul, 9ul);

	return sum + compiled_sum_mapped(3, x, 2ul, 3ul);
}
