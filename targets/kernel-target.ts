/** Sweeps of a real kernel's functions: which ones, called how, and what is promised of them. */
import type { ElfImage } from '../elf/image.js';
import { fail, ok, type Result } from '../base/result.js';
import { graphObstacle } from '../kernel-model/tracers/graph-tracer.js';
import type { KernelImage } from '../kernel-model/kernel-image.js';
import { kretprobeObstacle } from '../kernel-model/tracers/kretprobe-tracer.js';
import type { ScenarioArgument, Tracing } from '../scenarios/scenario.js';
import { arm64Routines, defaultArguments, type FunctionCall } from './arm64-routines.js';
import { formatFunction, type NamedFunction, parseFunction } from './function-text.js';
import { findFunction, noFunction } from '../elf/functions.js';
import { IMAGE_PROMISES } from './image-target.js';
import { buildRules } from '../lab/rules.js';
import { isPattern, matchesPattern } from '../base/name-pattern.js';
import type { LabTarget } from '../lab/target.js';
import { loadVmlinux, type VmlinuxSource } from '../kernel-model/vmlinux/load.js';

/** What a user asks for. */
export interface KernelRequest {
  readonly source: VmlinuxSource;
  /** Functions to call, those with `*` to be sampled; none: the routines of arch/arm64/lib. */
  readonly functions: readonly string[];
  /** Arguments for the only function; absent: those that suit it. */
  readonly args?: readonly ScenarioArgument[];
}

/** A checked request. */
export interface KernelTargets {
  readonly kernel: KernelImage;
  readonly targets: readonly LabTarget[];
  readonly lacksSFrame: boolean;
}

/** Checks kernel and functions before any worker does. The error is one line. */
export function kernelTargets(request: KernelRequest): Result<KernelTargets, string> {
  const { source } = request;
  const loaded = loadVmlinux(source);
  if (!loaded.ok) return loaded;
  const { elf } = loaded.value;
  const rules = buildRules([elf]);
  if (!rules.ok) return fail(`${source.file}: ${rules.error.message}`);
  for (const text of request.functions) {
    const { entry, tracing } = parseFunction(text);
    const unknown = unknownName(elf, entry) ?? unknownName(elf, tracing?.functions ?? entry);
    if (unknown !== undefined) return fail(`${source.file}: ${unknown}`);
    const obstacle = tracing === undefined ? undefined : tracerObstacle(loaded.value, tracing);
    if (obstacle !== undefined) return fail(`${source.file}: ${text}: ${obstacle}`);
  }
  const calls =
    request.functions.length === 0
      ? arm64Routines((name) => findFunction(elf, name))
      : request.functions
          .map(parseFunction)
          .filter(({ entry }) => !isPattern(entry))
          .map((named) => callOf(named, request.args));
  return ok({
    kernel: loaded.value,
    targets: calls.map((call) => kernelTarget(source, call)),
    lacksSFrame: elf.sframe.length === 0,
  });
}

function callOf(
  { entry, tracing }: NamedFunction,
  given: readonly ScenarioArgument[] | undefined,
): FunctionCall {
  const args = given ?? defaultArguments(entry);
  return { name: entry, args, ...(tracing === undefined ? {} : { tracing }) };
}

function unknownName(elf: ElfImage, name: string): string | undefined {
  if (!isPattern(name)) {
    return findFunction(elf, name) === undefined ? noFunction(elf, name) : undefined;
  }
  return elf.symbols.some(
    (symbol) => matchesPattern(name, symbol.name) && findFunction(elf, symbol.name),
  )
    ? undefined
    : `no function matches '${name}'`;
}

function tracerObstacle(kernel: KernelImage, { by, functions }: Tracing): string | undefined {
  if (by === 'fgraph') return graphObstacle(kernel);
  return functions !== undefined && isPattern(functions)
    ? 'a kretprobe is on one function only'
    : kretprobeObstacle(kernel);
}

/** One function of a kernel as a target. */
export function kernelTarget(
  source: VmlinuxSource,
  { name, args, tracing }: FunctionCall,
): LabTarget {
  const traced = tracing === undefined ? {} : { tracing };
  const shown = formatFunction({ entry: name, ...traced });
  const scenario = {
    name: `${source.file}:${shown}`,
    summary: `${shown} of ${source.file}`,
    entry: name,
    ...traced,
    args,
    promises: IMAGE_PROMISES,
  };
  return { scenario, vmlinux: source };
}
