/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Entries of the routines that write memory: each calls one routine with lengths that take
 * every branch of it, and returns a checksum of what is in memory then.
 */
#include "entries.h"

typedef void *move_routine(void *to, const void *from, u64 length);
typedef void *set_routine(void *to, int byte, u64 length);

move_routine leaf_memcpy, leaf_memcpy_nocfi, leaf_memcpy_moves_lr;
move_routine leaf_memmove, leaf_memmove_nocfi;
set_routine leaf_memset, leaf_memset_nocfi;
set_routine leaf_memset_moves_sp, leaf_memset_spills_lr, leaf_memset_spills_fp;
void leaf_copy_page(void *to, const void *from);
void leaf_copy_page_nocfi(void *to, const void *from);
void leaf_arx_block(void *to, const void *from, u64 rounds);
void leaf_arx_block_nocfi(void *to, const void *from, u64 rounds);

INLINE u64 run_memcpy(move_routine *copy)
{
	u64 words[40];
	u8 *bytes = (u8 *)words;
	u64 offsets;

	pattern(words, 40);
	/* 127 = 64 + 3 * 16 + 15, 80 = 64 + 16 */
	offsets = (u8 *)copy(bytes, bytes + 160, 0) - bytes;
	offsets += (u8 *)copy(bytes + 1, bytes + 163, 127) - bytes;
	offsets += (u8 *)copy(bytes + 136, bytes + 16, 80) - bytes;
	offsets += (u8 *)copy(bytes + 229, bytes + 4, 21) - bytes;
	return checksum(words, 40) + offsets;
}

INLINE u64 run_memmove(move_routine *move)
{
	u64 words[40];
	u8 *bytes = (u8 *)words;
	u64 offsets;

	pattern(words, 40);
	/* Apart, overlapping upwards, overlapping downwards (with and without rest), in place. */
	offsets = (u8 *)move(bytes + 200, bytes + 8, 83) - bytes;
	offsets += (u8 *)move(bytes + 3, bytes + 10, 111) - bytes;
	offsets += (u8 *)move(bytes + 75, bytes + 61, 63) - bytes;
	offsets += (u8 *)move(bytes + 160, bytes + 152, 32) - bytes;
	offsets += (u8 *)move(bytes + 20, bytes + 20, 0) - bytes;
	return checksum(words, 40) + offsets;
}

INLINE u64 run_memset(set_routine *set)
{
	u64 words[24];
	u8 *bytes = (u8 *)words;
	u64 offsets;

	pattern(words, 24);
	offsets = (u8 *)set(bytes + 9, 0x15a, 95) - bytes;
	offsets += (u8 *)set(bytes + 112, 0, 64) - bytes;
	offsets += (u8 *)set(bytes + 181, 0xff, 5) - bytes;
	offsets += (u8 *)set(bytes, 1, 0) - bytes;
	return checksum(words, 24) + offsets;
}

static u64 pages[2][512] __attribute__((aligned(4096)));

/* One word of every 64-byte line is written and looked at, each time another one. */
INLINE u64 run_copy_page(void (*copy)(void *, const void *))
{
	u64 sum = 0;

	for (u64 line = 0; line < 64; line++) {
		u64 at = line * 8 + (line * 3 & 7);

		pages[0][at] = line * 0x9e3779b97f4a7c15;
		pages[1][at] = 0;
	}
	copy(pages[1], pages[0]);
	for (u64 line = 0; line < 64; line++)
		sum = (sum ^ pages[1][line * 8 + (line * 3 & 7)]) * 0x100000001b3;
	return sum >> 32;
}

INLINE u64 run_arx_block(void (*block)(void *, const void *, u64))
{
	u64 input[8], output[8];

	pattern(input, 8);
	block(output, input, 4);
	block(input, output, 1);
	return checksum(input, 8) ^ checksum(output, 8);
}

ENTRY(run_memcpy, memcpy)
ENTRY(run_memcpy, memcpy_nocfi)
ENTRY(run_memcpy, memcpy_moves_lr)
ENTRY(run_memmove, memmove)
ENTRY(run_memmove, memmove_nocfi)
ENTRY(run_memset, memset)
ENTRY(run_memset, memset_nocfi)
ENTRY(run_memset, memset_moves_sp)
ENTRY(run_memset, memset_spills_lr)
ENTRY(run_memset, memset_spills_fp)
ENTRY(run_copy_page, copy_page)
ENTRY(run_copy_page, copy_page_nocfi)
ENTRY(run_arx_block, arx_block)
ENTRY(run_arx_block, arx_block_nocfi)
