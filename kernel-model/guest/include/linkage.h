/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Symbol macros for assembly, in four kinds as in the kernel:
 *   SYM_CODE_*       entry code and trampolines: no calling convention, no CFI unless written out
 *   SYM_FUNC_*       a function (starts with BTI C); no CFI unless the body writes it
 *   SYM_CFI_FUNC_*   a function whose body says how CFA, x29 and x30 move (.cfi_*)
 *   SYM_LEAF_FUNC_*  a function that moves neither SP nor LR: wrapped in .cfi_startproc/endproc, so
 *                    that .sframe says CFA = SP+0, RA = x30 for all of it (v6 of the series)
 */
#ifndef KW_LINKAGE_H
#define KW_LINKAGE_H

#define SYM_CODE_START(name)		\
	.globl name;			\
	.balign 4;			\
	.type name, %function;		\
name:

#define SYM_CODE_END(name)		\
	.size name, . - name

#define SYM_FUNC_START(name)		\
	.globl name;			\
	.balign 8;			\
	.type name, %function;		\
name:					\
	bti	c

#define SYM_FUNC_END(name)		\
	.size name, . - name

#define SYM_CFI_FUNC_START(name)	\
	.globl name;			\
	.balign 8;			\
	.type name, %function;		\
name:					\
	.cfi_startproc;			\
	bti	c

#define SYM_CFI_FUNC_END(name)		\
	.cfi_endproc;			\
	.size name, . - name

#define SYM_LEAF_FUNC_START(name)	SYM_CFI_FUNC_START(name)
#define SYM_LEAF_FUNC_END(name)		SYM_CFI_FUNC_END(name)

/* A label inside a function, visible to the host, that does not end the function's symbol. */
#define SYM_INNER_LABEL(name)		\
	.globl name;			\
	.type name, %notype;		\
name:

/* No kprobe here, as on the kernel's blacklist between __start_ and __stop_kprobe_blacklist. */
#define NOKPROBE(name)			\
	.pushsection "_kprobe_blacklist", "a";	\
	.balign 8;			\
	.quad name;			\
	.popsection

#endif
