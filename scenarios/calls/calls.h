/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the compiled call shapes share. SHAPE keeps a function out of every interprocedural
 * optimisation; HIDE makes a value unknown to the compiler, so that it cannot fold a call away.
 */
#ifndef CALLS_H
#define CALLS_H

typedef unsigned long u64;
typedef unsigned char u8;

#define SHAPE __attribute__((noipa))
#define HIDE(value) __asm__ volatile("" : "+r"(value))
/* The compiler must assume that the memory at `pointer` is read and written here. */
#define TOUCH(pointer) __asm__ volatile("" : : "r"(pointer) : "memory")

#endif
