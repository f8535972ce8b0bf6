/** A sample of a kernel's functions as targets, chosen on a machine of its own. */
import type { EngineBackend } from '../emulator/engine.js';
import { fail, ok, type Result } from '../base/result.js';
import type { FunctionCall } from '../targets/arm64-routines.js';
import { type FunctionSample, type SampleProgress, sampleFunctions } from './function-sample.js';
import { parseFunction } from '../targets/function-text.js';
import { kernelTarget } from '../targets/kernel-target.js';
import { Lab } from '../lab/lab.js';
import type { LabTarget } from '../lab/target.js';
import type { VmlinuxSource } from '../kernel-model/vmlinux/load.js';

/** How many functions of which kernel. */
export interface KernelSampleRequest {
  readonly source: VmlinuxSource;
  readonly count: number;
  readonly seed: number;
  /**
   * Functions as {@link parseFunction} takes them: `count` matches of each. Empty: any function,
   * untraced.
   */
  readonly patterns: readonly string[];
}

/** The sample, and its functions as targets. */
export interface KernelSample extends FunctionSample {
  readonly targets: readonly LabTarget[];
}

/** Choose the sample. The error is one line. */
export async function kernelSample(
  backend: EngineBackend,
  { source, count, seed, patterns }: KernelSampleRequest,
  onProgress: SampleProgress = () => undefined,
): Promise<Result<KernelSample, string>> {
  const lab = Lab.create(backend);
  if (!lab.ok) return fail(lab.error.message);
  const parts = lab.value.machineFor(undefined, undefined, source);
  if (!parts.ok) return fail(parts.error.message);
  const calls: FunctionCall[] = [];
  const left = new Map<string, number>();
  let tried = 0;
  const among = patterns.length === 0 ? ['*'] : patterns;
  for (const [i, pattern] of among.entries()) {
    const progress: SampleProgress = (share) => {
      onProgress((i + share) / among.length);
    };
    const fn = parseFunction(pattern);
    const sample = await sampleFunctions(parts.value, count, seed, fn, progress);
    calls.push(...sample.calls);
    for (const [reason, times] of sample.left) left.set(reason, (left.get(reason) ?? 0) + times);
    tried += sample.tried;
  }
  lab.value.close();
  const targets = calls.map((call) => kernelTarget(source, call));
  return ok({ calls, tried, left: [...left].sort((a, b) => b[1] - a[1]), targets });
}
