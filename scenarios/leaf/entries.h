/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the entry functions of the leaf routines share: the routines' declarations and a
 * checksum, so that one returned number proves every byte that was written.
 */
#ifndef ENTRIES_H
#define ENTRIES_H

typedef unsigned long u64;
typedef unsigned char u8;

#define SHAPE __attribute__((noipa))
#define INLINE static inline __attribute__((always_inline))
/* The compiler must assume that the memory at `pointer` is read and written here. */
#define TOUCH(pointer) __asm__ volatile("" : : "r"(pointer) : "memory")

/*
 * An entry calls one routine, by name, from a function with a frame record; `run` is inlined,
 * so the call is direct.
 */
#define ENTRY(run, routine)                                                                        \
	SHAPE u64 leaf_##routine##_entry(void)                                                     \
	{                                                                                          \
		return run(leaf_##routine);                                                        \
	}

/* 32-bit checksum of `count` words. */
INLINE u64 checksum(const u64 *words, u64 count)
{
	u64 sum = 0;

	TOUCH(words);
	for (u64 i = 0; i < count; i++)
		sum = (sum ^ words[i]) * 0x100000001b3;
	return sum >> 32;
}

/* Every word different, and every byte of it. */
INLINE void pattern(u64 *words, u64 count)
{
	u64 word = 0x0123456789abcdef;

	for (u64 i = 0; i < count; i++) {
		words[i] = word;
		word += 0x1d1b19170f0d0b07;
		TOUCH(words);
	}
}

#endif
