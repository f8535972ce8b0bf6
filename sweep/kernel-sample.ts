/** A sample of a kernel's functions as targets, chosen on a machine that is made for it. */
import type { EngineBackend } from '../emulator/engine.js';
import { fail, ok, type Result } from '../emulator/result.js';
import { type FunctionSample, sampleFunctions } from './function-sample.js';
import { kernelTarget } from './kernel-target.js';
import { Lab } from './lab.js';
import type { SweepTarget } from './unit.js';
import type { VmlinuxSource } from './vmlinux.js';

/** How many functions of which kernel. */
export interface KernelSampleRequest {
  readonly source: VmlinuxSource;
  readonly count: number;
  readonly seed: number;
}

/** The sample, and its functions as targets. */
export interface KernelSample extends FunctionSample {
  readonly targets: readonly SweepTarget[];
}

/** Choose. The error is one line. */
export function kernelSample(
  backend: EngineBackend,
  { source, count, seed }: KernelSampleRequest,
): Result<KernelSample, string> {
  const lab = Lab.create(backend);
  if (!lab.ok) return fail(lab.error.message);
  const parts = lab.value.machineFor(undefined, undefined, source);
  if (!parts.ok) return fail(parts.error.message);
  const sample = sampleFunctions(parts.value, count, seed);
  lab.value.close();
  return ok({ ...sample, targets: sample.calls.map((call) => kernelTarget(source, call)) });
}
