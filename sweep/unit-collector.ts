/** Collects what one unit of work finds, and turns it into plain data at the end. */
import type { Address } from '../base/address.js';
import { BUSY_KPROBE_REASONS, type BusyKprobeReason } from '../kernel-model/busy-kprobe.js';
import { KIND_NAMES } from '../kernel-model/exception-kind.js';
import type { PtRegsCheck } from '../kernel-model/pt-regs-check.js';
import { WALK_REASONS } from '../unwinder/walk-reason.js';
import { formatPoint, type Point } from '../lab/point.js';
import { isAllowed } from './promises.js';
import type { WrongRow } from './row-check.js';
import type { WalkDifference } from '../lab/stack-walker.js';
import type { Disagreement, PointContext, SweepObserver } from './sweep-observer.js';
import type { LabParts } from '../lab/lab-parts.js';
import { explainKernelStop, explainSaved, type Problem } from '../lab/problem.js';
import { type CellKey, MODES, Tally } from './tally.js';
import type {
  CellReport,
  DisagreementReport,
  ProblemReport,
  UnitRequest,
  UnitResult,
  UntakenCounts,
  WalkExample,
  WrongRowReport,
} from './unit.js';
import { VERDICTS } from '../scenarios/verdict.js';
import { type RawExample, rawExample } from './walk-example.js';

/** A disagreement as it was caught. */
interface RawDisagreement {
  readonly fn: number;
  readonly depth: 1 | 2;
  readonly difference: WalkDifference;
  readonly kernel: RawExample;
  readonly model: RawExample;
  count: number;
}

/** Collects what one unit finds. */
export class UnitCollector implements SweepObserver {
  readonly tally: Tally;
  readonly problems: ProblemReport[] = [];
  readonly wrongRows: WrongRowReport[] = [];
  /** WARNs of a real kernel, by address: each once, with the first point that hit it. */
  readonly warnings = new Map<Address, ProblemReport>();
  /** What entry code has saved wrongly: each once for each kind and depth, with its first point. */
  readonly savedWrongly = new Map<string, ProblemReport>();
  readonly walks: RawExample[] = [];
  readonly walked: ((point: Point, context: PointContext) => void) | undefined;
  private readonly examples = new Map<number, RawExample>();
  private readonly disagreements = new Map<string, RawDisagreement>();

  constructor(
    private readonly parts: LabParts,
    private readonly request: UnitRequest,
  ) {
    this.tally = new Tally(request.policies.length);
    this.walked =
      request.verbose === true
        ? (point, context): void => {
            this.walks.push(rawExample(point, context, true));
          }
        : undefined;
  }

  example(cell: number, point: Point, context: PointContext): void {
    this.examples.set(cell, rawExample(point, context));
  }

  disagreement(fn: number, depth: number, point: Point, found: Disagreement): void {
    const { context, difference } = found;
    const { policy, mode } = context;
    const { kind } = point.inner ?? point;
    const key = `${fn} ${kind} ${depth} ${policy.name} ${mode} ${difference}`;
    const known = this.disagreements.get(key);
    if (known !== undefined) {
      known.count++;
      return;
    }
    this.disagreements.set(key, {
      fn,
      depth: depth === 2 ? 2 : 1,
      difference,
      kernel: rawExample(point, context, true),
      model: rawExample(point, { ...context, walk: found.model }),
      count: 1,
    });
  }

  wrongRow({ fault, pc, detail }: WrongRow): void {
    const { symbols } = this.parts.machine;
    const fn = symbols.at(pc)?.symbol.name ?? '?';
    this.wrongRows.push({ fn, fault, at: symbols.format(pc), detail });
  }

  get stoppedAt(): Address {
    return this.parts.machine.stepper.pc;
  }

  warned(address: Address, point: Point | undefined): void {
    const { kernel, symbols } = this.parts.machine;
    const stop = explainKernelStop(kernel, address);
    if (stop === undefined || this.warnings.has(address)) return;
    this.warnings.set(address, {
      kind: stop.kind,
      point: point === undefined ? undefined : formatPoint(point),
      at: symbols.format(address),
      detail: stop.detail,
    });
  }

  savedWrong(check: PtRegsCheck, field: number, point: Point | undefined): void {
    const key = `${field} ${point?.kind} ${point?.inner?.kind}`;
    if (this.savedWrongly.has(key)) return;
    this.savedWrongly.set(key, {
      ...explainSaved(check, field),
      point: point === undefined ? undefined : formatPoint(point),
      at: this.parts.machine.symbols.format(this.stoppedAt),
    });
  }

  problem(problem: Problem): boolean {
    this.problems.push({
      kind: problem.kind,
      point: problem.point === undefined ? undefined : formatPoint(problem.point),
      at: this.parts.machine.symbols.format(problem.pc),
      detail: problem.detail,
      ...(problem.word === undefined ? {} : { word: problem.word }),
    });
    return false;
  }

  /** What was counted. The describer is made only when there is something to describe. */
  async cells(describer: () => Promise<(raw: RawExample) => WalkExample>): Promise<{
    readonly cells: CellReport[];
    readonly walks: WalkExample[];
    readonly disagreements: DisagreementReport[];
  }> {
    const counted = [...this.counted()];
    const silent = this.walks.length === 0 && this.disagreements.size === 0;
    if (silent && counted.every(({ raw }) => raw === undefined)) {
      return { cells: counted.map(({ cell }) => cell), walks: [], disagreements: [] };
    }
    const describe = await describer();
    const cells = counted.map(({ cell, raw }) =>
      raw === undefined ? cell : { ...cell, example: describe(raw) },
    );
    const disagreements = [...this.disagreements.values()].map((raw): DisagreementReport => {
      const { point } = raw.kernel;
      const { reason, trace } = describe(raw.model);
      return {
        fn: this.parts.functions.names[raw.fn] ?? '?',
        kind: KIND_NAMES[(point.inner ?? point).kind] ?? 'irq',
        depth: raw.depth,
        count: raw.count,
        difference: raw.difference,
        example: describe(raw.kernel),
        model: { reason, trace },
      };
    });
    return { cells, walks: this.walks.map(describe), disagreements };
  }

  /**
   * What was counted, with an example for each cell that the scenario does not allow. Functions are
   * sorted by name: their numbers follow the order in which this process met them, which depends on
   * the units it executed before.
   */
  private *counted(): Generator<{ cell: CellReport; raw: RawExample | undefined }> {
    const { names } = this.parts.functions;
    const nameOf = ({ key }: { readonly key: CellKey }): string => names[key.fn] ?? '?';
    const entries = [...this.tally.entries()].sort((a, b) =>
      nameOf(a) < nameOf(b) ? -1 : nameOf(a) > nameOf(b) ? 1 : 0,
    );
    for (const { key, count } of entries) {
      const cell = this.cellOf(key, count);
      if (cell === undefined) continue;
      const index = this.tally.index(
        key.fn,
        key.kind,
        key.depth,
        key.policy,
        key.mode,
        key.verdict,
      );
      const allowed = isAllowed(this.request.target.scenario, cell);
      yield { cell, raw: allowed ? undefined : this.examples.get(index) };
    }
  }

  private cellOf(key: CellKey, count: number): CellReport | undefined {
    const kind = KIND_NAMES[key.kind];
    const policy = this.request.policies[key.policy];
    const mode = MODES[key.mode];
    const verdict = VERDICTS[key.verdict];
    if (!kind || !policy || !mode || !verdict) return undefined;
    const fn = this.parts.functions.names[key.fn] ?? '?';
    return { fn, kind, depth: key.depth === 2 ? 2 : 1, policy, mode, verdict, count };
  }

  reasons(): UnitResult['reasons'] {
    return this.request.policies.flatMap((policy, index) =>
      WALK_REASONS.map((reason, code) => ({
        policy,
        reason,
        count: this.tally.reasonCount(index, code),
      })).filter(({ count }) => count > 0),
    );
  }

  untaken(): UntakenCounts {
    const counts: Partial<Record<BusyKprobeReason, number>> = {};
    for (const [index, reason] of BUSY_KPROBE_REASONS.entries()) {
      const times = this.tally.untaken[index] ?? 0;
      if (times > 0) counts[reason] = times;
    }
    return counts;
  }
}
