/**
 * Explains one walk: truth and trace side by side, and where the walk went wrong. For each entry of
 * the trace: which rule found it, where that rule came from, and what it read from which stack.
 */
import { kernelErrorText } from '../../lab/kernel-error.js';
import type { Address } from '../../base/address.js';
import { codeName } from '../../kernel-model/code-name.js';
import { KIND_NAMES } from '../../kernel-model/exception-kind.js';
import type { LabParts } from '../../lab/lab-parts.js';
import { walkDifference } from '../../lab/stack-walker.js';
import { alignEntries } from '../../lab/trace-alignment.js';
import { VerdictCode, type Verdict, VERDICTS } from '../../scenarios/verdict.js';
import type { WalkMode } from '../../unwinder/kunwind.js';
import type { Policy, PolicyName } from '../../unwinder/policy.js';
import type { WalkReason, WalkSource, WalkWarning } from '../../unwinder/walk-reason.js';
import { HOW_FALLBACK, HOW_GRAPH, HOW_KRETPROBE, WalkResult } from '../../unwinder/walk-result.js';
import type { Asker, Evaluator, WalkRequest } from '../evaluate.js';
import { ruleNotation } from './rule-notation.js';
import { originOf, type StepOrigin } from './step-origin.js';
import { stepReads, type WordRead } from './walk-reads.js';
import { type StackSection, stackView } from './stack-view.js';

/** One entry of the trace. */
export interface WalkStep {
  readonly address: Address;
  /** `function+0x10/0x40`. */
  readonly symbol: string;
  readonly origin: StepOrigin;
  /** The kernel's own word for the source of the PC. */
  readonly source: WalkSource;
  /** The rule in readelf's notation, for the two SFrame origins. */
  readonly rule: string | undefined;
  /** The SFrame step was tried first and failed, so a frame record was used instead. */
  readonly fallback: boolean;
  /** The PC was a trampoline's. The entry is the address it replaced, from this tracer's record. */
  readonly recoveredBy: 'graph' | 'kretprobe' | 'graph and kretprobe' | undefined;
  readonly reads: readonly WordRead[];
  /** x29 of the unwind state at this entry. */
  readonly fp: Address;
}

/** A line of the comparison: indices into `truth` and `steps`, -1 where there is none. */
export interface WalkPair {
  readonly truth: number;
  readonly trace: number;
  /** A required entry is absent, or a listed entry is not live. */
  readonly wrong: boolean;
}

/** One entry of the truth. */
export interface TruthEntry {
  readonly address: Address;
  readonly symbol: string;
  /** A trampoline's own address, which a trace may list or skip. */
  readonly optional: boolean;
  /** A PC that an exception interrupted. */
  readonly interrupted: boolean;
}

/** A walk that was made. */
export interface WalkView {
  readonly policy: PolicyName;
  readonly mode: WalkMode;
  /** The kind of exception that asked for the walk, or `direct`. */
  readonly asker: string;
  readonly verdict: Verdict;
  /** `none`, or why the walk is not reliable. */
  readonly reason: WalkReason;
  /** The error that ended the walk, even if the policy drops it. */
  readonly error: WalkReason;
  /** What first marked the walk unreliable. */
  readonly mark: WalkReason;
  readonly warning: WalkWarning;
  /** `final`, `outermost`, `refused` or `error`. */
  readonly end: string;
  readonly truth: readonly TruthEntry[];
  readonly steps: readonly WalkStep[];
  readonly pairs: readonly WalkPair[];
  /** Index into `pairs` of the first difference that is not optional, or -1. */
  readonly firstDifference: number;
  /** Where the walk went wrong, in one line. Empty for an exact walk. */
  readonly explanation: string;
  /** What a real kernel's own unwinder answers, in one line. Absent when it was not asked. */
  readonly kernel?: string;
}

/** The walk of one policy, and the stacks as they are in the handler. */
export interface WalkScene {
  readonly walk: WalkView;
  readonly stack: readonly StackSection[];
}

/** Why there is no walk to show: one line. */
export interface NoWalkView {
  readonly problem: string;
}

/** Make a walk and explain it. */
export function walkScene(
  evaluator: Evaluator,
  asker: Asker,
  policy: Policy,
  mode: WalkMode = 'reliable',
): WalkScene | NoWalkView {
  const { line } = evaluator;
  const interruptedSp = line.machine.stepper.registers.get(31);
  const made = evaluator.atRequest(asker, (request) => {
    const out = new WalkResult();
    const verdict = request.judge(policy, mode, out);
    const extra = asker === 'direct' ? [] : [{ name: 'interrupted SP', address: interruptedSp }];
    const walk = explain(evaluator, request, asker, policy, mode, verdict, out);
    const kernel = kernelAnswer(evaluator, request, policy, mode, out);
    return {
      walk: kernel === undefined ? walk : { ...walk, kernel },
      stack: stackView(line.parts, request.registers, extra),
    };
  });
  if (made.ok) return made.value;
  const kind = asker === 'direct' ? 'walk request' : (KIND_NAMES[asker] ?? '?');
  return {
    problem: made.error.kind === 'impossible' ? `no ${kind} is possible here` : made.error.message,
  };
}

/**
 * What the kernel's own unwinder says here, compared with the model's answer, which is the one
 * explained.
 * @returns undefined when the kernel's unwinder is not asked
 */
function kernelAnswer(
  { line }: Evaluator,
  request: WalkRequest,
  policy: Policy,
  mode: WalkMode,
  model: WalkResult,
): string | undefined {
  const own = new WalkResult();
  const verdict = request.judgeKernel(policy, mode, own);
  if (verdict === undefined) return undefined;
  const difference = walkDifference(model, own, mode);
  if (difference === undefined) return "the kernel's own unwinder: the same answer";
  const entries = [...own.entries.subarray(0, own.count)];
  const at = entries.findIndex((address, i) => address !== model.entries[i]);
  const first = at < 0 ? '' : `; entry ${at} is ${line.machine.symbols.format(entries[at] ?? 0)}`;
  const error = own.errno === 0 ? '' : ` (${kernelErrorText(own, line.machine.symbols)})`;
  return `the kernel's own unwinder: ${VERDICTS[verdict] ?? 'fault'}${error}, differs in ${difference}${first}`;
}

function explain(
  { line }: Evaluator,
  request: WalkRequest,
  asker: Asker,
  policy: Policy,
  mode: WalkMode,
  verdict: number,
  out: WalkResult,
): WalkView {
  const { judge } = line.parts;
  const addresses = [...request.truth.addresses.subarray(0, request.truth.count)];
  const truth = addresses.map((address, i) => {
    const interrupted = request.truth.interrupted[i] === 1;
    const symbol = codeName(line.machine, address, interrupted);
    return { address, symbol, optional: judge.isOptional(address), interrupted };
  });
  const steps = Array.from({ length: out.count }, (_, i) => stepAt(line.parts, request, out, i));
  const aligned = alignEntries<{ readonly address: Address }>(
    truth,
    steps,
    (a, b) => a.address === b.address,
  );
  const pairs = aligned.map((pair) => {
    const alone = pair.truth < 0 || pair.trace < 0;
    const address = truth[pair.truth]?.address ?? steps[pair.trace]?.address ?? 0;
    return { ...pair, wrong: alone && !judge.isOptional(address) };
  });
  const view = {
    policy: policy.name,
    mode,
    asker: asker === 'direct' ? 'direct' : (KIND_NAMES[asker] ?? '?'),
    verdict: VERDICTS[verdict] ?? 'fault',
    reason: out.statusName(),
    error: out.errorName(),
    mark: out.markName(),
    warning: out.warnedName(),
    end: out.endName(),
    truth,
    steps,
    pairs,
    firstDifference: pairs.findIndex(({ wrong }) => wrong),
  };
  return { ...view, explanation: verdict === VerdictCode.EXACT ? '' : explanation(view) };
}

function explanation(view: Omit<WalkView, 'explanation'>): string {
  const { pairs, firstDifference, truth, steps, verdict } = view;
  const causes: string[] = [];
  if (view.warning !== 'none') causes.push(`WARN ${view.warning}`);
  if (view.mark !== 'none') causes.push(`marked unreliable: ${view.mark}`);
  if (view.error !== 'none') causes.push(`ended by ${view.error}`);
  if (view.end === 'refused' && view.mark === 'none') causes.push(`refused: ${view.reason}`);
  const pair = pairs[firstDifference];
  if (pair !== undefined) {
    const absent = truth[pair.truth];
    const extra = steps[pair.trace];
    // The walk went astray in the step after the last entry that both have.
    const before = pairs.slice(0, firstDifference).findLast(({ trace }) => trace >= 0);
    const after = steps[(before?.trace ?? -1) + 1];
    if (absent !== undefined) causes.push(`${absent.symbol} is absent`);
    if (extra !== undefined) causes.push(`${extra.symbol} is not live`);
    if (absent !== undefined && after !== undefined) {
      causes.push(`the walk went on to ${after.symbol} by ${originText(after)}`);
    }
  }
  return causes.length === 0 ? verdict : causes.join('; ');
}

/** An origin in words: `SFrame rule CFA=SP+16 FP=c-16 RA=c-8`. */
export function originText(step: WalkStep): string {
  const words = {
    start: 'where the walk starts',
    'frame-record': 'frame record',
    'pt-regs': 'metadata record, pt_regs',
    'sframe-load': `SFrame ${step.rule ?? ''}`,
    'sframe-register': `SFrame ${step.rule ?? ''}`,
  }[step.origin];
  const fallback = step.fallback ? ' after SFrame failed' : '';
  return `${words}${fallback}${step.recoveredBy === undefined ? '' : `, ${step.recoveredBy} recovery`}`;
}

function stepAt(parts: LabParts, request: WalkRequest, out: WalkResult, i: number): WalkStep {
  const how = out.hows[i] as number;
  const address = out.entries[i] as number;
  const origin = originOf(how);
  const ruleIndex = out.rules[i] as number;
  const rule = ruleIndex < 0 ? undefined : parts.rules.rule(ruleIndex);
  const graph = (how & HOW_GRAPH) !== 0;
  const kretprobe = (how & HOW_KRETPROBE) !== 0;
  return {
    address,
    symbol: codeName(
      parts.machine,
      address,
      origin === 'pt-regs' || request.truth.isInterrupted(address),
    ),
    origin,
    source: out.sourceName(i),
    rule: rule === undefined ? undefined : ruleNotation(rule),
    fallback: (how & HOW_FALLBACK) !== 0,
    recoveredBy:
      graph && kretprobe
        ? 'graph and kretprobe'
        : graph
          ? 'graph'
          : kretprobe
            ? 'kretprobe'
            : undefined,
    reads: stepReads(parts, request, out, i, origin, rule),
    fp: out.fps[i] as number,
  };
}
