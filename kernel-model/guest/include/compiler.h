/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Types and attributes that guest and scenario C share. */
#ifndef KW_COMPILER_H
#define KW_COMPILER_H

typedef unsigned char u8;
typedef unsigned int u32;
typedef int s32;
typedef unsigned long u64;
typedef long s64;
typedef _Bool bool;

#define true 1
#define false 0
#define NULL ((void *)0)

#define noinline __attribute__((__noinline__))
#define __always_inline inline __attribute__((__always_inline__))
/* Neither inlined, cloned nor analysed: a call to it stays a call with all its arguments. */
#define opaque __attribute__((__noipa__))
#define __section(name) __attribute__((__section__(name)))
#define __aligned(n) __attribute__((__aligned__(n)))
#define noreturn __attribute__((__noreturn__))

/* Linux's text sections. */
#define noinstr noinline __section(".noinstr.text")
#define __kprobes __section(".kprobes.text")
#define __irq_entry noinline __section(".irqentry.text")
#define __sched __section(".sched.text")

#define __KW_STRING(x) #x
#define KW_STRING(x) __KW_STRING(x)

#define barrier() __asm__ volatile("" : : : "memory")
#define READ_ONCE(x) (*(const volatile __typeof__(x) *)&(x))
#define WRITE_ONCE(x, v) (*(volatile __typeof__(x) *)&(x) = (v))

#endif
