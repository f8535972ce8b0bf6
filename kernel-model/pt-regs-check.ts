/**
 * Whether the registers that entry code has saved are those that the CPU had when the exception was
 * taken. The walk that the handler asks for begins with them, and so does everything else that a kernel
 * does with pt_regs. Truth is a copy of the CPU's registers; entry code has no part in it.
 *
 * Compared are x0 to x30, SP, PC and PSTATE, the metadata record, zeros included, and the priority mask
 * where the kernel saves it. Not compared are orig_x0 and syscallno, which the kernel sets for system calls
 * only, and sdei_ttbr1, which belongs to another address space. An SDEI event has its own pt_regs: x0 to
 * x3 stay with the firmware, and a plain record {x29, PC} on the event's stack takes the place of the
 * metadata record. All facts: docs/kernel-facts.md, "struct pt_regs" and "Exceptions at EL1".
 */
import type { Address } from '../base/address.js';
import { GENERAL_REGISTERS, Reg, registerName, type RegisterFile } from '../emulator/registers.js';
import { Kind } from './exception-kind.js';
import { FRAME_RECORD_META_PT_REGS, PT_REGS_SIZE, S_PMR, S_STACKFRAME } from './kernel-image.js';
import type { Machine } from './machine.js';
import { fillWithPoison, poisonKey } from './poison.js';
import { type GuestStack, type KernelStacks, StackSlot } from './stacks.js';

/** What is saved besides the general registers, which come first in the order of `Reg`. */
export const SavedField = {
  NONE: -1,
  PMR: GENERAL_REGISTERS,
  RECORD_FP: GENERAL_REGISTERS + 1,
  RECORD_LR: GENERAL_REGISTERS + 2,
  RECORD_TYPE: GENERAL_REGISTERS + 3,
} as const;

/** Indices of 32-bit words in a pt_regs. */
const PMR_WORD = S_PMR >> 2;
const RECORD_WORD = S_STACKFRAME >> 2;
const PT_REGS_WORDS = PT_REGS_SIZE >> 2;
/** Words of x0 to x3, which the firmware keeps during an SDEI event. */
const FIRMWARE_WORDS = 8;
/** Bytes of a plain frame record. */
const RECORD_SIZE = 16;

/** An exception, and what the CPU was when it was taken. */
export interface TakenContext {
  readonly kind: number;
  /** The registers that it interrupted. */
  readonly interrupted: RegisterFile;
  /** SDEI events that the interrupted context was inside of. */
  readonly sdeiLevel: number;
  /** The interrupt controller's priority mask then. */
  readonly priorityMask: number;
}

/** Looks at the saved registers of one machine's exceptions. */
export class PtRegsCheck {
  /** Changes the poison of every point. */
  seed = 0;
  /** After {@link compare} has found a difference: what is saved, and what the CPU had, as two words each. */
  valueLow = 0;
  valueHigh = 0;
  truthLow = 0;
  truthHigh = 0;
  /** The words that hold the pt_regs of the last {@link locate}, and the index of the first. */
  private words: Uint32Array = new Uint32Array(0);
  private at = 0;
  /** The same of an SDEI event's plain record. */
  private recordWords: Uint32Array = new Uint32Array(0);
  private recordAt = 0;
  /** A kernel that was not booted does not mask by priority: as linked, it skips the store. */
  private readonly savesPmr: boolean;

  constructor(
    private readonly machine: Machine,
    private readonly stacks: KernelStacks,
  ) {
    this.savesPmr = machine.kernel.unbooted === undefined;
  }

  /** What {@link poison} wants to know of the registers; the same for every kind of exception. */
  keyOf(interrupted: RegisterFile): number {
    return poisonKey(interrupted, this.seed);
  }

  /**
   * Fill the places that entry code is about to store to. Nothing that is live lies there.
   * @param key of {@link keyOf}
   */
  poison(context: TakenContext, key: number): void {
    if (!this.locate(context)) return;
    const { words, at, recordWords, recordAt } = this;
    const mixed = key ^ (context.kind << 24);
    fillWithPoison(words, at, at + PT_REGS_WORDS, mixed);
    if (context.kind === Kind.SDEI) {
      fillWithPoison(recordWords, recordAt, recordAt + RECORD_SIZE / 4, ~mixed);
    }
  }

  /**
   * The first thing saved that is not what the CPU had: an index in the order of `Reg`, or one of
   * {@link SavedField}; NONE when there is no difference.
   * @param skipped a register that a handler has changed on purpose, or NONE
   */
  compare(context: TakenContext, skipped: number = SavedField.NONE): number {
    if (!this.locate(context)) return SavedField.NONE;
    const { words, at } = this;
    const sdei = context.kind === Kind.SDEI;
    const truth = context.interrupted.words;
    for (let i = sdei ? FIRMWARE_WORDS : 0; i < 2 * GENERAL_REGISTERS; i++) {
      if (words[at + i] === truth[i] || i >> 1 === skipped) continue;
      const low = i & ~1;
      this.keep(words, at + low, truth[low] as number, truth[low + 1] as number);
      return i >> 1;
    }
    return sdei ? this.comparePlainRecord(truth) : this.compareRecord(context.priorityMask);
  }

  private compareRecord(priorityMask: number): number {
    const { words, at } = this;
    if (this.savesPmr && words[at + PMR_WORD] !== priorityMask) {
      this.keep(words, at + PMR_WORD, priorityMask, 0);
      this.valueHigh = 0;
      return SavedField.PMR;
    }
    const record = at + RECORD_WORD;
    if (this.differs(words, record, 0, 0)) return SavedField.RECORD_FP;
    if (this.differs(words, record + 2, 0, 0)) return SavedField.RECORD_LR;
    return this.differs(words, record + 4, FRAME_RECORD_META_PT_REGS, 0)
      ? SavedField.RECORD_TYPE
      : SavedField.NONE;
  }

  private comparePlainRecord(truth: Uint32Array): number {
    const { recordWords: words, recordAt: at } = this;
    const fpLow = truth[2 * Reg.X29] as number;
    const fpHigh = truth[2 * Reg.X29 + 1] as number;
    if (this.differs(words, at, fpLow, fpHigh)) return SavedField.RECORD_FP;
    const pcLow = truth[2 * Reg.PC] as number;
    const pcHigh = truth[2 * Reg.PC + 1] as number;
    return this.differs(words, at + 2, pcLow, pcHigh) ? SavedField.RECORD_LR : SavedField.NONE;
  }

  private differs(words: Uint32Array, at: number, low: number, high: number): boolean {
    if (words[at] === low && words[at + 1] === high) return false;
    this.keep(words, at, low, high);
    return true;
  }

  private keep(words: Uint32Array, at: number, low: number, high: number): void {
    this.valueLow = words[at] as number;
    this.valueHigh = words[at + 1] as number;
    this.truthLow = low;
    this.truthHigh = high;
  }

  /** The saved value of a general register, as an address; NaN where there is no memory. */
  savedRegister(context: TakenContext, register: number): Address {
    if (!this.locate(context)) return NaN;
    const at = this.at + 2 * register;
    return ((this.words[at + 1] as number) | 0) * 4294967296 + (this.words[at] as number);
  }

  /** Find the pt_regs of an exception. False where there is no memory: then its stores fail, too. */
  private locate({ kind, interrupted, sdeiLevel }: TakenContext): boolean {
    const { roles } = this.machine.kernel;
    if (kind === Kind.SDEI) {
      const event = sdeiLevel === 0 ? roles.sdeiNormalEvent : roles.sdeiCriticalEvent;
      const slot = sdeiLevel === 0 ? StackSlot.SDEI_NORMAL : StackSlot.SDEI_CRITICAL;
      const stack = this.stacks.all[slot] as GuestStack;
      this.recordWords = stack.words;
      this.recordAt = (stack.high - RECORD_SIZE - stack.low) >>> 2;
      return this.locateInRegion(event);
    }
    // Every vector reserves pt_regs below the interrupted SP, whichever stack that is on.
    const sp = interrupted.get(Reg.SP);
    const low = sp - PT_REGS_SIZE;
    const stack = this.stacks.all[this.stacks.slotOf(sp)];
    if (stack === undefined || low < stack.low) return this.locateInRegion(low);
    this.words = stack.words;
    this.at = (low - stack.low) >>> 2;
    return true;
  }

  private locateInRegion(low: Address): boolean {
    const region = this.machine.memory.regionAt(low);
    if (region === undefined || low + PT_REGS_SIZE > region.high) return false;
    this.words = region.words;
    this.at = (low - region.low) >>> 2;
    return true;
  }
}

const FIELD_NAMES = ['pmr', 'record.fp', 'record.lr', 'record.type'];

/** The name of what {@link PtRegsCheck.compare} has found: `x19`, `pstate`, `record.type`. */
export function savedFieldName(field: number): string {
  return FIELD_NAMES[field - GENERAL_REGISTERS] ?? registerName(field);
}
