/** The results of the bench, as data (`--json`) and as the table that it prints. */
import type { PolicyName } from '../unwinder/policy.js';
import type { EngineLimits } from './engine-limit.js';
import { GDB_DEPTH, type GdbOutcome } from './gdb-rate.js';
import type { KernelOutcome, LoadCost } from './kernel-rate.js';
import type { Rate } from './rounds.js';
import { grouped, type Row, type Section } from './row.js';
import type { Scaling } from './scaling.js';
import type { SweepRate } from './sweep-rate.js';

/** The machine that was measured on. */
export interface MachineFacts {
  readonly cpu: string;
  readonly cores: number;
  readonly node: string;
  readonly engine: string;
  /** Load average of the last minute, before and after the bench. */
  readonly loadBefore: number;
  readonly loadAfter?: number;
}

/** All results. Rates are per second. */
export interface BenchResult {
  readonly version: 1;
  readonly machine: MachineFacts;
  readonly policies: readonly PolicyName[];
  readonly engine: EngineLimits;
  readonly onePolicy: SweepRate;
  readonly allPolicies: SweepRate;
  readonly depth2One: SweepRate | undefined;
  readonly depth2All: SweepRate | undefined;
  /**
   * Ratios of one policy at depth 1 to the point without a walk, and to the point in and out of the
   * guest.
   */
  readonly ratioToEngine: number;
  readonly ratioToKernelPoint: number;
  readonly kernel: KernelOutcome;
  readonly scaling: Scaling;
  readonly gdb: GdbOutcome;
}

/** Speed and memory that the project aims for. */
const RATIO_TO_ENGINE = 0.25;
const ONE_POLICY_RATE = 100_000;
const ALL_POLICIES_RATE = 40_000;
const SCALING_FACTOR = 1.8;
const WORKER_BYTES = 300e6;
const RATIO_TO_GDB = 300;
/** The same for a real kernel. */
const LOAD_SECONDS = 1;
const KERNEL_MODEL_RATE = 10_000;
const OWN_UNWINDER_RATE = 5_000;

/** The sections of the table. */
export function describe(result: BenchResult): Section[] {
  return [
    machineSection(result.machine),
    engineSection(result.engine),
    sweepSection(result),
    kernelSection(result.kernel),
    workerSection(result.scaling),
    gdbSection(result),
  ];
}

function rateRow(what: string, rate: Rate): Row {
  const row = { what, value: `${grouped(rate.median)}/s` };
  if (rate.perCpuSecond === undefined) return row;
  return { ...row, also: `${grouped(rate.perCpuSecond)} a CPU second` };
}

function machineSection(machine: MachineFacts): Section {
  const load = `${machine.loadBefore.toFixed(2)} before, ${(machine.loadAfter ?? NaN).toFixed(2)} after`;
  return {
    title: 'Machine (every rate is the median of several rounds)',
    rows: [
      { what: `cores, ${machine.cpu}`, value: String(machine.cores) },
      { what: 'load average, including this bench', value: load },
      { what: `node ${machine.node}`, value: machine.engine },
    ],
  };
}

function engineSection(engine: EngineLimits): Section {
  const { kernelEntryInstructions: entry, kernelExitInstructions: exit, kernelStores } = engine;
  return {
    title: "The engine's own limits, one process",
    rows: [
      rateRow('step and read 34 registers', engine.stepAndRead),
      rateRow('point without a walk: that, hand over, run 220', engine.point),
      rateRow('  with 60 stores among the 220', engine.pointWithStores),
      rateRow('point in and out of the guest, nothing checked', engine.kernelPoint),
    ],
    notes: [
      `In and out: a real IRQ, ${entry} instructions from the vector to the walk request and ${exit}`,
      `to the ERET, which store ${kernelStores} registers; two runs, two register transfers.`,
    ],
  };
}

function sweepSection(result: BenchResult): Section {
  const { onePolicy, allPolicies, depth2One, depth2All, ratioToEngine } = result;
  const all = `all ${result.policies.length} policies`;
  const rows: Row[] = [
    {
      ...rateRow('depth 1, sframe-strict', onePolicy.rate),
      target: `${grouped(ONE_POLICY_RATE)}/s`,
      reached: onePolicy.rate.median >= ONE_POLICY_RATE,
    },
    {
      what: '  of the point without a walk',
      value: percent(ratioToEngine),
      target: percent(RATIO_TO_ENGINE),
      reached: ratioToEngine >= RATIO_TO_ENGINE,
    },
    {
      what: '  of the point in and out of the guest, nothing checked',
      value: percent(result.ratioToKernelPoint),
    },
    {
      ...rateRow(`depth 1, ${all}`, allPolicies.rate),
      target: `${grouped(ALL_POLICIES_RATE)}/s`,
      reached: allPolicies.rate.median >= ALL_POLICIES_RATE,
    },
    { what: '  its first pass, all cold', value: `${grouped(allPolicies.coldRate)}/s` },
  ];
  if (depth2One !== undefined) rows.push(rateRow('depth 2, sframe-strict', depth2One.rate));
  if (depth2All !== undefined) rows.push(rateRow(`depth 2, ${all}`, depth2All.rate));
  const rates = [onePolicy, allPolicies, depth2One, depth2All];
  const problems = rates.reduce((sum, rate) => sum + (rate?.problems ?? 0), 0);
  const notes = [
    `Depth 1: calls and leaf, ${grouped(allPolicies.points)} points a round, every point walked in`,
    'reliable and in best-effort mode by every policy, judged, returned from and checked.',
    'Ratios to the engine are by CPU time.',
  ];
  notes.push(
    depth2All === undefined
      ? 'Depth 2: no scenario of the entry and fgraph families has it.'
      : `Depth 2: entry and fgraph, ${grouped(depth2All.points)} points a round.`,
  );
  if (problems > 0) notes.push(`${problems} problems came up besides verdicts: see a sweep.`);
  return { title: 'Sweep points per second and worker, warm', rows, notes };
}

function kernelSection(kernel: KernelOutcome): Section {
  const title = 'A real kernel, one policy at depth 1, one worker';
  if (kernel.kind === 'skipped') return { title, rows: [], notes: [`skipped: ${kernel.why}`] };
  const { load, large, sframeSeconds, model, kernel: own } = kernel;
  const problems = model.problems + own.problems;
  return {
    title,
    rows: [
      {
        ...loadRow(load),
        target: `under ${LOAD_SECONDS} s`,
        reached: load.seconds < LOAD_SECONDS,
      },
      ...(large === undefined ? [] : [loadRow(large)]),
      { what: 'decode its .sframe', value: `${(1000 * sframeSeconds).toFixed(0)} ms` },
      {
        ...rateRow('walked by the model', model.rate),
        target: `${grouped(KERNEL_MODEL_RATE)}/s`,
        reached: model.rate.median >= KERNEL_MODEL_RATE,
      },
      {
        ...rateRow("walked by the kernel's own unwinder", own.rate),
        target: `${grouped(OWN_UNWINDER_RATE)}/s`,
        reached: own.rate.median >= OWN_UNWINDER_RATE,
      },
    ],
    notes: [
      `The routines of arch/arm64/lib, ${grouped(model.points)} points a round, each walked in reliable and`,
      'best-effort mode, judged, returned from and checked.',
      ...(problems > 0 ? [`${problems} problems came up besides verdicts: see a sweep.`] : []),
    ],
  };
}

function loadRow({ size, seconds, bytes }: LoadCost): Row {
  const inMegabytes = (count: number): string => (count / 1e6).toFixed(0);
  return {
    what: `load a vmlinux of ${inMegabytes(size)} MB`,
    value: `${seconds.toFixed(2)} s`,
    also: `${inMegabytes(bytes)} MB in buffers`,
  };
}

function workerSection(scaling: Scaling): Section {
  return {
    title: `Worker processes, the default sweep of ${grouped(scaling.points)} points`,
    rows: [
      rateRow('1 worker, all policies, start-up included', scaling.one),
      rateRow('2 workers', scaling.two),
      {
        what: '  gain',
        value: `${scaling.factor.toFixed(2)}x`,
        target: `${SCALING_FACTOR}x`,
        reached: scaling.factor >= SCALING_FACTOR,
      },
      {
        what: `peak memory of a worker${scaling.highWater ? '' : ' (between units)'}`,
        value: `${(scaling.peakMemory / 1e6).toFixed(0)} MB`,
        target: `under ${WORKER_BYTES / 1e6} MB`,
        reached: scaling.peakMemory < WORKER_BYTES,
      },
    ],
  };
}

function gdbSection({ gdb, onePolicy, allPolicies }: BenchResult): Section {
  const title = 'For comparison: gdb over the gdbstub of QEMU, stepi and bt';
  if (gdb.kind === 'skipped') return { title, rows: [], notes: [`skipped: ${gdb.why}`] };
  const ratio = onePolicy.rate.median / gdb.rate.median;
  const allRatio = allPolicies.rate.median / gdb.rate.median;
  return {
    title,
    rows: [
      rateRow('gdb', gdb.rate),
      {
        what: 'sweep with sframe-strict, depth 1, against gdb',
        value: `${grouped(ratio)}x`,
        target: `${RATIO_TO_GDB}x`,
        reached: ratio >= RATIO_TO_GDB,
      },
      { what: 'sweep with all policies, against gdb', value: `${grouped(allRatio)}x` },
    ],
    notes: [
      `A bare-metal loop of calls ${GDB_DEPTH} deep, ${gdb.framesPerPoint.toFixed(1)} frames a backtrace.`,
      'gdb takes no exception, runs no handler and judges nothing: the sweep does more per point.',
    ],
  };
}

function percent(part: number): string {
  return `${(100 * part).toFixed(0)} %`;
}
