/**
 * `npm run bench [-- --json FILE]`: how fast the sweep is, and what the engine itself could do in
 * the same run. It measures and prints, and asserts nothing.
 */
import { writeFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { openBackend } from '../emulator/backend.js';
import type { EngineBackend } from '../emulator/engine.js';
import { allTargets, selectTargets } from '../targets/catalogue.js';
import type { LabTarget } from '../lab/target.js';
import { POLICIES } from '../unwinder/policies/all.js';
import type { PolicyName } from '../unwinder/policy.js';
import { type EngineLimits, measureEngine } from './engine-limit.js';
import { type GdbOutcome, measureGdb } from './gdb-rate.js';
import { type BenchResult, describe, type MachineFacts } from './result.js';
import type { Rate } from './rounds.js';
import { formatSections } from './row.js';
import { measureKernel } from './kernel-rate.js';
import { measureScaling } from './scaling.js';
import { measureSweep, type SweepRate, Workloads } from './sweep-rate.js';

const ONE_POLICY: readonly PolicyName[] = ['sframe-strict'];
const ALL_POLICIES = Object.keys(POLICIES) as readonly PolicyName[];
const SWEEP_ROUNDS = 5;
const DEPTH2_ROUNDS = 3;
const DEPTH2_UNITS = 8;
const SCALING_ROUNDS = 3;
const GDB_ROUNDS = 3;
/** The targets of these families, without families that do not exist. */
function targetsOf(...families: readonly string[]): readonly LabTarget[] {
  return families.flatMap((family) => {
    const found = selectTargets([family]);
    return 'unknown' in found ? [] : found;
  });
}

function progress(what: string): void {
  process.stderr.write(`measuring ${what} ...\n`);
}

function facts(backend: EngineBackend): MachineFacts {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    node: process.version,
    engine: `${backend.name} ${backend.version}`,
    loadBefore: loadavg()[0] ?? NaN,
  };
}

interface SweepRates {
  readonly engine: EngineLimits;
  readonly onePolicy: SweepRate;
  readonly allPolicies: SweepRate;
  readonly depth2One: SweepRate | undefined;
  readonly depth2All: SweepRate | undefined;
}

/** Measures everything that runs in this process. */
async function measureHere(backend: EngineBackend): Promise<SweepRates> {
  const shallow = targetsOf('calls', 'leaf');
  const deep = targetsOf('entry', 'fgraph').filter(({ scenario }) => scenario.depth === 2);
  const [first] = shallow;
  if (first === undefined) throw new Error('there are no scenarios to sweep');
  const workloads = new Workloads(backend);
  progress('the engine');
  const parts = workloads.lab().machineFor(first.elf);
  if (!parts.ok) throw new Error(parts.error.message);
  const engine = measureEngine(backend, parts.value, first);
  progress('one policy at depth 1');
  const flat = await workloads.depth1('calls and leaf', shallow);
  const onePolicy = await measureSweep(flat, ONE_POLICY, SWEEP_ROUNDS);
  progress('all policies at depth 1');
  const allPolicies = await measureSweep(flat, ALL_POLICIES, SWEEP_ROUNDS);
  progress('depth 2');
  const nested = await workloads.depth2('entry and fgraph', deep, DEPTH2_UNITS);
  const hasNested = nested.units.length > 0;
  const depth2 = (policies: readonly PolicyName[]): Promise<SweepRate | undefined> =>
    hasNested ? measureSweep(nested, policies, DEPTH2_ROUNDS) : Promise.resolve(undefined);
  const depth2One = await depth2(ONE_POLICY);
  const depth2All = await depth2(ALL_POLICIES);
  workloads.close();
  return { engine, onePolicy, allPolicies, depth2One, depth2All };
}

/**
 * The ratio of two rates by CPU time, because they were measured at different times, on a machine
 * that others may use.
 */
function ratio(a: Rate, b: Rate): number {
  return (a.perCpuSecond ?? a.median) / (b.perCpuSecond ?? b.median);
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { json: { type: 'string' }, 'without-gdb': { type: 'boolean', default: false } },
  });
  const backend = await openBackend();
  if (!backend.ok) throw new Error(backend.error.message);
  const machine = facts(backend.value);
  const here = await measureHere(backend.value);
  progress('a real kernel');
  const kernel = await measureKernel(backend.value, ONE_POLICY);
  progress('one worker against two');
  const scaling = await measureScaling(allTargets(), ALL_POLICIES, SCALING_ROUNDS);
  progress('gdb over QEMU');
  const gdb: GdbOutcome = values['without-gdb']
    ? { kind: 'skipped', why: 'not asked for' }
    : await measureGdb(GDB_ROUNDS);
  const result: BenchResult = {
    version: 1,
    machine: { ...machine, loadAfter: loadavg()[0] ?? NaN },
    policies: ALL_POLICIES,
    ...here,
    ratioToEngine: ratio(here.onePolicy.rate, here.engine.point),
    ratioToKernelPoint: ratio(here.onePolicy.rate, here.engine.kernelPoint),
    kernel,
    scaling,
    gdb,
  };
  process.stdout.write(`${formatSections(describe(result))}\n`);
  if (values.json !== undefined) {
    writeFileSync(values.json, `${JSON.stringify(result, undefined, 2)}\n`);
  }
}

try {
  await main();
} catch (error) {
  process.stderr.write(`bench: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 2;
}
