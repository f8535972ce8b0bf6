/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One body, two functions: `leaf_<name>` with the annotation of a leaf (CFA = SP, return
 * address in x30, so one row in `.sframe`) and `leaf_<name>_nocfi` with none, which is how
 * such routines stand in the kernel today. The bodies are macros named `<name>_body`.
 */

	.macro	OPEN name
	.text
	.p2align 4
	.globl	\name
	.type	\name, %function
\name:
	.endm

	.macro	CLOSE name
	.size	\name, . - \name
	.endm

/* The annotation, true for any function that moves neither SP nor x30 nor x29. */
	.macro	LEAF name, body
	OPEN	\name
	.cfi_startproc
	bti	c
	\body
	.cfi_endproc
	CLOSE	\name
	.endm

	.macro	NOCFI name, body
	OPEN	\name
	bti	c
	\body
	CLOSE	\name
	.endm

	.macro	BOTH name
	LEAF	leaf_\name, \name\()_body
	NOCFI	leaf_\name\()_nocfi, \name\()_body
	.endm
