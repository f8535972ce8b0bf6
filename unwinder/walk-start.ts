/** Where a walk starts (kunwind_init_from_caller, _task and _regs; v7.3-rc7). */

import { type Address, addressFromWords } from '../base/address.js';
import { PT_REGS_FP, PT_REGS_PC, PT_REGS_SP } from './frame-record.js';
import { SOURCE_CALLER, SOURCE_REGS_PC, SOURCE_TASK } from './walk-reason.js';

const NO_REGS: Uint32Array = new Uint32Array(0);

/**
 * The start of a walk. Reusable: fill it before each walk. Addresses given as numbers must be
 * canonical. The kernel never has a signed one here: its own return address was stripped, and that
 * of a blocked task is a bare `bl` result.
 */
export class WalkStart {
  /** pc, fp, sp. */
  readonly at = new Float64Array(3);
  /** Low words of fp and sp for the alignment tests: exact even when x29 holds garbage. */
  fpLow = 0;
  spLow = 0;
  source = SOURCE_CALLER;
  /** The struct pt_regs to start from: `regs[regsIndex]` is the low word of x0. -1 for none. */
  regs = NO_REGS;
  regsIndex = -1;

  /**
   * Starts at the caller of the function that asked for the walk.
   *
   * @param pc the return address of that function
   * @param fp its caller's frame pointer: what its own frame record saves
   * @param sp its __builtin_frame_address(0), which sframe-v5 takes for the SP; others ignore it
   */
  fromCaller(pc: Address, fp: Address, sp: Address): this {
    return this.set(SOURCE_CALLER, pc, fp, sp);
  }

  /**
   * Starts at a blocked task, from its saved cpu_context.
   *
   * @param sp the SP that sframe-v5 tracks: the saved SP in the posted series, 0 in the reference
   * kernel
   */
  fromTask(pc: Address, fp: Address, sp: Address): this {
    return this.set(SOURCE_TASK, pc, fp, sp);
  }

  /** Starts at the PC in the struct pt_regs that begins at `words[index]`. Current task only. */
  fromRegs(words: Uint32Array, index: number): this {
    const hi = words[index + 2 * PT_REGS_PC + 1] as number;
    // A saved PC is never signed; stripping it keeps garbage within +-2^53, as everywhere.
    this.at[0] = addressFromWords(
      words[index + 2 * PT_REGS_PC] as number,
      hi & 0x800000 ? hi | 0xffff0000 : hi & 0xffff,
    );
    this.fpLow = (words[index + 2 * PT_REGS_FP] as number) | 0;
    this.spLow = (words[index + 2 * PT_REGS_SP] as number) | 0;
    this.at[1] = addressFromWords(this.fpLow, words[index + 2 * PT_REGS_FP + 1] as number);
    this.at[2] = addressFromWords(this.spLow, words[index + 2 * PT_REGS_SP + 1] as number);
    this.source = SOURCE_REGS_PC;
    this.regs = words;
    this.regsIndex = index;
    return this;
  }

  private set(source: number, pc: Address, fp: Address, sp: Address): this {
    this.at[0] = pc;
    this.at[1] = fp;
    this.at[2] = sp;
    this.fpLow = fp | 0;
    this.spLow = sp | 0;
    this.source = source;
    this.regsIndex = -1;
    return this;
  }
}
