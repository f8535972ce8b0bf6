/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Kprobes and kretprobes. The host arms them: it puts the breakpoint over the instruction, fills the
 * slot, and describes the probe in kprobe_table (and kretprobe_table). Code under test may then give
 * the armed probe a handler of its own with register_kprobe.
 */
#ifndef KW_KPROBES_H
#define KW_KPROBES_H

#include "task.h"

/* Immediates of BRK, arch/arm64/include/asm/brk-imm.h. */
#define KPROBES_BRK_IMM 4
#define KPROBES_BRK_SS_IMM 6
#define KRETPROBES_BRK_IMM 7

struct kretprobe;
struct kprobe;

typedef int (*kprobe_pre_handler_t)(struct kprobe *p, struct pt_regs *regs);

struct kprobe {
	u64 addr;   /* of the probed instruction; 0: not in use (or, in kprobe_current, any) */
	u64 slot;   /* where it is stepped; 0: it is simulated */
	u32 opcode; /* the instruction */
	kprobe_pre_handler_t pre_handler; /* non-zero: regs->pc was changed, nothing is stepped */
	struct kretprobe *rp;
};

struct kretprobe_instance {
	struct kretprobe_instance *next;
	u64 pad;
	u64 ret_addr;
	struct kretprobe *rp;
	u64 fp;
};

struct kretprobe {
	void (*handler)(struct kretprobe_instance *ri, struct pt_regs *regs);
	u64 trampoline;
};

KW_ASSERT_OFFSET(struct kprobe, slot, KW_KPROBE_SLOT);
KW_ASSERT_OFFSET(struct kprobe, opcode, KW_KPROBE_OPCODE);
KW_ASSERT_OFFSET(struct kprobe, pre_handler, KW_KPROBE_PRE_HANDLER);
KW_ASSERT_OFFSET(struct kprobe, rp, KW_KPROBE_KRETPROBE);
_Static_assert(sizeof(struct kprobe) == KW_KPROBE_SIZE, "struct kprobe");
KW_ASSERT_OFFSET(struct kretprobe, trampoline, KW_KRETPROBE_TRAMPOLINE);
_Static_assert(sizeof(struct kretprobe) == KW_KRETPROBE_SIZE, "struct kretprobe");
KW_ASSERT_OFFSET(struct kretprobe_instance, ret_addr, KW_KRETPROBE_INSTANCE_RET_ADDR);
KW_ASSERT_OFFSET(struct kretprobe_instance, fp, KW_KRETPROBE_INSTANCE_FP);

extern struct kprobe kprobe_table[KW_NR_KPROBES];
extern struct kretprobe kretprobe_table[KW_NR_KRETPROBES];
extern struct kprobe kprobe_current;
extern u8 kprobe_insn_slots[];

bool kprobe_brk_handler(struct pt_regs *regs, u64 esr);
bool kprobe_ss_brk_handler(struct pt_regs *regs, u64 esr);
bool kretprobe_brk_handler(struct pt_regs *regs, u64 esr);

/* Give an armed probe a handler. 0, or -22 where no probe is armed. */
int register_kprobe(u64 addr, kprobe_pre_handler_t pre_handler);
void unregister_kprobe(u64 addr);

/* Carry out an instruction that depends on its own address. */
void arch_simulate_insn(u32 opcode, u64 addr, struct pt_regs *regs);

/* The two trampolines: one BRK, and the older one that saves a pt_regs. */
void __kretprobe_trampoline(void);
void __kretprobe_trampoline_regs(void);

#endif
