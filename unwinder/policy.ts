/**
 * What differs between the kernel unwinders that are compared: a policy is a set of answers to a
 * closed set of questions, and one walker (kunwind.ts) obeys it. docs/kernel-facts.md, "Policies".
 *
 * To add a policy: a file in policies/, and its name here. To add behaviour: a field with its own
 * closed union, answered by every policy.
 */

export type PolicyName =
  | 'frame-pointer'
  | 'sframe-v5'
  | 'sframe-v6'
  | 'sframe-strict'
  | 'fgraph-detect'
  | 'fgraph-recover';

/** The questions. Each bug a policy is known for is an answer with a name, not a patch elsewhere. */
export interface PolicyRules {
  readonly name: PolicyName;

  /**
   * How the walk goes on from an exception boundary (source REGS_PC).
   * - `frame-record`: from x29 of the saved registers, as if nothing had been interrupted.
   * - `sframe`: by the SFrame rule of the interrupted PC and the saved registers; when that fails
   *   by a frame record, and the walk is marked unreliable.
   */
  readonly boundaryStep: 'frame-record' | 'sframe';

  /**
   * What the consumer of a reliable walk does at an exception boundary.
   * - `give-up`: refuses, before the interrupted PC is recorded (-EINVAL).
   * - `walk-on`: records the PC, and refuses only a walk marked unreliable.
   */
  readonly reliableBoundary: 'give-up' | 'walk-on';

  /**
   * Whose SP an SFrame rule is applied to.
   * - `regs`: that of the saved registers; asking without registers is a WARN and an error.
   * - `tracked`: the walk's own idea, also where no registers are known. Unsound: across a
   *   frame-pointer step it is fp, at the start __builtin_frame_address(0), and neither is the SP.
   */
  readonly sframeSp: 'regs' | 'tracked';

  /**
   * When SFrame is asked besides exception boundaries.
   * - `never`.
   * - `failed-record`: after any frame-pointer step that failed.
   */
  readonly sframeElsewhere: 'never' | 'failed-record';

  /**
   * What a PC without an SFrame entry does.
   * - `error`: the SFrame step fails.
   * - `metadata-record`: takes fp for a metadata record without looking whether it is one; when
   *   it is not, a WARN and an error.
   */
  readonly lookupFailure: 'error' | 'metadata-record';

  /** What an entry with an undefined return address does: complete the trace, or fail the step. */
  readonly outermost: 'end-of-trace' | 'error';

  /** CFA bits that must be clear: 7 and 0xf are alignments; 0x15 was meant to be 0xf. */
  readonly cfaMask: 0x7 | 0x15 | 0xf;

  /**
   * What becomes of an error of the walk itself (not of the consumer).
   * - `dropped`: arch_stack_walk_reliable returns 0, so a trace that stops early is called reliable.
   * - `returned`.
   */
  readonly walkError: 'dropped' | 'returned';

  /**
   * What becomes of the unreliable mark when the step that set it ends the trace. The consumer is
   * what refuses a marked walk, and it is not called again once FINAL was reached.
   * - `lost`: the trace is called reliable.
   * - `honoured`: the mark is looked at after the walk, too.
   */
  readonly markAtEnd: 'lost' | 'honoured';

  /**
   * Which PCs are taken for the function-graph return trampoline.
   * - `first-byte`: return_to_handler exactly, the address put in place of a return address. No
   *   matching entry on the return stack is a WARN (current task) and an error.
   * - `any-byte`: any address inside it: interrupted there, or returning there from its callee.
   *   Without a matching entry the walk is marked unreliable. A PC that came from registers is
   *   stepped from by frame record afterwards: the function recovered was calling, and the SP of
   *   the registers is the trampoline's.
   * - `until-popped`: as `any-byte` up to the store that takes the entry off the return stack. From
   *   the next instruction on, which the kernel labels, the address is in x30 of the registers, and
   *   the trampoline is a function like any other.
   */
  readonly graphTrampoline: 'first-byte' | 'any-byte' | 'until-popped';

  /**
   * What the frame record of __sdei_asm_handler is taken for.
   * - `call`: an ordinary one. It is {interrupted x29, interrupted PC}, so a function that was
   *   interrupted without a record of its own hides its caller, and nothing says so.
   * - `unreliable`: the end of what is known. The step from any address inside the handler marks the
   *   walk, and beyond it nothing WARNs: what is met there need not be a broken kernel's.
   */
  readonly sdeiRecord: 'call' | 'unreliable';
}

/** A policy ready to walk by: the rules, and what the walker tests of them as plain fields. */
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
