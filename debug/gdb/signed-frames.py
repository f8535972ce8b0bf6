# SPDX-License-Identifier: GPL-2.0-or-later
"""Frames of functions that sign their return address, for gdb 11 to 13.

Those know pointer authentication of user space only: they clear the bits of the code, which a kernel
address has set. From 14 on gdb reads the masks that the server describes, and this does nothing. As
gdb's own analysis, it reads a function from its start to the PC or the first branch.
"""

import re

import gdb
import gdb.unwinder

SIGN = (0xD503233F, 0xD503237F)  # paciasp, pacibsp
STRIP = (0xD50323BF, 0xD50323FF)  # autiasp, autibsp
RETURN = (0xD65F03C0, 0xD65F0BFF, 0xD65F0FFF)  # ret, retaa, retab
FP, LR, SP = 29, 30, 31


def signed(value, bits):
    return value - (1 << bits) if value >> (bits - 1) else value


def strip(address):
    """Bits 63:48 become copies of bit 55, as XPACLRI makes them."""
    low = address & ((1 << 48) - 1)
    return low | 0xFFFF << 48 if address >> 55 & 1 else low


class Prologue:
    """Where a function that has come to `pc` has its CFA, its caller's x29 and return address."""

    def __init__(self, start, pc, read_word):
        self.signed = False
        self.base = SP
        self.cfa = 0  # from the base register
        self.saved = {}  # register: offset from the CFA
        for at in range(start, pc, 4):
            word = read_word(at)
            if word in SIGN:
                self.signed = True
            elif word in STRIP:
                self.signed = False
            elif not self.moves(word) and self.branches(word):
                break
        # The frame is gone already when these are next.
        if read_word(pc) in STRIP + RETURN:
            self.base, self.cfa, self.saved = SP, 0, {}

    def moves(self, word):
        """Follow an instruction that sets up the frame."""
        if word & 0xFF8003FF == 0xD10003FF:  # sub sp, sp, #imm
            if self.base == SP:
                self.cfa += (word >> 10 & 0xFFF) << (12 * (word >> 22 & 1))
        elif word & 0xFFC003FF == 0x910003FD:  # add x29, sp, #imm; mov x29, sp
            if self.base == SP:
                self.base, self.cfa = FP, self.cfa - (word >> 10 & 0xFFF)
        elif word & 0xFE4003E0 == 0xA80003E0:  # stp of x registers at sp
            offset = 8 * signed(word >> 15 & 0x7F, 7)
            if self.base == SP:
                if word >> 23 & 3 == 3:  # pre-indexed
                    self.cfa, offset = self.cfa - offset, 0
                self.saved.setdefault(word & 31, offset - self.cfa)
                self.saved.setdefault(word >> 10 & 31, offset + 8 - self.cfa)
        else:
            return False
        return True

    @staticmethod
    def branches(word):
        return word & 0x1C000000 == 0x14000000


class SignedFrames(gdb.unwinder.Unwinder):
    def __init__(self):
        super().__init__("kunwind-signed-frames")

    def __call__(self, pending):
        try:
            return self.unwind(pending)
        except (gdb.error, ValueError):
            return None

    @staticmethod
    def unwind(pending):
        mask = (1 << 64) - 1
        kind = gdb.lookup_type("unsigned long")
        inferior = gdb.selected_inferior()

        def read(address, size):
            return int.from_bytes(inferior.read_memory(address, size), "little")

        def register(name):
            return int(pending.read_register(name)) & mask

        pc = register("pc")
        # A call that never returns is the last instruction of its function.
        inside = pc if pending.level() == 0 else pc - 4
        place = gdb.execute("info symbol %#x" % inside, to_string=True)
        match = re.match(r"\S+(?: \+ (\d+))? in section", place)
        if match is None:
            return None
        start = inside - int(match.group(1) or 0)
        prologue = Prologue(start, pc, lambda at: read(at, 4))
        if not prologue.signed:
            return None
        cfa = register("x29" if prologue.base == FP else "sp") + prologue.cfa & mask

        def caller(number):
            if number not in prologue.saved:
                return register("x%d" % number)
            return read(cfa + prologue.saved[number] & mask, 8)

        info = pending.create_unwind_info(FrameId(cfa, start))
        address = gdb.Value(strip(caller(LR))).cast(kind)
        info.add_saved_register("pc", address)
        info.add_saved_register("x30", address)
        info.add_saved_register("sp", gdb.Value(cfa).cast(kind))
        for number in range(19, 30):
            info.add_saved_register("x%d" % number, gdb.Value(caller(number)).cast(kind))
        return info


class FrameId:
    def __init__(self, sp, pc):
        kind = gdb.lookup_type("unsigned long")
        self.sp = gdb.Value(sp).cast(kind)
        self.pc = gdb.Value(pc).cast(kind)


if int(re.match(r"\D*(\d+)", gdb.VERSION).group(1)) < 14:
    gdb.unwinder.register_unwinder(None, SignedFrames(), replace=True)
