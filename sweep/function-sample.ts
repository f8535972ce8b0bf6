/**
 * C functions of a real kernel, chosen at random. Nothing is known about the arguments that a
 * function expects, and the kernel has not booted, so each candidate is tried: it is called as a
 * sweep would call it. It is taken when it returns and can be interrupted on the way, with its
 * tracer if it is to be traced.
 */
import { setImmediate } from 'node:timers/promises';
import { ERET, WFE, WFI } from '../aarch64/encodings.js';
import { randomIntegers } from '../base/random.js';
import type { ElfSymbol } from '../elf/symbols.js';
import { Kind } from '../kernel-model/exception-kind.js';
import { patchSite } from '../kernel-model/tracers/patch-site.js';
import type { ScenarioArgument, Tracing } from '../scenarios/scenario.js';
import { arm64Routines, type FunctionCall } from '../targets/arm64-routines.js';
import type { NamedFunction } from '../targets/function-text.js';
import { SELF_ARGUMENTS } from '../targets/arm64-routines.js';
import { matchesPattern } from '../base/name-pattern.js';
import { Experiment } from '../lab/experiment.js';
import { ScenarioSweep } from './scenario-sweep.js';
import type { LabParts } from '../lab/lab-parts.js';
import { explainKernelStop } from '../lab/problem.js';
import { Tally } from './tally.js';
import { measuringRange } from './range.js';

/** Most instructions that a sampled function may execute. */
const MAX_INSTRUCTIONS = 4000;
/** Most instructions that tracing may add to that, over all calls. */
const MAX_TRACER_INSTRUCTIONS = 20_000;
/** A function of fewer instructions is just a return, or a branch to one that was not sampled. */
const MIN_INSTRUCTIONS = 4;

/** Functions that are tried between two turns of the event loop. Each takes a few milliseconds. */
const TRIES_PER_TURN = 4;

/** Is told how far the choice has come. @param share 0 to 1 */
export type SampleProgress = (share: number) => void;

/** The outcome of a sample. */
export interface FunctionSample {
  readonly calls: readonly FunctionCall[];
  /** Functions tried. */
  readonly tried: number;
  /** Why functions were not taken: reason and count, most frequent first. */
  readonly left: readonly (readonly [reason: string, count: number])[];
}

const ZERO_ARGUMENTS: readonly ScenarioArgument[] = SELF_ARGUMENTS.map(() => ({
  buffer: { size: 512 },
}));
const NUMBER_ARGUMENTS: readonly ScenarioArgument[] = SELF_ARGUMENTS.map((_, i) => ({
  number: i + 1,
}));

/**
 * Choose `count` functions, or as many as there are.
 * @param seed any integer; the same seed chooses the same functions of the same kernel
 * @param among the pattern that their names match, and what traces them
 */
export async function sampleFunctions(
  parts: LabParts,
  count: number,
  seed: number,
  among: NamedFunction,
  onProgress: SampleProgress = () => undefined,
): Promise<FunctionSample> {
  const trial = new Trial(parts, among.tracing);
  const calls: FunctionCall[] = [];
  const left = new Map<string, number>();
  let tried = 0;
  const possible = shuffled(candidates(parts), seed).filter(({ name }) =>
    matchesPattern(among.entry, name),
  );
  for (const { name } of possible) {
    if (calls.length >= count) break;
    // Let signals and the progress display have their turn.
    if (tried % TRIES_PER_TURN === 0) await setImmediate();
    onProgress(Math.max(calls.length / count, tried / possible.length));
    tried++;
    const found = trial.try(name);
    if (typeof found !== 'string') calls.push(found);
    else left.set(found, (left.get(found) ?? 0) + 1);
  }
  return { calls, tried, left: [...left].sort((a, b) => b[1] - a[1]) };
}

/** Functions in code that is never written, each under the name that looks it up. */
function candidates({ machine }: LabParts): ElfSymbol[] {
  const { kernel, symbols, memory } = machine;
  const routines = new Set(
    arm64Routines((name) => symbols.byName(name)).map(({ name }) => symbols.byName(name)?.address),
  );
  return [...symbols.functions()].filter(
    ({ name, address, kind }) =>
      kind === 'function' &&
      memory.regionAt(address)?.runBytes !== undefined &&
      symbols.byName(name)?.address === address &&
      kernel.elf.segments.some(
        ({ address: low, memorySize }) => address >= low && address < low + memorySize,
      ) &&
      kernel.bootedFunctions?.has(address) !== true &&
      !routines.has(address),
  );
}

class Trial {
  private readonly experiment: Experiment;

  constructor(
    private readonly parts: LabParts,
    private readonly tracing: Tracing | undefined,
  ) {
    this.experiment = new Experiment(parts);
  }

  /** The call that executes most of the function, or why it has none. */
  try(name: string): FunctionCall | string {
    const { tracing } = this;
    const fn = this.parts.machine.symbols.byName(name)?.address ?? NaN;
    const isTraced = tracing?.by === 'fgraph' && tracing.functions === undefined;
    if (isTraced && patchSite(this.parts.machine, fn) === undefined) {
      return 'has no patch site';
    }
    let best: FunctionCall | undefined;
    let most = MIN_INSTRUCTIONS - 1;
    let reason = '';
    for (const args of [SELF_ARGUMENTS, ZERO_ARGUMENTS, NUMBER_ARGUMENTS]) {
      const instructions = this.run(name, args);
      if (typeof instructions === 'string') reason = instructions;
      else if (instructions > most) {
        most = instructions;
        best = { name, args };
      }
    }
    if (best === undefined) return reason === '' ? 'too short' : reason;
    const call = tracing === undefined ? best : { ...best, tracing };
    return this.interrupted(call) ?? call;
  }

  /** Instructions up to the return, or why it does not return. */
  private run(name: string, args: readonly ScenarioArgument[]): number | string {
    const { stepper, kernel, memory } = this.parts.machine;
    const { experiment } = this;
    const { cpu } = experiment;
    const entry = experiment.setUp({ name, summary: '', entry: name, args });
    if (typeof entry !== 'number') return 'cannot be set up';
    let from = -1;
    let depth = 0;
    for (let i = 0; i < MAX_INSTRUCTIONS; i++) {
      const { pc } = stepper;
      const pending = experiment.groundTruth.current.depth;
      if (pc === entry && from < 0) {
        from = i;
        depth = pending;
      }
      if (from >= 0 && pending < depth) return i - from;
      const word = memory.readWord(pc);
      if (word !== undefined && changesTheCpu(word)) return 'writes a system register';
      if (cpu.step()) {
        const warning = explainKernelStop(kernel, cpu.scenario.warnedAt);
        if (warning !== undefined) return warning.detail;
        continue;
      }
      const stop = explainKernelStop(kernel, stepper.pc);
      return stop === undefined ? 'dereferences its arguments out of bounds' : stop.detail;
    }
    return `takes more than ${MAX_INSTRUCTIONS} instructions`;
  }

  /** Why the function cannot be interrupted; undefined when it can. */
  private interrupted({ name, args, tracing }: FunctionCall): string | undefined {
    let problem: string | undefined;
    const sweep = new ScenarioSweep(this.experiment, [], new Tally(0), {
      example: () => undefined,
      wrongRow: () => undefined,
      problem: ({ detail }) => {
        problem = detail;
        return false;
      },
    });
    const traced = tracing === undefined ? {} : { tracing };
    const scenario = { name, summary: '', entry: name, args, ...traced };
    const entry = this.experiment.setUp(scenario);
    if (typeof entry !== 'number') return 'cannot be set up';
    const most = MAX_INSTRUCTIONS + (tracing === undefined ? 100 : MAX_TRACER_INSTRUCTIONS);
    const end = sweep.run(entry, { ...measuringRange(most), kinds: 1 << Kind.IRQ });
    if (problem !== undefined || tracing === undefined) return problem;
    return end.returnedToTracer === true ? undefined : 'returns without reaching its tracer';
  }
}

/** MSR to anything but DAIF and NZCV, ERET, and what waits. */
function changesTheCpu(word: number): boolean {
  const op = word >>> 0;
  if ((op & 0xfff00000) >>> 0 === 0xd5100000) {
    const register = (op >>> 5) & 0x7fff;
    return register !== DAIF && register !== NZCV;
  }
  return op === WFE || op === WFI || op === ERET;
}

/** System register fields, bits 19:5 (Arm ARM D19.2). */
const DAIF = 0x5a11;
const NZCV = 0x5a10;

/** Shuffle in place (Fisher-Yates). */
function shuffled<T>(items: T[], seed: number): T[] {
  const random = randomIntegers(seed);
  for (let i = items.length - 1; i > 0; i--) {
    const j = random(2 ** 32) % (i + 1);
    [items[i], items[j]] = [items[j] as T, items[i] as T];
  }
  return items;
}
