/** The result of one walk. An object is reused for many walks, so that a walk allocates nothing. */

import {
  WALK_ENDS,
  WALK_FAULTS,
  WALK_REASONS,
  WALK_SOURCES,
  WALK_WARNINGS,
  type WalkEnd,
  type WalkFault,
  type WalkReason,
  type WalkSource,
  type WalkWarning,
} from './walk-reason.js';

/** Limit on the entries of a result. Ordinary frames on a 16 KiB stack give fewer. */
export const MAX_ENTRIES = 512;

/**
 * How an entry was obtained: one of the next five in the low four bits of {@link WalkResult.hows}.
 */
export const HOW_START = 0;
export const HOW_FRAME_RECORD = 1;
/** From the pt_regs around a metadata record. */
export const HOW_PT_REGS = 2;
/** By an SFrame rule that loads the return address. */
export const HOW_SFRAME_LOAD = 3;
/** By an SFrame rule that takes the return address from x30 or another register. */
export const HOW_SFRAME_REGISTER = 4;
/** Mask of these bits. */
export const HOW_KIND = 0xf;
/** Flags above them: the PC was recovered from the function-graph tracer, or from a kretprobe. */
export const HOW_GRAPH = 0x10;
export const HOW_KRETPROBE = 0x20;
/** The SFrame step failed, and a frame-pointer step was made instead. */
export const HOW_FALLBACK = 0x40;

export class WalkResult {
  /** Number of entries, 0..512. The innermost comes first, as the consumer sees them. */
  count = 0;
  /** The recorded PCs, with the pointer authentication code stripped. */
  readonly entries = new Float64Array(MAX_ENTRIES);
  /** Frame pointer of the unwind state when each entry was recorded. */
  readonly fps = new Float64Array(MAX_ENTRIES);
  /**
   * Address that each PC was loaded from: the LR slot of a frame record, `pc` of a pt_regs, or the
   * RA slot of an SFrame rule. NaN for a PC from a saved register, and at the start. For a
   * recovered PC it is where the trampoline's address was.
   */
  readonly slots = new Float64Array(MAX_ENTRIES);
  /** Index into WALK_SOURCES for each entry. */
  readonly sources = new Uint8Array(MAX_ENTRIES);
  /** Index of the SFrame rule by which each entry was found, or -1. */
  readonly rules = new Int32Array(MAX_ENTRIES);
  /** HOW_ code of each entry. */
  readonly hows = new Int32Array(MAX_ENTRIES);

  /**
   * Reliable mode: 0 when the kernel would return 0 (reliable) under the policy, else a reason
   * code. Best-effort mode: 0 when the trace is complete, else a reason code.
   */
  status = 0;
  /** Index into WALK_ENDS. */
  end = 0;
  /** Reason code of the error that ended the walk, even when the policy drops it; 0 for none. */
  error = 0;
  /** Reason code of the first SFrame failure or recovery that marked the walk unreliable, or 0. */
  mark = 0;
  /** What the kernel's own unwinder returned, when that is an error: -22 for -EINVAL. */
  errno = 0;
  /** The RET by which the kernel first returned that error; 0 when it was not looked for. */
  failedAt = 0;
  /** PC of the first WARN in the kernel's own unwinder; 0 for none, and for the model's walks. */
  warnedAt = 0;
  /** Index into WALK_WARNINGS: the first WARN_ON_ONCE reached, or 0. */
  warned = 0;
  /** Index into WALK_FAULTS, or 0. */
  fault = 0;

  // Names of the codes, for reports and tests.

  statusName(): WalkReason {
    return WALK_REASONS[this.status] as WalkReason;
  }
  endName(): WalkEnd {
    return WALK_ENDS[this.end] as WalkEnd;
  }
  errorName(): WalkReason {
    return WALK_REASONS[this.error] as WalkReason;
  }
  markName(): WalkReason {
    return WALK_REASONS[this.mark] as WalkReason;
  }
  warnedName(): WalkWarning {
    return WALK_WARNINGS[this.warned] as WalkWarning;
  }
  faultName(): WalkFault {
    return WALK_FAULTS[this.fault] as WalkFault;
  }
  sourceName(entry: number): WalkSource {
    return WALK_SOURCES[this.sources[entry] as number] as WalkSource;
  }
}
