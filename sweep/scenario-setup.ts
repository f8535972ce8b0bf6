/**
 * Brings a machine to the first instruction of a scenario: memory as loaded, patch sites of traced
 * functions enabled, arguments in place, a fresh kernel thread about to call the entry function.
 */
import type { Address } from '../emulator/address.js';
import type { ElfSymbol } from '../emulator/elf-types.js';
import type { Machine } from '../kernel-model/machine.js';
import {
  type CallArgument,
  describeCallError,
  startThreadCall,
} from '../kernel-model/thread-call.js';
import type { Scenario, ScenarioArgument } from '../scenarios/scenario.js';
import { findFunction } from './image-target.js';

/** Why a scenario cannot be set up. One line each: {@link describeSetupError}. */
export type SetupError =
  | { readonly kind: 'unknown-symbol'; readonly scenario: string; readonly symbol: string }
  | { readonly kind: 'not-traceable'; readonly scenario: string; readonly symbol: string }
  | { readonly kind: 'call'; readonly scenario: string; readonly message: string };

const NOP = 0xd503201f;
/** `mov x9, x30`: the first instruction of an enabled patch site (arch/arm64/kernel/ftrace.c). */
const MOV_X9_X30 = 0xaa1e03e9;
const BTI_C = 0xd503245f;

/**
 * Set a scenario up.
 * @returns the address of its entry function
 */
export function setUpScenario(machine: Machine, scenario: Scenario): Address | SetupError {
  machine.reset();
  const entry = entryFunction(machine, scenario.entry);
  if (entry === undefined) return unknownSymbol(scenario, scenario.entry);
  const traced = setTraced(machine, scenario);
  if (traced !== undefined) return traced;
  const args: CallArgument[] = [];
  for (const argument of scenario.args ?? []) {
    const resolved = resolveArgument(machine, argument);
    if (typeof resolved === 'string') return unknownSymbol(scenario, resolved);
    args.push(resolved);
  }
  const walkTask = setWalkTask(machine, scenario);
  if (walkTask !== undefined) return walkTask;
  const failed = startThreadCall(machine, entry.address, args);
  if (failed !== undefined) {
    return { kind: 'call', scenario: scenario.name, message: describeCallError(failed) };
  }
  return entry.address;
}

/** In the code under test first: a user's image may have functions named like the guest kernel's. */
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
  const { size, text, fill } = argument.buffer;
  const bytes = new Uint8Array(size).fill(fill ?? 0);
  if (text !== undefined) bytes.set(new TextEncoder().encode(text).subarray(0, size));
  return { kind: 'bytes', bytes };
}

/**
 * Enable the patch sites of the scenario's traced functions and disable those that an earlier
 * scenario on this machine had enabled. Code is not part of a snapshot, hence both.
 */
function setTraced(machine: Machine, scenario: Scenario): SetupError | undefined {
  const tracer = machine.symbols.byName('ftrace_caller');
  const patches: { address: Address; word: number }[] = [];
  for (const site of machine.patchedSites) {
    patches.push({ address: site, word: NOP }, { address: site + 4, word: NOP });
  }
  const sites: Address[] = [];
  for (const name of scenario.traced ?? []) {
    const symbol = machine.symbols.byName(name);
    if (symbol === undefined) return unknownSymbol(scenario, name);
    const site = patchSite(machine, symbol.address, patches);
    if (site === undefined || tracer === undefined) {
      return { kind: 'not-traceable', scenario: scenario.name, symbol: name };
    }
    sites.push(site);
    patches.push(
      { address: site, word: MOV_X9_X30 },
      { address: site + 4, word: branchAndLink(site + 4, tracer.address) },
    );
  }
  if (patches.length > 0) machine.patchCode(patches);
  machine.patchedSites.splice(0, Infinity, ...sites);
  return undefined;
}

/** The first of a function's two patchable NOPs, after its landing pad if it has one. */
function patchSite(
  machine: Machine,
  fn: Address,
  restored: readonly { readonly address: Address }[],
): Address | undefined {
  const word = (address: Address): number | undefined =>
    restored.some((patch) => patch.address === address) ? NOP : machine.memory.readWord(address);
  const site = word(fn) === BTI_C ? fn + 4 : fn;
  return word(site) === NOP && word(site + 4) === NOP ? site : undefined;
}

/** BL from one address to another (Arm ARM C6.2.35); both are within 128 MiB. */
function branchAndLink(from: Address, to: Address): number {
  return (0x94000000 | (((to - from) / 4) & 0x3ffffff)) >>> 0;
}

/** One line for a {@link SetupError}. */
export function describeSetupError(error: SetupError): string {
  switch (error.kind) {
    case 'unknown-symbol':
      return `scenario ${error.scenario}: no symbol ${error.symbol}`;
    case 'not-traceable':
      return `scenario ${error.scenario}: ${error.symbol} has no patch site`;
    case 'call':
      return `scenario ${error.scenario}: ${error.message}`;
  }
}
