/**
 * Brings a machine to the first instruction of a scenario. Memory is as loaded, patch sites of traced
 * functions are enabled, probes are armed, and a new kernel thread is about to call the entry function
 * with its arguments.
 */
import type { Address } from '../base/address.js';
import type { ElfSymbol } from '../elf/symbols.js';
import { fail, type Result } from '../base/result.js';
import { graphTracer, traceableFunctions } from '../kernel-model/tracers/graph-tracer.js';
import { kretprobe } from '../kernel-model/tracers/kretprobe-tracer.js';
import type { Machine } from '../kernel-model/machine.js';
import { enabledSite, patchSite } from '../kernel-model/tracers/patch-site.js';
import {
  type CallArgument,
  describeCallError,
  startThreadCall,
} from '../kernel-model/thread-call.js';
import type { TracerSetup } from '../kernel-model/tracers/tracer-setup.js';
import type { Scenario, ScenarioArgument } from '../scenarios/scenario.js';
import { isPattern, matchesPattern } from '../base/name-pattern.js';
import { findFunction } from '../elf/functions.js';
import {
  type CodeOverlay,
  describeKprobeError,
  type KprobeError,
  kprobeRefusal,
  KprobeSetup,
  noKprobe,
} from './kprobe-setup.js';

/** Why a scenario cannot be set up. {@link describeSetupError} makes one line of it. */
export type SetupError =
  | { readonly kind: 'unknown-symbol'; readonly scenario: string; readonly symbol: string }
  | { readonly kind: 'not-traceable'; readonly scenario: string; readonly symbol: string }
  | { readonly kind: 'kprobe'; readonly scenario: string; readonly error: KprobeError }
  | { readonly kind: 'call'; readonly scenario: string; readonly message: string };

/**
 * Set a scenario up.
 * @returns the address of its entry function, or an error
 */
export function setUpScenario(machine: Machine, scenario: Scenario): Address | SetupError {
  machine.reset();
  const entry = entryFunction(machine, scenario.entry);
  if (entry === undefined) return unknownSymbol(scenario, scenario.entry);
  const code = setCode(machine, scenario);
  if (code !== undefined) return code;
  const args: CallArgument[] = [];
  for (const argument of scenario.args ?? []) {
    const resolved = resolveArgument(machine, argument);
    if (typeof resolved === 'string') return unknownSymbol(scenario, resolved);
    args.push(resolved);
  }
  const walkTask = setWalkTask(machine, scenario);
  if (walkTask !== undefined) return walkTask;
  const thread = threadFunction(machine, scenario);
  if (typeof thread !== 'number') return thread;
  const failed = startThreadCall(machine, entry.address, args, thread);
  if (failed !== undefined) {
    return { kind: 'call', scenario: scenario.name, message: describeCallError(failed) };
  }
  return entry.address;
}

/** The function of a name. The code under test comes first: it may use names of the guest kernel. */
function entryFunction({ images, symbols }: Machine, name: string): ElfSymbol | undefined {
  for (const image of images) {
    const found = findFunction(image, name);
    if (found !== undefined) return found;
  }
  return symbols.byName(name);
}

function unknownSymbol(scenario: Scenario, symbol: string): SetupError {
  return { kind: 'unknown-symbol', scenario: scenario.name, symbol };
}

function threadFunction(machine: Machine, scenario: Scenario): Address | SetupError {
  if (scenario.thread === undefined) return machine.kernel.roles.thread;
  return (
    entryFunction(machine, scenario.thread)?.address ?? unknownSymbol(scenario, scenario.thread)
  );
}

function setWalkTask(machine: Machine, scenario: Scenario): SetupError | undefined {
  if (scenario.walkTask === undefined) return undefined;
  const task = machine.symbols.byName(scenario.walkTask);
  if (task === undefined) return unknownSymbol(scenario, scenario.walkTask);
  machine.memory.writeAddress(machine.kernel.roles.walkTask, task.address);
  return undefined;
}

function resolveArgument(machine: Machine, argument: ScenarioArgument): CallArgument | string {
  if ('number' in argument) return { kind: 'number', value: argument.number };
  if ('symbol' in argument) {
    const symbol = machine.symbols.byName(argument.symbol);
    if (symbol === undefined) return argument.symbol;
    return { kind: 'number', value: symbol.address };
  }
  if ('self' in argument) {
    return { kind: 'bytes', bytes: new Uint8Array(argument.self.size), selfPointers: true };
  }
  const { size, text, fill } = argument.buffer;
  const bytes = new Uint8Array(size).fill(fill ?? 0);
  if (text !== undefined) bytes.set(new TextEncoder().encode(text).subarray(0, size));
  return { kind: 'bytes', bytes };
}

/**
 * Enable the patch sites of the scenario's traced functions and arm its probes; those of an earlier
 * scenario go. Probes come last, because a probe may be on a patched word.
 */
function setCode(machine: Machine, scenario: Scenario): SetupError | undefined {
  const code: CodeOverlay = new Map();
  const tracer = machine.symbols.byName('ftrace_caller');
  for (const name of scenario.traced ?? []) {
    const symbol = machine.symbols.byName(name);
    if (symbol === undefined) return unknownSymbol(scenario, name);
    const site = patchSite(machine, symbol.address);
    if (site === undefined || tracer === undefined) {
      return { kind: 'not-traceable', scenario: scenario.name, symbol: name };
    }
    for (const { address, word } of enabledSite(site, tracer.address)) code.set(address, word);
  }
  const setup = realTracer(machine, scenario);
  if (setup?.ok === false) {
    return { kind: 'call', scenario: scenario.name, message: setup.error };
  }
  for (const { address, word } of setup?.value.code ?? []) code.set(address, word);
  for (const { address, value } of setup?.value.words ?? []) {
    machine.memory.writeAddress(address, value);
  }
  for (const { address, value } of setup?.value.words32 ?? []) {
    machine.memory.writeWord(address, value);
  }
  const probes = new KprobeSetup(machine, code);
  for (const site of scenario.kprobes ?? []) {
    const failed = probes.probe(site);
    if (failed !== undefined) return { kind: 'kprobe', scenario: scenario.name, error: failed };
  }
  for (const site of scenario.kretprobes ?? []) {
    const failed = probes.returnProbe(site);
    if (failed !== undefined) return { kind: 'kprobe', scenario: scenario.name, error: failed };
  }
  machine.setCode(code, setup?.value.breakpoints ?? probes.breakpoints);
  return undefined;
}

/** What has to be set up for tracing in a real kernel; undefined when nothing is traced. */
function realTracer(
  machine: Machine,
  { entry, tracing }: Scenario,
): Result<TracerSetup, string> | undefined {
  if (tracing === undefined) return undefined;
  const name = tracing.functions ?? entry;
  if (tracing.by === 'fgraph' && isPattern(name)) {
    const isWanted = (fn: string): boolean => matchesPattern(name, fn);
    return graphTracer(machine, traceableFunctions(machine, isWanted));
  }
  const fn = machine.symbols.byName(name);
  if (fn === undefined) return fail(`no function ${name}`);
  if (tracing.by === 'fgraph') return graphTracer(machine, [fn]);
  const refused = kprobeRefusal(machine, fn.address);
  return refused === undefined ? kretprobe(machine, fn.address) : fail(noKprobe(name, refused));
}

/** One line for a {@link SetupError}. */
export function describeSetupError(error: SetupError): string {
  switch (error.kind) {
    case 'unknown-symbol':
      return `scenario ${error.scenario}: no symbol ${error.symbol}`;
    case 'not-traceable':
      return `scenario ${error.scenario}: ${error.symbol} has no patch site`;
    case 'kprobe':
      return `scenario ${error.scenario}: ${describeKprobeError(error.error)}`;
    case 'call':
      return `scenario ${error.scenario}: ${error.message}`;
  }
}
