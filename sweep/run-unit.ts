/** Executes one unit of work in this process and puts its outcome into plain data. */
import { prepareDebugSections } from '../emulator/debug-compression.js';
import type { Address } from '../emulator/address.js';
import { Disassembler } from '../emulator/disassembler.js';
import { KIND_NAMES } from '../kernel-model/exception-kind.js';
import type { TruthDefect } from '../kernel-model/ground-truth.js';
import { POLICIES } from '../unwinder/policies/all.js';
import type { PolicyName } from '../unwinder/policy.js';
import { WALK_REASONS, WALK_WARNINGS } from '../unwinder/walk-reason.js';
import type { Lab } from './lab.js';
import { formatPoint, type Point } from './point.js';
import { isAllowed } from './promises.js';
import { describeSetupError, setUpScenario } from './scenario-setup.js';
import {
  type Disagreement,
  type PointContext,
  ScenarioSweep,
  type SweepEnd,
  type SweepParts,
} from './scenario-sweep.js';
import type { WalkDifference } from './stack-walker.js';
import { explainKernelStop, type SweepProblem } from './sweep-problem.js';
import { type CellKey, MODES, Tally } from './tally.js';
import type { WrongRow } from './row-check.js';
import type {
  CellReport,
  DisagreementReport,
  ProblemReport,
  UnitRequest,
  UnitResult,
  WalkExample,
  WrongRowReport,
} from './unit.js';
import { VerdictCode, VERDICTS } from './verdict.js';

/** Problems after which a unit is given up. */
const MAX_PROBLEMS = 16;
/** Entries of a truth or trace that an example keeps. */
const MAX_LISTED = 96;

/** An example as it was caught, before names are looked up. */
interface RawExample {
  readonly point: Point;
  readonly pc: Address;
  readonly policy: PolicyName;
  readonly mode: 'reliable' | 'best-effort';
  readonly verdict: number;
  readonly status: number;
  readonly warned: number;
  /** Of a WARN in the kernel's own unwinder, or 0. */
  readonly warnedAt: Address;
  readonly truth: readonly Address[];
  readonly trace: readonly Address[];
}

/** A disagreement as it was caught. */
interface RawDisagreement {
  readonly fn: number;
  readonly depth: 1 | 2;
  readonly difference: WalkDifference;
  readonly kernel: RawExample;
  readonly model: RawExample;
  count: number;
}

/** Runs units on one lab. */
export class UnitRunner {
  private disassembler: Disassembler | undefined;
  /** The kernel whose file can be loaded without waiting. */
  private prepared: string | undefined;

  constructor(
    private readonly lab: Lab,
    private readonly truthDefect?: TruthDefect,
  ) {}

  async run(request: UnitRequest): Promise<UnitResult> {
    const { elf, scenario, vmlinux } = request.target;
    if (vmlinux !== undefined && vmlinux.path !== this.prepared) {
      await prepareDebugSections(vmlinux.path);
      this.prepared = vmlinux.path;
    }
    const made = this.lab.machineFor(elf, scenario.kernel, vmlinux);
    if (!made.ok) return setupFailure(request.id, made.error.message);
    const parts = made.value;
    const collected = new Collector(parts, request);
    const end = this.sweep(request, parts, collected);
    if (typeof end === 'string') return setupFailure(request.id, end);
    const { cells, walks, disagreements } = await collected.cells(() => this.describerFor(parts));
    return {
      id: request.id,
      points: collected.tally.points,
      instructions: end.instructions,
      finished: end.finished,
      result: end.result,
      cells,
      reasons: collected.reasons(),
      wrongRows: collected.wrongRows,
      problems: [...collected.problems, ...collected.warnings.values()],
      disagreements,
      walks,
    };
  }

  /** Run the range; after a problem start over behind the instruction that had it. */
  private sweep(request: UnitRequest, parts: SweepParts, collected: Collector): SweepEnd | string {
    const { scenario } = request.target;
    const policies = request.policies.map((name) => POLICIES[name]);
    const sweep = new ScenarioSweep(
      parts,
      policies,
      collected.tally,
      collected,
      this.truthDefect,
      request.unwinder,
    );
    sweep.stepExceptions(request.stepped === true);
    let { from } = request.range;
    for (;;) {
      const entry = setUpScenario(parts.machine, scenario);
      if (typeof entry !== 'number') return describeSetupError(entry);
      parts.stacks.switchTo(parts.machine.kernel.roles.initTask);
      const known = collected.problems.length;
      const end = sweep.run({ ...request.range, from, entry });
      checkTraced(request, end, collected);
      const last = collected.problems[known];
      if (last === undefined || last.point === undefined) return end;
      if (collected.problems.length >= MAX_PROBLEMS || end.instructions + 1 >= request.range.to) {
        return end;
      }
      from = end.instructions + 1;
    }
  }

  private async describerFor(parts: SweepParts): Promise<(raw: RawExample) => WalkExample> {
    if (this.disassembler === undefined) {
      const made = await Disassembler.create();
      if (made.ok) this.disassembler = made.value;
    }
    const code = this.disassembler;
    return (raw) => exampleText(parts, raw, code);
  }
}

/** A function of a real kernel that was to be traced, and was not, would be as promised at every point. */
function checkTraced({ target, range }: UnitRequest, end: SweepEnd, collected: Collector): void {
  const { tracedBy, entry } = target.scenario;
  if (tracedBy === undefined || !end.finished || end.returnedToTracer === true || range.kinds === 0)
    return;
  const detail = `${entry} returned without its tracer: wrong structure offsets, or state that the kernel refuses`;
  collected.problem({ kind: 'scenario', point: undefined, pc: collected.stoppedAt, detail });
}

/** Gathers what one unit finds. */
class Collector {
  readonly tally: Tally;
  readonly problems: ProblemReport[] = [];
  readonly wrongRows: WrongRowReport[] = [];
  /** WARNs of a real kernel by their addresses: each once, with the first point that came there. */
  readonly warnings = new Map<Address, ProblemReport>();
  readonly walks: RawExample[] = [];
  readonly walked: ((point: Point, context: PointContext) => void) | undefined;
  private readonly examples = new Map<number, RawExample>();
  private readonly disagreements = new Map<string, RawDisagreement>();

  constructor(
    private readonly parts: SweepParts,
    private readonly request: UnitRequest,
  ) {
    this.tally = new Tally(request.policies.length);
    this.walked =
      request.verbose === true || request.crashAt !== undefined
        ? (point, context): void => {
            this.onWalk(point, context);
          }
        : undefined;
  }

  private onWalk(point: Point, context: PointContext): void {
    if (this.request.crashAt === formatPoint(point)) process.abort();
    if (this.request.verbose === true) this.walks.push(rawExample(point, context));
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
      kernel: rawExample(point, context),
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

  problem(problem: SweepProblem): boolean {
    this.problems.push({
      kind: problem.kind,
      point: problem.point === undefined ? undefined : formatPoint(problem.point),
      at: this.parts.machine.symbols.format(problem.pc),
      detail: problem.detail,
    });
    return false;
  }

  /** What was counted; the generator of texts is asked for only when there is something to show. */
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
   * What was counted, with the example of what the scenario does not allow. Functions come by name:
   * their numbers are in the order in which this process has met them, and that depends on the units
   * it had before.
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
}

function rawExample(point: Point, context: PointContext): RawExample {
  const { walk, truth } = context;
  return {
    point,
    pc: context.pc,
    policy: context.policy.name,
    mode: context.mode,
    verdict: context.verdict,
    status: walk.status,
    warned: walk.warned,
    warnedAt: walk.warnedAt,
    truth: [...truth.addresses.subarray(0, Math.min(truth.count, MAX_LISTED))],
    trace: [...walk.entries.subarray(0, Math.min(walk.count, MAX_LISTED))],
  };
}

function exampleText(
  parts: SweepParts,
  raw: RawExample,
  disassembler: Disassembler | undefined,
): WalkExample {
  const { symbols, memory } = parts.machine;
  const name = (address: Address, index: number): string => {
    // The first entries are return addresses, the interrupted PC is not: both print as the kernel does.
    const text = index < 0 ? symbols.format(address) : symbols.formatReturnAddress(address);
    return parts.judge.isOptional(address) ? `(${text})` : text;
  };
  const word = memory.readWord(raw.pc) ?? 0;
  const bytes = new Uint8Array(new Uint32Array([word]).buffer);
  return {
    point: formatPoint(raw.point),
    policy: raw.policy,
    mode: raw.mode,
    verdict: VERDICTS[raw.verdict] ?? '?',
    reason: reasonText(raw, parts.machine.kernel.bugTable?.at(raw.warnedAt)?.place),
    at: symbols.format(raw.pc),
    instruction: disassembler?.disassemble(bytes, raw.pc).text ?? `0x${word.toString(16)}`,
    truth: raw.truth.map((address, i) => name(address, address === raw.pc ? -1 : i)),
    trace: raw.trace.map((address, i) => name(address, address === raw.pc ? -1 : i)),
  };
}

function reasonText(raw: RawExample, place: string | undefined): string {
  if (raw.verdict === VerdictCode.WARNED) {
    return `WARN ${WALK_WARNINGS[raw.warned] ?? ''}${place === undefined ? '' : ` at ${place}`}`;
  }
  return raw.status === 0 ? '' : (WALK_REASONS[raw.status] ?? '');
}

function setupFailure(id: number, detail: string): UnitResult {
  return {
    id,
    points: 0,
    instructions: 0,
    finished: false,
    result: undefined,
    cells: [],
    reasons: [],
    wrongRows: [],
    problems: [{ kind: 'setup', point: undefined, at: '', detail }],
    disagreements: [],
    walks: [],
  };
}
