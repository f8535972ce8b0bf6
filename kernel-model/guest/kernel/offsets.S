/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every layout constant of asm-offsets.h as an absolute symbol, so that the host reads them from the
 * ELF. The quoted name keeps the preprocessor from replacing the symbol by its value.
 */
#include "asm-offsets.h"

.macro offset name:req, value:req
	.globl	\name
	.set	\name, \value
.endm

	offset	"TSK_TI_FLAGS", TSK_TI_FLAGS
	offset	"TSK_TI_PREEMPT", TSK_TI_PREEMPT
	offset	"TSK_TI_CPU", TSK_TI_CPU
	offset	"TSK_STACK", TSK_STACK
	offset	"THREAD_CPU_CONTEXT", THREAD_CPU_CONTEXT
	offset	"S_X0", S_X0
	offset	"S_X2", S_X2
	offset	"S_X4", S_X4
	offset	"S_X6", S_X6
	offset	"S_X8", S_X8
	offset	"S_X10", S_X10
	offset	"S_X12", S_X12
	offset	"S_X14", S_X14
	offset	"S_X16", S_X16
	offset	"S_X18", S_X18
	offset	"S_X20", S_X20
	offset	"S_X22", S_X22
	offset	"S_X24", S_X24
	offset	"S_X26", S_X26
	offset	"S_X28", S_X28
	offset	"S_FP", S_FP
	offset	"S_LR", S_LR
	offset	"S_SP", S_SP
	offset	"S_PC", S_PC
	offset	"S_PSTATE", S_PSTATE
	offset	"S_SYSCALLNO", S_SYSCALLNO
	offset	"S_PMR", S_PMR
	offset	"S_SDEI_TTBR1", S_SDEI_TTBR1
	offset	"S_STACKFRAME", S_STACKFRAME
	offset	"S_STACKFRAME_TYPE", S_STACKFRAME_TYPE
	offset	"PT_REGS_SIZE", PT_REGS_SIZE
	offset	"FREGS_X0", FREGS_X0
	offset	"FREGS_X2", FREGS_X2
	offset	"FREGS_X4", FREGS_X4
	offset	"FREGS_X6", FREGS_X6
	offset	"FREGS_X8", FREGS_X8
	offset	"FREGS_DIRECT_TRAMP", FREGS_DIRECT_TRAMP
	offset	"FREGS_FP", FREGS_FP
	offset	"FREGS_LR", FREGS_LR
	offset	"FREGS_SP", FREGS_SP
	offset	"FREGS_PC", FREGS_PC
	offset	"FREGS_SIZE", FREGS_SIZE
	offset	"SDEI_EVENT_INTREGS", SDEI_EVENT_INTREGS
	offset	"SDEI_EVENT_PRIORITY", SDEI_EVENT_PRIORITY
	offset	"KW_TSK_CURR_RET_STACK", KW_TSK_CURR_RET_STACK
	offset	"KW_TSK_CURR_RET_DEPTH", KW_TSK_CURR_RET_DEPTH
	offset	"KW_TSK_RET_STACK", KW_TSK_RET_STACK
	offset	"KW_TSK_SIZE", KW_TSK_SIZE
	offset	"KW_RET_STACK_RET", KW_RET_STACK_RET
	offset	"KW_RET_STACK_FUNC", KW_RET_STACK_FUNC
	offset	"KW_RET_STACK_FP", KW_RET_STACK_FP
	offset	"KW_RET_STACK_RETP", KW_RET_STACK_RETP
	offset	"KW_RET_STACK_TYPE", KW_RET_STACK_TYPE
	offset	"KW_RET_STACK_ENTRY_WORDS", KW_RET_STACK_ENTRY_WORDS
	offset	"KW_RET_STACK_WORDS", KW_RET_STACK_WORDS
	offset	"KW_HARDIRQ_OFFSET", KW_HARDIRQ_OFFSET
	offset	"KW_HARDIRQ_MASK", KW_HARDIRQ_MASK
	offset	"KW_NMI_OFFSET", KW_NMI_OFFSET
	offset	"KW_NMI_MASK", KW_NMI_MASK
	offset	"KW_THREAD_SHIFT", KW_THREAD_SHIFT
	offset	"KW_THREAD_SIZE", KW_THREAD_SIZE
	offset	"KW_IRQ_STACK_SIZE", KW_IRQ_STACK_SIZE
	offset	"KW_SDEI_STACK_SIZE", KW_SDEI_STACK_SIZE
	offset	"KW_OVERFLOW_STACK_SIZE", KW_OVERFLOW_STACK_SIZE
	offset	"KW_GIC_PRIO_IRQON", KW_GIC_PRIO_IRQON
	offset	"KW_GIC_PRIO_IRQOFF", KW_GIC_PRIO_IRQOFF
	offset	"KW_GIC_PRIO_ENTRY", KW_GIC_PRIO_ENTRY
	offset	"KW_GIC_PENDING_IRQ", KW_GIC_PENDING_IRQ
	offset	"KW_GIC_PENDING_NMI", KW_GIC_PENDING_NMI
	offset	"KW_FRAME_META_FINAL", KW_FRAME_META_FINAL
	offset	"KW_FRAME_META_PT_REGS", KW_FRAME_META_PT_REGS
