/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Structure offsets of v7.3-rc7, under the names the kernel's own build gives them. task.h asserts
 * that the C structures agree; kernel/offsets.S exports every one as an absolute ELF symbol.
 */
#ifndef KW_ASM_OFFSETS_H
#define KW_ASM_OFFSETS_H

#define TSK_TI_FLAGS 0
#define TSK_TI_PREEMPT 8
#define TSK_TI_CPU 16
#define TSK_STACK 32
#define THREAD_CPU_CONTEXT 2320

#define S_X0 0
#define S_X2 16
#define S_X4 32
#define S_X6 48
#define S_X8 64
#define S_X10 80
#define S_X12 96
#define S_X14 112
#define S_X16 128
#define S_X18 144
#define S_X20 160
#define S_X22 176
#define S_X24 192
#define S_X26 208
#define S_X28 224
#define S_FP 232
#define S_LR 240
#define S_SP 248
#define S_PC 256
#define S_PSTATE 264
#define S_SYSCALLNO 280
#define S_PMR 284
#define S_SDEI_TTBR1 288
#define S_STACKFRAME 296
#define S_STACKFRAME_TYPE 312
#define PT_REGS_SIZE 320

#define FREGS_X0 0
#define FREGS_X2 16
#define FREGS_X4 32
#define FREGS_X6 48
#define FREGS_X8 64
#define FREGS_DIRECT_TRAMP 72
#define FREGS_FP 80
#define FREGS_LR 88
#define FREGS_SP 96
#define FREGS_PC 104
#define FREGS_SIZE 112

/* struct sdei_registered_event: the event's own pt_regs come first. */
#define SDEI_EVENT_INTREGS 0
#define SDEI_EVENT_PRIORITY 340

/* The function-graph return stack: fields of task_struct (where 7.3-rc7 has them, too) ... */
#define KW_TSK_CURR_RET_STACK 2168
#define KW_TSK_CURR_RET_DEPTH 2172
#define KW_TSK_RET_STACK 2176
#define KW_TSK_KRETPROBE_INSTANCES 2312
#define KW_TSK_SIZE 2432
/* ... and an entry on it: four words, then its type word. Bytes; the index counts words. */
#define KW_RET_STACK_RET 0
#define KW_RET_STACK_FUNC 8
#define KW_RET_STACK_FP 16
#define KW_RET_STACK_RETP 24
#define KW_RET_STACK_TYPE 32
#define KW_RET_STACK_ENTRY_WORDS 5
#define KW_RET_STACK_WORDS 512

/* struct kprobe, kretprobe and kretprobe_instance; the host fills in the tables of the first two. */
#define KW_NR_KPROBES 16
#define KW_KPROBE_ADDR 0
#define KW_KPROBE_SLOT 8
#define KW_KPROBE_OPCODE 16
#define KW_KPROBE_PRE_HANDLER 24
#define KW_KPROBE_KRETPROBE 32
#define KW_KPROBE_SIZE 40
#define KW_NR_KRETPROBES 8
#define KW_KRETPROBE_HANDLER 0
#define KW_KRETPROBE_TRAMPOLINE 8
#define KW_KRETPROBE_SIZE 16
#define KW_KRETPROBE_INSTANCE_NEXT 0
#define KW_KRETPROBE_INSTANCE_RET_ADDR 16
#define KW_KRETPROBE_INSTANCE_FP 32
#define KW_NR_KRETPROBE_INSTANCES 32
/* Where a probed instruction is stepped: it, and the breakpoint after it. */
#define KW_KPROBE_SLOT_SIZE 16

/* preempt_count: eight bits each of preemption and softirq, IRQ-disable count, 4 of hardirq, 4 of NMI. */
#define KW_HARDIRQ_OFFSET 0x01000000
#define KW_HARDIRQ_MASK 0x0f000000
#define KW_NMI_OFFSET 0x10000000
#define KW_NMI_MASK 0xf0000000

/* Stacks. Aligned to twice their size, so that an overflow sets the SP bit that the vectors test. */
#define KW_THREAD_SHIFT 14
#define KW_THREAD_SIZE 16384
#define KW_IRQ_STACK_SIZE 16384
#define KW_SDEI_STACK_SIZE 16384
#define KW_OVERFLOW_STACK_SIZE 4096

/* gic_pmr, the priority mask: everything may come in; normal IRQs masked; in exception entry. */
#define KW_GIC_PRIO_IRQON 0xe0
#define KW_GIC_PRIO_IRQOFF 0xc0
#define KW_GIC_PRIO_ENTRY 0xf0

/* Bits of gic_iar, the pending interrupts. */
#define KW_GIC_PENDING_IRQ 1
#define KW_GIC_PENDING_NMI 2

#define KW_FRAME_META_FINAL 1
#define KW_FRAME_META_PT_REGS 2

#endif
