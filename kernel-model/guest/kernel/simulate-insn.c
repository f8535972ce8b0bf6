// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Instructions that cannot be stepped elsewhere, because they read or write the PC, carried out on
 * saved registers. Which ones: Arm ARM C4.1.66 (branches), C4.1.65 (PC-relative addressing), C4.1.88
 * (load literal). What Linux simulates: arch/arm64/kernel/probes/decode-insn.c, v7.3-rc7.
 */
#include "kprobes.h"

#define PSTATE_N (1UL << 31)
#define PSTATE_Z (1UL << 30)
#define PSTATE_C (1UL << 29)
#define PSTATE_V (1UL << 28)

static __always_inline u64 get_x(const struct pt_regs *regs, u32 n)
{
	return n == 31 ? 0 : regs->regs[n];
}

static __always_inline void set_x(struct pt_regs *regs, u32 n, u64 value)
{
	if (n != 31)
		regs->regs[n] = value;
}

/* The field of `bits` bits from bit `low` on, signed. */
static __always_inline s64 field(u32 opcode, u32 low, u32 bits)
{
	return (s64)((u64)opcode << (64 - low - bits)) >> (64 - bits);
}

/* Arm ARM, pseudocode ConditionHolds. */
static __always_inline bool condition_holds(u32 condition, u64 pstate)
{
	bool n = pstate & PSTATE_N, z = pstate & PSTATE_Z, c = pstate & PSTATE_C, v = pstate & PSTATE_V;
	bool holds;

	switch (condition >> 1) {
	case 0:
		holds = z;
		break;
	case 1:
		holds = c;
		break;
	case 2:
		holds = n;
		break;
	case 3:
		holds = v;
		break;
	case 4:
		holds = c && !z;
		break;
	case 5:
		holds = n == v;
		break;
	case 6:
		holds = n == v && !z;
		break;
	default:
		return true;
	}
	return (condition & 1) ? !holds : holds;
}

/* CBZ, CBNZ, TBZ, TBNZ: is the branch taken? */
static __always_inline bool compare_taken(u32 opcode, u64 value)
{
	bool wants_nonzero = opcode & (1u << 24);

	if ((opcode & 0x7e000000) == 0x34000000) {
		if (!(opcode >> 31))
			value = (u32)value;
	} else {
		value = (value >> (((opcode >> 26) & 0x20) | ((opcode >> 19) & 0x1f))) & 1;
	}
	return (value != 0) == wants_nonzero;
}

__kprobes noinline void arch_simulate_insn(u32 opcode, u64 addr, struct pt_regs *regs)
{
	u64 next = addr + 4;
	u32 rd = opcode & 0x1f;

	if ((opcode & 0x7c000000) == 0x14000000) { /* B, BL */
		if (opcode >> 31)
			regs->regs[30] = next;
		next = addr + 4 * field(opcode, 0, 26);
	} else if ((opcode & 0xff000010) == 0x54000000) { /* B.cond */
		if (condition_holds(opcode & 0xf, regs->pstate))
			next = addr + 4 * field(opcode, 5, 19);
	} else if ((opcode & 0xff9ffc1f) == 0xd61f0000) { /* BR, BLR, RET */
		next = get_x(regs, (opcode >> 5) & 0x1f);
		if (((opcode >> 21) & 3) == 1)
			regs->regs[30] = addr + 4;
	} else if ((opcode & 0x7e000000) == 0x34000000) { /* CBZ, CBNZ */
		if (compare_taken(opcode, get_x(regs, rd)))
			next = addr + 4 * field(opcode, 5, 19);
	} else if ((opcode & 0x7e000000) == 0x36000000) { /* TBZ, TBNZ */
		if (compare_taken(opcode, get_x(regs, rd)))
			next = addr + 4 * field(opcode, 5, 14);
	} else if ((opcode & 0x1f000000) == 0x10000000) { /* ADR, ADRP */
		s64 offset = (field(opcode, 5, 19) * 4) | ((opcode >> 29) & 3);

		set_x(regs, rd, opcode >> 31 ? (addr & ~0xfffUL) + (u64)offset * 4096 : addr + offset);
	} else if ((opcode & 0xbf000000) == 0x18000000) { /* LDR literal, of 32 or 64 bits */
		u64 from = addr + 4 * field(opcode, 5, 19);

		set_x(regs, rd, opcode & (1u << 30) ? *(u64 *)from : *(u32 *)from);
	} else if ((opcode & 0xff000000) == 0x98000000) { /* LDRSW literal */
		set_x(regs, rd, (u64)(s64) * (s32 *)(addr + 4 * field(opcode, 5, 19)));
	}
	/* Otherwise a NOP. */
	regs->pc = next;
}
