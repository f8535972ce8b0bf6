/** Why a walk is unreliable, how it ended, and which WARNs and faults it met: unions and codes. */

/**
 * Why a step failed or a walk was refused. The code of a reason is its index here; 0 is none.
 *
 * - `stack-not-accessible`: a frame record is not in a readable stack.
 * - `metadata-not-accessible`, `pt-regs-not-accessible`: the larger object around a record is not.
 * - `*-slot-not-accessible`: a u64 that an SFrame rule loads is not.
 * - `sdei-record`: the walk left an SDEI handler, whose record does not say whether the interrupted
 *   function had a record of its own.
 */
export const WALK_REASONS = [
  'none',
  'regs-pc',
  'no-sframe-entry',
  'outermost',
  'cfa-misaligned',
  'fp-below-sp',
  'fp-misaligned',
  'sp-misaligned',
  'stack-not-accessible',
  'metadata-not-accessible',
  'pt-regs-not-accessible',
  'cfa-slot-not-accessible',
  'ra-slot-not-accessible',
  'fp-slot-not-accessible',
  'bad-metadata',
  'misplaced-final',
  'graph-unrecovered',
  'kretprobe-unrecovered',
  'sdei-record',
  'no-registers',
  'rule-unsupported',
  'trace-full',
  'looped',
  /** The kernel image's own unwinder returned an error or, in best-effort mode, no entries. */
  'kernel-error',
] as const;
export type WalkReason = (typeof WALK_REASONS)[number];

/** How a walk ended. */
export const WALK_ENDS = [
  /** It reached the task's final record: the trace is complete. */
  'final',
  /** It reached an SFrame entry with an undefined return address (sframe-v5 only). */
  'outermost',
  /** The consumer of a reliable walk refused. */
  'refused',
  /** A step, or the recovery of a return address, failed. */
  'error',
] as const;
export type WalkEnd = (typeof WALK_ENDS)[number];

/** Which WARN_ON_ONCE of the unwinder a walk reached first. */
export const WALK_WARNINGS = [
  'none',
  /** A metadata record of unknown type; current task only. */
  'bad-metadata',
  /** A FINAL record that is not in task_pt_regs(task); current task only. */
  'misplaced-final',
  /** return_to_handler without an entry on the return stack; current task only. */
  'graph-unrecovered',
  /** An SFrame step from an exception boundary whose registers are no longer known. */
  'sframe-without-regs',
  /** A WARN in the kernel image's own unwinder. */
  'kernel-warn',
] as const;
export type WalkWarning = (typeof WALK_WARNINGS)[number];

/** What a walk must never do: loop, or stop before it returns. */
export const WALK_FAULTS = ['none', 'looped', 'stopped'] as const;
export type WalkFault = (typeof WALK_FAULTS)[number];

/** Where the PC in the kernel's unwind state comes from (enum kunwind_source, v7.3-rc7). */
export const WALK_SOURCES = ['caller', 'task', 'frame', 'regs-pc', 'regs-lr'] as const;
export type WalkSource = (typeof WALK_SOURCES)[number];

export const SOURCE_CALLER = 0;
export const SOURCE_TASK = 1;
export const SOURCE_FRAME = 2;
export const SOURCE_REGS_PC = 3;
export const SOURCE_REGS_LR = 4;

export const END_FINAL = 0;
export const END_OUTERMOST = 1;
export const END_REFUSED = 2;
export const END_ERROR = 3;

/** A step returns 0, a reason code when it failed, or a negative code at the end (-ENOENT). */
export const STEP_OK = 0;
export const STEP_FINAL = -1;
export const STEP_OUTERMOST = -2;

export const REGS_PC = WALK_REASONS.indexOf('regs-pc');
export const NO_SFRAME_ENTRY = WALK_REASONS.indexOf('no-sframe-entry');
export const OUTERMOST = WALK_REASONS.indexOf('outermost');
export const CFA_MISALIGNED = WALK_REASONS.indexOf('cfa-misaligned');
export const FP_BELOW_SP = WALK_REASONS.indexOf('fp-below-sp');
export const FP_MISALIGNED = WALK_REASONS.indexOf('fp-misaligned');
export const SP_MISALIGNED = WALK_REASONS.indexOf('sp-misaligned');
export const STACK_NOT_ACCESSIBLE = WALK_REASONS.indexOf('stack-not-accessible');
export const METADATA_NOT_ACCESSIBLE = WALK_REASONS.indexOf('metadata-not-accessible');
export const PT_REGS_NOT_ACCESSIBLE = WALK_REASONS.indexOf('pt-regs-not-accessible');
export const CFA_SLOT_NOT_ACCESSIBLE = WALK_REASONS.indexOf('cfa-slot-not-accessible');
export const RA_SLOT_NOT_ACCESSIBLE = WALK_REASONS.indexOf('ra-slot-not-accessible');
export const FP_SLOT_NOT_ACCESSIBLE = WALK_REASONS.indexOf('fp-slot-not-accessible');
export const BAD_METADATA = WALK_REASONS.indexOf('bad-metadata');
export const MISPLACED_FINAL = WALK_REASONS.indexOf('misplaced-final');
export const GRAPH_UNRECOVERED = WALK_REASONS.indexOf('graph-unrecovered');
export const KRETPROBE_UNRECOVERED = WALK_REASONS.indexOf('kretprobe-unrecovered');
export const SDEI_RECORD = WALK_REASONS.indexOf('sdei-record');
export const NO_REGISTERS = WALK_REASONS.indexOf('no-registers');
export const RULE_UNSUPPORTED = WALK_REASONS.indexOf('rule-unsupported');
export const TRACE_FULL = WALK_REASONS.indexOf('trace-full');
export const LOOPED = WALK_REASONS.indexOf('looped');
export const KERNEL_ERROR = WALK_REASONS.indexOf('kernel-error');

export const WARN_BAD_METADATA = WALK_WARNINGS.indexOf('bad-metadata');
export const WARN_MISPLACED_FINAL = WALK_WARNINGS.indexOf('misplaced-final');
export const WARN_GRAPH_UNRECOVERED = WALK_WARNINGS.indexOf('graph-unrecovered');
export const WARN_SFRAME_WITHOUT_REGS = WALK_WARNINGS.indexOf('sframe-without-regs');

export const WARN_KERNEL = WALK_WARNINGS.indexOf('kernel-warn');

/** The kernel image's own unwinder read unmapped memory, or stopped before it returned. */
export const FAULT_STOPPED = WALK_FAULTS.indexOf('stopped');
export const FAULT_LOOPED = WALK_FAULTS.indexOf('looped');
