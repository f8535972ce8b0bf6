/** Makes functions of a real kernel targets: how they are called, and what is promised for them. */
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
import { layoutNote } from '../unwinder/sframe/tables.js';
import { buildRules } from '../lab/rules.js';
import { isPattern, matchesPattern } from '../base/name-pattern.js';
import type { LabTarget } from '../lab/target.js';
import { loadVmlinux, type VmlinuxSource } from '../kernel-model/vmlinux/load.js';

/** Functions of a kernel, as a user asks for them. */
export interface KernelRequest {
  readonly source: VmlinuxSource;
  /** Functions to call; if empty, the routines of arch/arm64/lib. Patterns with `*` are for sampling. */
  readonly functions: readonly string[];
  /** Arguments for the only function; absent: the usual ones for each. */
  readonly args?: readonly ScenarioArgument[];
}

/** The targets of a request whose kernel and functions exist. */
export interface KernelTargets {
  readonly kernel: KernelImage;
  readonly targets: readonly LabTarget[];
  /** The kernel has no `.sframe`, so policies that use SFrame cannot be exact in it. */
  readonly lacksSFrame: boolean;
  /** What it does itself with its `.sframe`, where that is not what is done here. */
  readonly note: string | undefined;
}

/**
 * Makes the targets, and checks kernel and functions before workers start. Functions that are patterns
 * become no targets here. The error is one line.
 */
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
    note: layoutNote(source.file, elf.sframe),
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
    ? 'a kretprobe can be on one function only'
    : kretprobeObstacle(kernel);
}

/** The target for one function of a kernel. */
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
  return { scenario, vmlinux: source, reportsCoverage: true };
}
