/** Why a walk is not reliable, how it ended, and what else it ran into: closed unions and codes. */

/**
 * Why a step failed or a walk was refused. The code of a reason is its index here; 0 is none.
 *
 * `stack-not-accessible` speaks of a frame record, `metadata-` and `pt-regs-not-accessible` of the
 * larger objects around one, the `-slot-` reasons of single u64 that an SFrame rule names.
 * `sdei-record`: the walk left an SDEI handler, whose record does not say what was interrupted.
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
] as const;
export type WalkReason = (typeof WALK_REASONS)[number];

/** How a walk ended. */
export const WALK_ENDS = [
  /** At the task's final record: the trace is complete. */
  'final',
  /** At an SFrame entry without a return address (sframe-v5 only). */
  'outermost',
  /** The consumer of a reliable walk refused. */
  'refused',
  /** A step, or the recovery of a return address, failed. */
  'error',
] as const;
export type WalkEnd = (typeof WALK_ENDS)[number];

/** Which WARN_ON_ONCE of the unwinder was reached; the first of a walk. */
export const WALK_WARNINGS = [
  'none',
  /** A metadata record of unknown type, current task. */
  'bad-metadata',
  /** A FINAL record elsewhere than in task_pt_regs(task), current task. */
  'misplaced-final',
  /** return_to_handler without an entry on the return stack, current task. */
  'graph-unrecovered',
  /** An SFrame step from an exception boundary whose registers are no longer known. */
  'sframe-without-regs',
] as const;
export type WalkWarning = (typeof WALK_WARNINGS)[number];

/** What a walk must never do. */
export const WALK_FAULTS = ['none', 'looped'] as const;
export type WalkFault = (typeof WALK_FAULTS)[number];

/** Where the kernel's unwind state says its PC comes from (enum kunwind_source). */
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

/** What a step answers: a reason code, 0 for a step made, or one of these for the end (-ENOENT). */
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

export const WARN_BAD_METADATA = WALK_WARNINGS.indexOf('bad-metadata');
export const WARN_MISPLACED_FINAL = WALK_WARNINGS.indexOf('misplaced-final');
export const WARN_GRAPH_UNRECOVERED = WALK_WARNINGS.indexOf('graph-unrecovered');
export const WARN_SFRAME_WITHOUT_REGS = WALK_WARNINGS.indexOf('sframe-without-regs');

export const FAULT_LOOPED = WALK_FAULTS.indexOf('looped');
