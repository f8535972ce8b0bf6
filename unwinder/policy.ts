/**
 * What differs between the kernel unwinders under comparison. A policy answers a closed set of
 * questions, and one walker (kunwind.ts) obeys the answers. See docs/kernel-facts.md, "Policies".
 *
 * To add a policy, add a file in policies/ and a name here. To add behaviour, add a field with its
 * own closed union; every policy must then answer it.
 */

export type PolicyName =
  | 'frame-pointer'
  | 'sframe-v5'
  | 'sframe-v6'
  | 'sframe-strict'
  | 'fgraph-detect'
  | 'fgraph-recover';

/** The questions. Every known bug of a policy is a named answer, not a special case elsewhere. */
export interface PolicyRules {
  readonly name: PolicyName;

  /**
   * How the walk continues from an exception boundary (source REGS_PC).
   * - `frame-record`: from the saved x29, as if nothing had been interrupted.
   * - `sframe`: by the SFrame rule of the interrupted PC and the saved registers. When that fails,
   *   by a frame record, and the walk is marked unreliable.
   */
  readonly boundaryStep: 'frame-record' | 'sframe';

  /**
   * What the consumer of a reliable walk does at an exception boundary.
   * - `give-up`: refuses (-EINVAL) before the interrupted PC is recorded.
   * - `walk-on`: records the PC, and refuses only a walk that is marked unreliable.
   */
  readonly reliableBoundary: 'give-up' | 'walk-on';

  /**
   * The SP that an SFrame rule is applied to.
   * - `regs`: that of the saved registers; without registers, a WARN and an error.
   * - `tracked`: an SP that the walk keeps, even where no registers are known. Unsound: it is fp
   *   after a frame-pointer step and __builtin_frame_address(0) at the start, and neither is the
   *   SP.
   */
  readonly sframeSp: 'regs' | 'tracked';

  /**
   * When SFrame is used, other than at exception boundaries.
   * - `never`.
   * - `failed-record`: after any frame-pointer step that failed.
   */
  readonly sframeElsewhere: 'never' | 'failed-record';

  /**
   * What happens at a PC without an SFrame entry.
   * - `error`: the SFrame step fails.
   * - `metadata-record`: fp is taken for a metadata record without checking that it is one; when it
   *   is not, a WARN and an error.
   */
  readonly lookupFailure: 'error' | 'metadata-record';

  /**
   * What an entry with an undefined return address does: completes the trace, or fails the step.
   */
  readonly outermost: 'end-of-trace' | 'error';

  /** CFA bits that must be clear. 7 and 0xf test an alignment; 0x15 is a mistake for 0xf. */
  readonly cfaMask: 0x7 | 0x15 | 0xf;

  /**
   * What happens to an error of the walk itself, as opposed to the consumer's.
   * - `dropped`: arch_stack_walk_reliable returns 0, so a trace that stops early counts as
   *   reliable.
   * - `returned`.
   */
  readonly walkError: 'dropped' | 'returned';

  /**
   * What happens to the unreliable mark when the step that set it ends the trace. It is the
   * consumer that refuses a marked walk, and the consumer is not called again once FINAL has been
   * reached.
   * - `lost`: the trace counts as reliable.
   * - `honoured`: the mark is also checked after the walk.
   */
  readonly markAtEnd: 'lost' | 'honoured';

  /**
   * Which PCs count as the function-graph return trampoline.
   * - `first-byte`: return_to_handler itself, the address that replaces a return address. Without a
   *   matching entry on the return stack, a WARN (current task) and an error.
   * - `any-byte`: any address inside it, interrupted there or returning there from its callee.
   *   Without a matching entry the walk is marked unreliable. After a PC from registers, the next
   *   step is by frame record: the recovered function was in a call, and the SP in the registers is
   *   the trampoline's.
   * - `until-popped`: as `any-byte`, up to the store that pops the entry off the return stack. From
   *   the next instruction on, which the kernel labels, the address is in the saved x30, and the
   *   trampoline is a function like any other.
   */
  readonly graphTrampoline: 'first-byte' | 'any-byte' | 'until-popped';

  /**
   * How the frame record of __sdei_asm_handler is treated.
   * - `call`: as an ordinary record. It is {interrupted x29, interrupted PC}, so when a function
   *   was interrupted without a record of its own, its caller is silently lost.
   * - `unreliable`: as the end of what is known. The step from any address inside the handler marks
   *   the walk. Nothing WARNs after it, because what it finds there does not prove a kernel bug.
   */
  readonly sdeiRecord: 'call' | 'unreliable';
}

/** A policy's rules, with the answers as plain fields for the walker's hot path. */
export class Policy {
  readonly name: PolicyName;
  readonly sframeAtBoundary: boolean;
  readonly giveUpAtBoundary: boolean;
  readonly trackedSp: boolean;
  readonly sframeAfterRecord: boolean;
  readonly metadataOnMiss: boolean;
  readonly outermostEnds: boolean;
  readonly cfaMask: number;
  readonly dropsErrors: boolean;
  readonly honoursMarkAtEnd: boolean;
  readonly anyGraphByte: boolean;
  readonly linkRegisterOncePopped: boolean;
  readonly distrustsSdei: boolean;

  constructor(readonly rules: PolicyRules) {
    this.name = rules.name;
    this.sframeAtBoundary = rules.boundaryStep === 'sframe';
    this.giveUpAtBoundary = rules.reliableBoundary === 'give-up';
    this.trackedSp = rules.sframeSp === 'tracked';
    this.sframeAfterRecord = rules.sframeElsewhere === 'failed-record';
    this.metadataOnMiss = rules.lookupFailure === 'metadata-record';
    this.outermostEnds = rules.outermost === 'end-of-trace';
    this.cfaMask = rules.cfaMask;
    this.dropsErrors = rules.walkError === 'dropped';
    this.honoursMarkAtEnd = rules.markAtEnd === 'honoured';
    this.anyGraphByte = rules.graphTrampoline !== 'first-byte';
    this.linkRegisterOncePopped = rules.graphTrampoline === 'until-popped';
    this.distrustsSdei = rules.sdeiRecord === 'unreliable';
  }
}
