/** Mistakes in the unwinder and in the record of truth, as edits of their sources. */
import type { SourceEdit } from './source-edit.js';

/** Mistakes in the unwinder. */
export const UNWINDER_EDITS = {
  /** Return addresses keep their pointer authentication code. */
  'no-pac-strip': {
    file: 'unwinder/walk-state.ts',
    find: '(hi & 0x800000) !== 0 ? hi | 0xffff0000 : hi & 0xffff',
    replace: 'hi | 0',
  },
  /** A CFA must be 32-byte aligned. */
  'wrong-alignment-mask': {
    file: 'unwinder/walk-sframe-step.ts',
    find: '(cfaLow & policy.cfaMask)',
    replace: '(cfaLow & (policy.cfaMask | 0x1f))',
  },
  /** SFrame is asked for the instruction before the PC. */
  'fre-lookup-off-by-one': {
    file: 'unwinder/walk-sframe-step.ts',
    find: 'rules.find(at[PC] as number)',
    replace: 'rules.find((at[PC] as number) - 4)',
  },
  /** An SFrame step always takes the return address from x30. */
  'stale-lr': {
    file: 'unwinder/walk-sframe-step.ts',
    find: 'const raKind = rules.raKind[rule] as number;',
    replace: 'const raKind = rules.raKind[rule] === UNDEFINED ? UNDEFINED : UNCHANGED;',
  },
  /** A stack once left may be entered again, as if nothing of it had been consumed. */
  'stack-reentered': {
    file: 'unwinder/accessible-stacks.ts',
    find: 'if (current >= 0) this.low[current] = CLOSED;',
    replace: 'if (current >= 0) this.low[current] = this.base[current];',
  },
  /** An error of the walk counts as its end, under every policy. */
  'error-swallowed': {
    file: 'unwinder/kunwind.ts',
    find: 'return policy.dropsErrors ? 0 : error;',
    replace: 'return 0;',
  },
  /** A FINAL record ends the trace wherever it lies. */
  'final-anywhere': {
    file: 'unwinder/walk-record-step.ts',
    find: 'if (fp === task.finalRecord) return STEP_FINAL;',
    replace: 'return STEP_FINAL;',
  },
  /** Each search of the return stack starts from the top. */
  'graph-index-not-kept': {
    file: 'unwinder/walk-recovery.ts',
    find: 'findGraphReturn(graph, state.graphIndex,',
    replace: 'findGraphReturn(graph, 0,',
  },
  /** An SFrame step consumes what is below the FP slot before it loads RA. */
  'fp-load-consumes': {
    file: 'unwinder/walk-sframe-step.ts',
    find: 'if (stacks.load(cfa + fpOffset) < 0) return FP_SLOT_NOT_ACCESSIBLE;',
    replace: `const stack = stacks.load(cfa + fpOffset);
      if (stack < 0) return FP_SLOT_NOT_ACCESSIBLE;
      if (stacks.current !== stack) stacks.moveTo(stack);
      stacks.low[stack] = cfa + fpOffset + 8;`,
  },
  /** An SFrame step consumes nothing. */
  'ra-load-keeps': {
    file: 'unwinder/walk-sframe-step.ts',
    find: `    if (stacks.current !== stack) stacks.moveTo(stack);
    stacks.low[stack] = ra + 8;
`,
    replace: '',
  },
  /** The record of an SDEI handler is taken for that of a call, under every policy. */
  'sdei-trusted': {
    file: 'unwinder/kunwind.ts',
    find: 'if (policy.distrustsSdei) state.leaveSdei();',
    replace: '',
  },
} satisfies Readonly<Record<string, SourceEdit>>;

/** Mistakes in the record of truth. */
export const TRUTH_EDITS = {
  /** BR ends the innermost call, as if it had returned. */
  'tail-call-pops': {
    file: 'kernel-model/ground-truth.ts',
    find: 'case InstructionClass.BR:',
    replace: 'case InstructionClass.BR: this.current.depth--;',
  },
  /** BL and BLR push nothing. */
  'call-not-recorded': {
    file: 'kernel-model/ground-truth.ts',
    find: 'this.current.push(pc + 4, after.get(Reg.SP), EntryKind.CALL);',
    replace: '',
  },
  /** An exception that ends in ERET stays pending. */
  'eret-not-recorded': {
    file: 'kernel-model/ground-truth.ts',
    find: 'case InstructionClass.ERET:\n        this.current.leaveException();',
    replace: 'case InstructionClass.ERET:',
  },
  /** Arriving at a return address ends the call, whatever SP is. */
  'sp-ignored': {
    file: 'kernel-model/ground-truth.ts',
    find: '(this.sps[top] === sp || Number.isNaN(this.sps[top]))',
    replace: 'true',
  },
} satisfies Readonly<Record<string, SourceEdit>>;
