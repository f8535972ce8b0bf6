/**
 * Runs the cases on one machine. Steps the guest through a case, answers each walk request with the
 * unwinder's answer under a policy, and checks that the guest did what the case requires.
 */
import type { Address } from '../base/address.js';
import { threadResult } from '../kernel-model/thread-call.js';
import type { GuestKernelName, Scenario } from '../scenarios/scenario.js';
import { kunitScenario } from '../scenarios/kunit/kunit.js';
import { POLICIES } from '../unwinder/policies/all.js';
import type { PolicyName } from '../unwinder/policy.js';
import { WALK_WARNINGS, WALK_REASONS } from '../unwinder/walk-reason.js';
import { WalkResult } from '../unwinder/walk-result.js';
import { EINVAL, Experiment } from '../lab/experiment.js';
import { kprobeRefusal } from '../lab/kprobe-setup.js';
import { describeSetupError } from '../lab/scenario-setup.js';
import type { LabParts } from '../lab/lab-parts.js';
import { VerdictCode, VERDICTS } from '../scenarios/verdict.js';
import type { CaseRun, StepRun, WalkRun } from './case-run.js';
import { handlersOf, type KunitCase } from './cases.js';
import { formatPlace, Kallsyms } from './kallsyms.js';
import type { ProbeRecord } from './suite-log.js';

/** Most instructions of a case. The longest takes about 3,000. */
const BUDGET = 200_000;
/** struct kunit (scenarios/kunit/kunit.h): walks asked for, and what the last one returned. */
const KUNIT_WALKS = 16;
const KUNIT_STATUS = 24;

/** One parameter of a case. */
interface Parameter {
  readonly name: string;
  /** Bytes from the start of the probed function to the probed instruction. */
  readonly offset: number;
  /** Address of the probed instruction; undefined for a case without parameters. */
  readonly probed: Address | undefined;
}

/** Runs cases on a given machine. */
export class CaseRunner {
  private readonly experiment: Experiment;
  private readonly kallsyms: Kallsyms;
  private readonly walk = new WalkResult();
  private stackShift = 0;

  /** @param kernel the guest kernel that is loaded on the machine */
  constructor(
    private readonly parts: LabParts,
    private readonly kernel: GuestKernelName,
  ) {
    this.experiment = new Experiment(parts);
    this.kallsyms = new Kallsyms(parts.machine.symbols);
  }

  /**
   * Run one case, with all its parameters, once for each policy. Policies take turns at each
   * parameter, because the engine keeps its translations as long as the code stays the same.
   * @param stackShift further bytes, a multiple of 16, by which the stack begins lower
   */
  run(policies: readonly PolicyName[], definition: KunitCase, stackShift = 0): CaseRun[] {
    this.stackShift = definition.stackShift + stackShift;
    const runs = policies.map((policy) => {
      const steps: StepRun[] = [];
      return { policy, caseName: definition.name, steps, seconds: 0 };
    });
    for (const parameter of this.parameters(definition)) {
      for (const run of runs) {
        const started = performance.now();
        run.steps.push(this.runParameter(run.policy, definition, parameter));
        run.seconds += (performance.now() - started) / 1000;
      }
    }
    return runs;
  }

  /** One parameter for each word of the probed function and the padding after it; else just one. */
  private parameters({ name, async }: KunitCase): Parameter[] {
    if (async === undefined) return [{ name, offset: 0, probed: undefined }];
    const fn = this.kallsyms.find(async);
    if (fn === undefined) return [];
    return Array.from({ length: fn.size / 4 }, (_, i) => {
      return { name: formatPlace(fn, 4 * i), offset: 4 * i, probed: fn.address + 4 * i };
    });
  }

  private runParameter(
    policy: PolicyName,
    definition: KunitCase,
    { name, offset, probed }: Parameter,
  ): StepRun {
    if (probed !== undefined && kprobeRefusal(this.parts.machine, probed) !== undefined) {
      const probe: ProbeRecord = { kind: 'refused', at: name, error: -EINVAL };
      return { name, probe, walk: undefined, problem: '' };
    }
    const scenario = kunitScenario(definition, offset, this.kernel);
    const step = this.step(policy, definition, scenario, name);
    if (probed === undefined) return step;
    const kind = step.walk === undefined ? 'not-hit' : 'hit';
    return { ...step, probe: { kind, at: name } };
  }

  private step(
    policy: PolicyName,
    definition: KunitCase,
    scenario: Scenario,
    name: string,
  ): StepRun {
    const { experiment } = this;
    const { stepper, kernel } = this.parts.machine;
    const entry = experiment.setUp(scenario, this.stackShift);
    if (typeof entry !== 'number') return broken(name, describeSetupError(entry));
    const missing = this.handlers(definition);
    let walk: WalkRun | undefined;
    let walks = 0;
    for (let executed = 0; stepper.pc !== kernel.roles.threadDone; executed++) {
      if (executed === BUDGET) return broken(name, `no end after ${BUDGET} instructions`);
      if (experiment.isAtRequest) {
        walk = this.answer(policy);
        walks++;
      }
      missing.delete(stepper.pc);
      if (!experiment.cpu.step()) return broken(name, experiment.cpu.scenario.problem);
    }
    const problem = this.outcome(walk, walks) ?? notCalled(missing) ?? '';
    return { name, probe: undefined, walk, problem };
  }

  /** First instructions of the handlers that a case must call, with their names. */
  private handlers(definition: KunitCase): Map<Address, string> {
    const { symbols } = this.parts.machine;
    const found = new Map<Address, string>();
    for (const name of handlersOf(definition)) found.set(symbols.byName(name)?.address ?? 0, name);
    return found;
  }

  /** Make the walk that the guest asks for, and hand it the answer. */
  private answer(policy: PolicyName): WalkRun | undefined {
    const { experiment, walk } = this;
    if (!experiment.enterRequest()) return undefined;
    const verdict = experiment.ask(this.parts.model, POLICIES[policy], 'reliable', walk);
    const error = experiment.answerRequest(walk);
    const reliable = error === 0;
    const entries = reliable ? walk.entries.subarray(0, walk.count) : [];
    return {
      error: reliable ? undefined : error,
      reason: reliable ? '' : (WALK_REASONS[walk.status] ?? ''),
      entries: Array.from(entries, (address) => this.kallsyms.format(address)),
      warning: walk.warned === 0 ? '' : (WALK_WARNINGS[walk.warned] ?? ''),
      unsafe: reliable ? this.unsafe(verdict) : '',
    };
  }

  /** Why a walk that was called reliable is not exact. */
  private unsafe(verdict: number): string {
    if (verdict === VerdictCode.EXACT) return '';
    const listed = new Set(this.walk.entries.subarray(0, this.walk.count));
    const { addresses, count } = this.experiment.truth;
    const required = addresses.subarray(0, count);
    const absent = Array.from(required).filter(
      (address) => !listed.has(address) && !this.parts.judge.isOptional(address),
    );
    const names = absent.map((address) => this.kallsyms.format(address));
    return [VERDICTS[verdict] ?? '?', ...names].join(' ');
  }

  /**
   * The guest's own record of the case must agree with what was observed.
   * @returns how it differs
   */
  private outcome(walk: WalkRun | undefined, walks: number): string | undefined {
    const { memory, symbols } = this.parts.machine;
    const result = threadResult(this.parts.machine);
    if (result !== 0) return `the test function returned ${result ?? 'nothing'}`;
    const state = symbols.byName('kunit_test')?.address ?? 0;
    const asked = memory.readAddress(state + KUNIT_WALKS);
    if (walks > 1 || asked !== walks) {
      return `${walks} walks were made, the guest asked for ${asked ?? 'none'}`;
    }
    const status = memory.readAddress(state + KUNIT_STATUS);
    if (walk !== undefined && status !== (walk.error ?? 0)) {
      return `the walk returned ${walk.error ?? 0}, the guest got ${status ?? 'nothing'}`;
    }
    return undefined;
  }
}

function notCalled(handlers: ReadonlyMap<Address, string>): string | undefined {
  return handlers.size === 0 ? undefined : `not called: ${[...handlers.values()].join(', ')}`;
}

function broken(name: string, problem: string): StepRun {
  return { name, probe: undefined, walk: undefined, problem };
}
