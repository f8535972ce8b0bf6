/** The state of one walk (struct kunwind_state, v7.3-rc7), and the kernel that is unwound. */

import { AccessibleStacks } from './accessible-stacks.js';
import { type Address } from '../base/address.js';
import { PT_REGS_FP, PT_REGS_PC, PT_REGS_SP } from './frame-record.js';
import { type GraphReturnStack } from './graph-return-stack.js';
import { type KretprobeInstances } from './kretprobe-instances.js';
import { type StackInfo } from './stack-info.js';
import { type RuleArrays } from './unwind-rule.js';
import { SDEI_RECORD, SOURCE_CALLER, SOURCE_REGS_PC } from './walk-reason.js';
import { HOW_PT_REGS, HOW_START } from './walk-result.js';
import { type WalkStart } from './walk-start.js';

/** What the unwinder reads of a task besides its stacks. */
export interface UnwindTask {
  /** The task is `current`: the walk may read the CPU's stacks, and WARNs are raised. */
  readonly isCurrent: boolean;
  /** In NMI context (pseudo-NMI or SDEI): the walk may also read the SDEI stacks. */
  readonly inNmi: boolean;
  /**
   * &task_pt_regs(task)->stackframe, in the task's stack: the only valid place of a FINAL record.
   */
  readonly finalRecord: Address;
  readonly graph: GraphReturnStack;
  readonly kretprobes: KretprobeInstances;
}

/** Finds the unwind rule of a PC: a RuleTable, or a stand-in with the same arrays. */
export interface RuleFinder extends RuleArrays {
  /** Index of the rule for `pc`, or -1. */
  find(pc: Address): number;
}

/** An address that no PC has, for kernels without the trampoline. */
const NO_TRAMPOLINE: Address = Infinity;

/** The kernel that is unwound, fixed for the life of a walker. */
export interface UnwindEnvironment {
  /** All stacks, including those of blocked tasks. They must not overlap. */
  readonly stacks: readonly StackInfo[];
  readonly rules: RuleFinder;
  /**
   * return_to_handler: its first byte and one past its last, or NO_TRAMPOLINE twice. `popped` is
   * the first instruction at which the entry is off the return stack and x30 holds the address
   * instead; absent in a kernel that does not label it.
   */
  readonly returnToHandler: {
    readonly low: Address;
    readonly high: Address;
    readonly popped?: Address;
  };
  /** __sdei_asm_handler: its first byte and one past its last; absent in a kernel without SDEI. */
  readonly sdeiHandler?: { readonly low: Address; readonly high: Address };
  /** The kretprobe trampolines: none, one, or the older one as well. */
  readonly kretprobeTrampolines: readonly Address[];
}

/** Slots of {@link WalkState.at}. */
export const PC = 0;
export const FP = 1;
/** Only sframe-v5 uses it anywhere but right after the registers that it comes from. */
export const SP = 2;
/** Address that pc was loaded from; NaN when pc comes from a register or is that of the start. */
export const SLOT = 3;

const NO_REGS: Uint32Array = new Uint32Array(0);

export class WalkState {
  /** pc, fp, sp, slot. An array, because storing a double to a field may allocate. */
  readonly at = new Float64Array(4);
  /** Low words of fp and sp, for exact alignment tests where the number has lost its low bits. */
  fpLow = 0;
  spLow = 0;
  source = SOURCE_CALLER;
  /**
   * Words of the current pt_regs, valid while `regsIndex` >= 0; -1 is the kernel's regs == NULL.
   */
  regs = NO_REGS;
  regsIndex = -1;
  graphIndex = 0;
  kretprobeCursor = -1;
  /** Reason code of the first failure that made the walk unreliable, or 0. */
  mark = 0;
  warned = 0;
  /** The walk has left an SDEI handler, under a policy that does not trust its record. */
  beyondSdei = false;
  /** HOW_ code and SFrame rule by which `pc` was found; rule -1 for none. */
  how = HOW_START;
  rule = -1;

  readonly stacks: AccessibleStacks;
  readonly rules: RuleFinder;
  readonly trampolineLow: Address;
  readonly trampolineSize: number;
  /** Bytes into the trampoline at which x30 holds the address; the trampoline's size if nowhere. */
  readonly trampolinePopped: number;
  readonly sdeiLow: Address;
  readonly sdeiSize: number;
  readonly kretprobeTrampoline: Address;
  readonly olderKretprobeTrampoline: Address;

  constructor(environment: UnwindEnvironment) {
    const { returnToHandler } = environment;
    this.stacks = new AccessibleStacks(environment.stacks);
    this.rules = environment.rules;
    this.trampolineLow = returnToHandler.low;
    this.trampolineSize =
      returnToHandler.low === NO_TRAMPOLINE ? 0 : returnToHandler.high - returnToHandler.low;
    this.trampolinePopped =
      returnToHandler.popped === undefined
        ? this.trampolineSize
        : returnToHandler.popped - returnToHandler.low;
    const { sdeiHandler } = environment;
    this.sdeiLow = sdeiHandler?.low ?? NO_TRAMPOLINE;
    this.sdeiSize = sdeiHandler === undefined ? 0 : sdeiHandler.high - sdeiHandler.low;
    const [kretprobe = NO_TRAMPOLINE, older = NO_TRAMPOLINE] = environment.kretprobeTrampolines;
    this.kretprobeTrampoline = kretprobe;
    this.olderKretprobeTrampoline = older;
  }

  /** Resets the state for a new walk. */
  begin(start: WalkStart, task: UnwindTask): void {
    this.stacks.open(task.finalRecord, task.isCurrent, task.inNmi);
    const { at } = this;
    at[PC] = start.at[PC] as number;
    at[FP] = start.at[FP] as number;
    at[SP] = start.at[SP] as number;
    at[SLOT] = NaN;
    this.fpLow = start.fpLow;
    this.spLow = start.spLow;
    this.source = start.source;
    this.regs = start.regs;
    this.regsIndex = start.regsIndex;
    this.graphIndex = 0;
    this.kretprobeCursor = -1;
    this.mark = 0;
    this.warned = 0;
    this.beyondSdei = false;
    this.how = HOW_START;
    this.rule = -1;
  }

  /**
   * Sets pc from two words, without the pointer authentication code (XPACLRI: bits 63:48 become
   * bit 55). Stripping the words comes first, because a number does not hold a signed address.
   */
  setPc(hi: number, lo: number): void {
    const stripped = (hi & 0x800000) !== 0 ? hi | 0xffff0000 : hi & 0xffff;
    this.at[PC] = stripped * 4294967296 + (lo >>> 0);
  }

  setFp(hi: number, lo: number): void {
    this.fpLow = lo | 0;
    this.at[FP] = (hi | 0) * 4294967296 + (lo >>> 0);
  }

  /** Continues from the struct pt_regs that begins at `words[index]`. */
  setRegs(words: Uint32Array, index: number): void {
    this.regs = words;
    this.regsIndex = index;
    this.setPc(
      words[index + 2 * PT_REGS_PC + 1] as number,
      words[index + 2 * PT_REGS_PC] as number,
    );
    this.setFp(
      words[index + 2 * PT_REGS_FP + 1] as number,
      words[index + 2 * PT_REGS_FP] as number,
    );
    const spLow = (words[index + 2 * PT_REGS_SP] as number) | 0;
    this.spLow = spLow;
    this.at[SP] = ((words[index + 2 * PT_REGS_SP + 1] as number) | 0) * 4294967296 + (spLow >>> 0);
    this.source = SOURCE_REGS_PC;
    this.how = HOW_PT_REGS;
  }

  /** Records a WARN_ON_ONCE, the first of a walk only. */
  warn(code: number): void {
    if (this.warned === 0 && !this.beyondSdei) this.warned = code;
  }

  /**
   * Call before a step from {@link PC}: a step out of an SDEI handler makes the walk unreliable.
   */
  leaveSdei(): void {
    const into = (this.at[PC] as number) - this.sdeiLow;
    if (into < 0 || into >= this.sdeiSize) return;
    this.beyondSdei = true;
    if (this.mark === 0) this.mark = SDEI_RECORD;
  }
}
