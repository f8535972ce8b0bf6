/**
 * The machines that the cases run on: one for each kernel that a policy needs, with the cases
 * loaded.
 */
import type { EngineBackend } from '../emulator/engine.js';
import { fail, ok, type Result } from '../base/result.js';
import { family } from '../scenarios/kunit/kunit.js';
import type { GuestKernelName } from '../scenarios/scenario.js';
import type { PolicyName } from '../unwinder/policy.js';
import { scenarioElf } from '../targets/catalogue.js';
import { Lab } from '../lab/lab.js';
import { CaseRunner } from './runner.js';

/** The guest kernel whose return path a policy is made for. */
export function guestKernelOf(policy: PolicyName | undefined): GuestKernelName {
  return policy === 'fgraph-recover' ? 'fgraph-recover' : 'linux';
}

/** Builds machines when they are first needed, and keeps them. */
export class KunitMachines {
  private readonly labs: Lab[] = [];
  private readonly runners = new Map<GuestKernelName, CaseRunner>();

  constructor(private readonly backend: EngineBackend) {}

  /** The runner on the machine with a kernel, or why there is none, in one line. */
  runnerFor(kernel: GuestKernelName): Result<CaseRunner, string> {
    const known = this.runners.get(kernel);
    if (known !== undefined) return ok(known);
    const lab = Lab.create(this.backend);
    if (!lab.ok) return fail(lab.error.message);
    this.labs.push(lab.value);
    const parts = lab.value.machineFor(scenarioElf(family, kernel), kernel);
    if (!parts.ok) return fail(parts.error.message);
    const runner = new CaseRunner(parts.value, kernel);
    this.runners.set(kernel, runner);
    return ok(runner);
  }

  /** Free the engines. */
  close(): void {
    for (const lab of this.labs) lab.close();
    this.labs.length = 0;
    this.runners.clear();
  }
}
