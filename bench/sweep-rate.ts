/**
 * Points per second of one worker: its units, executed in this process on warm machines, with
 * everything that a worker does except for the messages.
 */
import type { EngineBackend } from '../emulator/engine.js';
import { ALL_KINDS, kindSet } from '../kernel-model/exception-kind.js';
import { Lab } from '../lab/lab.js';
import { UnitRunner } from '../sweep/run-unit.js';
import { DEFAULT_BUDGET } from '../sweep/sweep.js';
import type { UnitRequest } from '../sweep/unit.js';
import { cutRanges, measuringRange } from '../sweep/range.js';
import type { LabTarget } from '../lab/target.js';
import type { PolicyName } from '../unwinder/policy.js';
import { type Rate, rateOf, type Round, Stopwatch } from './rounds.js';

/** Units of some scenarios, each with the runner that has its machine. */
export interface Workload {
  readonly name: string;
  readonly units: readonly PreparedUnit[];
}

interface PreparedUnit {
  readonly runner: UnitRunner;
  readonly request: Omit<UnitRequest, 'policies'>;
}

/** A rate, and the size of what was measured. */
export interface SweepRate {
  readonly rate: Rate;
  /** Points per second of the first pass, with translations, rules and JavaScript all cold. */
  readonly coldRate: number;
  readonly points: number;
  /** Problems other than verdicts; 0 when all is well. */
  readonly problems: number;
}

/** Creates and keeps one lab per ELF, so that no round pays for building a machine. */
export class Workloads {
  private readonly runners = new Map<string | undefined, UnitRunner>();
  private readonly labs: Lab[] = [];

  constructor(private readonly backend: EngineBackend) {}

  /** A lab with one ELF only. */
  lab(): Lab {
    const made = Lab.create(this.backend);
    if (!made.ok) throw new Error(made.error.message);
    this.labs.push(made.value);
    return made.value;
  }

  private runnerFor(target: LabTarget): UnitRunner {
    let runner = this.runners.get(target.elf);
    if (runner === undefined) {
      runner = new UnitRunner(this.lab());
      this.runners.set(target.elf, runner);
    }
    return runner;
  }

  /** All units of depth 1 of the targets. */
  async depth1(name: string, targets: readonly LabTarget[]): Promise<Workload> {
    return { name, units: await this.prepare(targets, 1) };
  }

  /** At most `limit` units of depth 2 of the targets, evenly picked. */
  async depth2(name: string, targets: readonly LabTarget[], limit: number): Promise<Workload> {
    const units = await this.prepare(targets, 2);
    const inner = units.filter(({ request }) => request.range.outerKinds !== 0);
    const every = Math.max(1, inner.length / limit);
    const picked = inner.filter((_, i) => Math.floor(i / every) !== Math.floor((i - 1) / every));
    return { name, units: picked };
  }

  private async prepare(targets: readonly LabTarget[], depth: 1 | 2): Promise<PreparedUnit[]> {
    const units: PreparedUnit[] = [];
    for (const target of targets) {
      const runner = this.runnerFor(target);
      const kinds = ALL_KINDS & kindSetOf(target);
      const measured = await runner.run({
        id: 0,
        target,
        policies: [],
        range: measuringRange(DEFAULT_BUDGET),
      });
      const ranges = cutRanges(measured.instructions, depth, kinds, DEFAULT_BUDGET);
      for (const range of ranges) units.push({ runner, request: { id: 0, target, range } });
    }
    return units;
  }

  close(): void {
    for (const lab of this.labs) lab.close();
  }
}

function kindSetOf({ scenario }: LabTarget): number {
  return scenario.kinds === undefined ? ALL_KINDS : kindSet(scenario.kinds);
}

/** Sweep a workload in several rounds, the first of which is not counted. */
export async function measureSweep(
  workload: Workload,
  policies: readonly PolicyName[],
  rounds: number,
): Promise<SweepRate> {
  const cold = await pass(workload, policies);
  const warm: Round[] = [];
  for (let i = 0; i < rounds; i++) warm.push((await pass(workload, policies)).round);
  return {
    rate: rateOf(warm),
    coldRate: cold.round.count / cold.round.seconds,
    points: cold.round.count,
    problems: cold.problems,
  };
}

async function pass(
  workload: Workload,
  policies: readonly PolicyName[],
): Promise<{ round: Round; problems: number }> {
  let points = 0;
  let problems = 0;
  const watch = new Stopwatch();
  for (const { runner, request } of workload.units) {
    const result = await runner.run({ ...request, policies });
    points += result.points;
    problems += result.problems.length;
  }
  return { round: watch.round(points), problems };
}
