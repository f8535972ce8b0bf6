/**
 * What the engine can do without any unwinding, judging or checking of ours: the yardstick for the
 * sweep (docs/design.md, "The engine").
 */
import { WFI } from '../aarch64/encodings.js';
import {
  type Engine,
  type EngineBackend,
  PAGE_SIZE,
  Permission,
  RegisterSet,
} from '../emulator/engine.js';
import { InstructionClass } from '../aarch64/instruction.js';
import { Pstate, Reg, RegisterFile } from '../emulator/registers.js';
import { StepStatus } from '../emulator/stepping-cpu.js';
import { Kind } from '../kernel-model/exception-kind.js';
import { ExceptionSource } from '../kernel-model/exception-source.js';
import type { Machine } from '../kernel-model/machine.js';
import { setUpScenario } from '../lab/scenario-setup.js';
import type { LabParts } from '../lab/lab-parts.js';
import type { LabTarget } from '../lab/target.js';
import { measure, type Rate } from './rounds.js';
import * as word from './words.js';

const ROUNDS = 5;
const ROUND_SECONDS = 0.4;
/** Instructions of a point's free run (docs/design.md, "The engine"). */
const RUN_INSTRUCTIONS = 220;
/**
 * Stores among them, in the variant that has as many as the guest's entry, handler and exit code.
 */
const RUN_STORES = 60;
/** The most instructions to count in one exception of the guest kernel. */
const COUNT_BUDGET = 50_000;

const CODE = -(2 ** 47) + 0x100000000000;
const RUN_CODE = CODE + PAGE_SIZE;
const STACK = CODE + 4 * PAGE_SIZE;

/** The engine's limits, per second. */
export interface EngineLimits {
  /** One instruction, and a read of 34 registers in one batch. */
  readonly stepAndRead: Rate;
  /**
   * The same, then all registers are handed to a second engine, which runs 220 instructions to a
   * stop.
   */
  readonly point: Rate;
  /** The same, with 60 stores of 8 bytes among the 220. */
  readonly pointWithStores: Rate;
  /** The same, with the guest kernel's own IRQ entry, handler and exit code as the free run. */
  readonly kernelPoint: Rate;
  /** Instructions of that entry code (vector to walk request) and exit code (to the ERET). */
  readonly kernelEntryInstructions: number;
  readonly kernelExitInstructions: number;
  /** Registers that these instructions store. */
  readonly kernelStores: number;
}

/** Measures the limits. `parts` must be a machine on which `target` can be set up. */
export function measureEngine(
  backend: EngineBackend,
  parts: LabParts,
  target: LabTarget,
): EngineLimits {
  const stepper = openEngine(backend, 0);
  const file = new RegisterFile();
  file.set(Reg.SP, STACK + PAGE_SIZE);
  file.set(Reg.PC, CODE);
  file.set(Reg.PSTATE, Pstate.EL1H);
  stepper.write(file, RegisterSet.ALL);
  const step = (): void => {
    stepper.step(file.get(Reg.PC));
    stepper.read(file, RegisterSet.GENERAL);
  };
  const stepAndRead = measure(ROUNDS, ROUND_SECONDS, step);
  const point = freePoint(backend, file, step, 0);
  const pointWithStores = freePoint(backend, file, step, RUN_STORES);
  const kernel = kernelPoint(parts, target, step);
  stepper.close();
  return { stepAndRead, point, pointWithStores, ...kernel };
}

/** Step and read, then hand over to an engine that runs freely. */
function freePoint(
  backend: EngineBackend,
  file: RegisterFile,
  step: () => void,
  stores: number,
): Rate {
  const runner = openEngine(backend, stores);
  const rate = measure(ROUNDS, ROUND_SECONDS, () => {
    step();
    runner.write(file, RegisterSet.ALL);
    runner.run(RUN_CODE);
  });
  const stopped = new RegisterFile();
  runner.read(stopped, RegisterSet.GENERAL);
  runner.close();
  if (stopped.get(Reg.PC) !== RUN_CODE + 4 * (RUN_INSTRUCTIONS + 1)) {
    throw new Error('the free run did not come to its stop');
  }
  return rate;
}

/** An engine with a loop to step through, 220 instructions to run, and its own stack. */
function openEngine(backend: EngineBackend, stores: number): Engine {
  const opened = backend.open();
  if (!opened.ok) throw new Error(opened.error.message);
  const engine = opened.value;
  const code = backend.allocate(2 * PAGE_SIZE);
  const words = new Uint32Array(code.buffer, code.byteOffset, code.length >> 2);
  words.set([word.COUNT, word.COUNT, word.COUNT, word.branch(-3)]);
  words.set(freeRun(stores), PAGE_SIZE / 4);
  const execute = Permission.READ | Permission.EXECUTE;
  engine.map(CODE, code, execute);
  engine.map(STACK, backend.allocate(2 * PAGE_SIZE), Permission.READ | Permission.WRITE);
  engine.setUp(CODE, 0);
  return engine;
}

/**
 * 220 instructions and a stop: arithmetic, with a load in five and a branch in eleven.
 * @param stores how many of them are stores; in entry code one in four is
 */
function freeRun(stores: number): number[] {
  const { COUNT, LOAD } = word;
  const block = [COUNT, LOAD, COUNT, COUNT, COUNT, COUNT, LOAD, COUNT, COUNT, COUNT];
  block.push(word.branch(1));
  const words = Array.from({ length: RUN_INSTRUCTIONS / block.length }, () => block).flat();
  let left = stores;
  for (let i = 0; i < words.length && left > 0; i++) {
    if (words[i] !== COUNT) continue;
    words[i] = word.STORE;
    left--;
  }
  return [...words, WFI];
}

type KernelPoint = Pick<
  EngineLimits,
  'kernelPoint' | 'kernelEntryInstructions' | 'kernelExitInstructions' | 'kernelStores'
>;

/** Takes an IRQ again and again at the first instruction of a scenario, without any check. */
function kernelPoint(parts: LabParts, target: LabTarget, step: () => void): KernelPoint {
  const { machine } = parts;
  setUpAtEntry(machine, target);
  const source = new ExceptionSource(machine);
  const instructions = countInstructions(machine, source);
  const interrupted = setUpAtEntry(machine, target);
  const entry = new RegisterFile();
  const request = new RegisterFile();
  const { runner } = machine;
  const rate = measure(ROUNDS, ROUND_SECONDS, () => {
    step();
    entry.copyFrom(interrupted);
    source.deliver(Kind.IRQ, entry);
    runner.write(entry, RegisterSet.ALL);
    runner.run(entry.get(Reg.PC));
    runner.read(request, RegisterSet.GENERAL);
    runner.run(request.get(Reg.X30));
  });
  if (request.get(Reg.PC) !== machine.kernel.roles.walkRequest + 4) {
    throw new Error('the handler did not come to its walk request');
  }
  return { kernelPoint: rate, ...instructions };
}

function setUpAtEntry(machine: Machine, target: LabTarget): RegisterFile {
  const entry = setUpScenario(machine, target.scenario);
  if (typeof entry !== 'number') throw new Error(`cannot set up ${target.scenario.name}`);
  const status = machine.stepper.runTo(entry, COUNT_BUDGET);
  if (status !== StepStatus.DONE) throw new Error(machine.stepper.describe(status));
  return machine.stepper.registers;
}

function countInstructions(
  machine: Machine,
  source: ExceptionSource,
): Omit<KernelPoint, 'kernelPoint'> {
  const cpu = machine.stepper;
  source.deliver(Kind.IRQ, cpu.registers);
  cpu.writeBack();
  let entry = 0;
  let all = 0;
  let stores = 0;
  do {
    if (cpu.pc === machine.kernel.roles.walkRequest) entry = all;
    const status = cpu.step();
    if (status !== StepStatus.DONE) throw new Error(cpu.describe(status));
    all++;
    stores += storesOf(cpu.instructionWord);
  } while (cpu.instructionClass !== InstructionClass.ERET && all < COUNT_BUDGET);
  const exit = all - entry;
  return { kernelEntryInstructions: entry, kernelExitInstructions: exit, kernelStores: stores };
}

/**
 * Registers that an instruction stores: two for STP, one for STR (Arm ARM C4.1.88, loads and
 * stores).
 */
function storesOf(instruction: number): number {
  if ((instruction & 0x0a000000) !== 0x08000000) return 0;
  const isPair = ((instruction >>> 27) & 7) === 5;
  if (isPair) return (instruction & 0x00400000) === 0 ? 2 : 0;
  return (instruction & 0x00c00000) === 0 ? 1 : 0;
}
