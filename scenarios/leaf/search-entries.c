/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Entries of the routines that only read: each asks one routine questions that take every
 * branch of it. An answer is a small number; `then` folds it into the sum of those before.
 */
#include "entries.h"

typedef long compare_routine(const void *one, const void *two, u64 length);
typedef void *find_routine(const void *block, int byte, u64 length);
typedef u64 length_routine(const char *string);
typedef u64 limited_length_routine(const char *string, u64 limit);
typedef long order_routine(const char *one, const char *two);
typedef long limited_order_routine(const char *one, const char *two, u64 limit);
typedef char *locate_routine(const char *string, int character);

compare_routine leaf_memcmp, leaf_memcmp_nocfi;
find_routine leaf_memchr, leaf_memchr_nocfi;
length_routine leaf_strlen, leaf_strlen_nocfi;
limited_length_routine leaf_strnlen, leaf_strnlen_nocfi;
order_routine leaf_strcmp, leaf_strcmp_nocfi;
limited_order_routine leaf_strncmp, leaf_strncmp_nocfi;
locate_routine leaf_strchr, leaf_strchr_nocfi, leaf_strrchr, leaf_strrchr_nocfi;

/* Equal for 29 characters, then "x" and "y" in word 3; aligned. */
static const char text[48] __attribute__((aligned(16))) = "unwind me at any instruction: x";
static const char twin[48] __attribute__((aligned(16))) = "unwind me at any instruction: y";

#define then(sum, answer) ((sum) * 31 + (u64)(answer))
#define index_in(base, pointer) ((pointer) ? (u64)((const char *)(pointer) - (base)) : 99)
#define result(sum) ((sum) & 0xffffffff)

INLINE u64 run_memcmp(compare_routine *compare)
{
	u64 sum = compare(text, twin, 30);

	sum = then(sum, compare(text, twin, 31));
	sum = then(sum, compare(twin, text, 40));
	sum = then(sum, compare(text + 16, text + 1, 3));
	sum = then(sum, compare(text, twin, 16));
	sum = then(sum, compare(text + 8, twin, 16));
	return result(then(sum, compare(text, twin, 0)));
}

INLINE u64 run_memchr(find_routine *find)
{
	u64 sum = index_in(text, find(text, 'u', 31));

	sum = then(sum, index_in(text, find(text, 'x', 31)));
	sum = then(sum, index_in(text, find(text + 1, ':', 31)));
	sum = then(sum, index_in(text, find(text, 'z', 31)));
	sum = then(sum, index_in(text, find(text, 'z', 16)));
	sum = then(sum, index_in(text, find(text, 'w' + 256, 4)));
	return result(then(sum, index_in(text, find(text, 'u', 0))));
}

INLINE u64 run_strlen(length_routine *length)
{
	u64 sum = length(text);

	sum = then(sum, length(text + 5));
	sum = then(sum, length(text + 24));
	sum = then(sum, length(text + 30));
	return result(then(sum, length(text + 31)));
}

INLINE u64 run_strnlen(limited_length_routine *length)
{
	u64 sum = length(text, 100);

	sum = then(sum, length(text + 3, 9));
	sum = then(sum, length(text + 3, 0));
	sum = then(sum, length(text + 25, 6));
	sum = then(sum, length(text + 25, 5));
	return result(then(sum, length(text + 7, 1)));
}

INLINE u64 run_strcmp(order_routine *order)
{
	u64 sum = order(text, twin);

	sum = then(sum, order(twin + 3, text + 3));
	sum = then(sum, order(text, text));
	sum = then(sum, order(text + 2, text));
	sum = then(sum, order(text + 31, text + 40));
	return result(then(sum, order(text + 5, twin + 13)));
}

INLINE u64 run_strncmp(limited_order_routine *order)
{
	u64 sum = order(text, twin, 30);

	sum = then(sum, order(text, twin, 31));
	sum = then(sum, order(text + 28, text + 28, 9));
	return result(then(sum, order(text, twin, 0)));
}

/* strchr and strrchr alike */
INLINE u64 run_locate(locate_routine *locate)
{
	u64 sum = index_in(text, locate(text, 'n'));

	sum = then(sum, index_in(text, locate(text, 'u' + 256)));
	sum = then(sum, index_in(text, locate(text + 20, 'w')));
	return result(then(sum, index_in(text, locate(text, 0))));
}

ENTRY(run_memcmp, memcmp)
ENTRY(run_memcmp, memcmp_nocfi)
ENTRY(run_memchr, memchr)
ENTRY(run_memchr, memchr_nocfi)
ENTRY(run_strlen, strlen)
ENTRY(run_strlen, strlen_nocfi)
ENTRY(run_strnlen, strnlen)
ENTRY(run_strnlen, strnlen_nocfi)
ENTRY(run_strcmp, strcmp)
ENTRY(run_strcmp, strcmp_nocfi)
ENTRY(run_strncmp, strncmp)
ENTRY(run_strncmp, strncmp_nocfi)
ENTRY(run_locate, strchr)
ENTRY(run_locate, strchr_nocfi)
ENTRY(run_locate, strrchr)
ENTRY(run_locate, strrchr_nocfi)
