/**
 * One simulated machine: guest RAM with a kernel image and the code under test in it, and three
 * engines over that RAM.
 *
 * - The *stepper* executes the scenario one instruction at a time.
 * - The *runner* executes exception entry, handler and exit at full speed.
 * - The *returner* executes the ERET. Now and then it also steps through a whole exception, to
 *   learn the truth about its calls.
 *
 * There are three because one engine would drop its translations whenever it alternates between
 * counted and uncounted runs.
 */
import { WFI } from '../aarch64/encodings.js';
import type { Address } from '../base/address.js';
import { DynamicLinker } from '../elf/dynamic-linker.js';
import type { ElfImage } from '../elf/image.js';
import type { LoadedSegment } from '../elf/segments.js';
import { describeElfError, type ElfError } from '../elf/error.js';
import {
  type Engine,
  type EngineBackend,
  type EngineError,
  Permission,
  RegisterSet,
} from '../emulator/engine.js';
import { describeMemoryError, GuestMemory, type MemoryError } from '../emulator/guest-memory.js';
import { classify, InstructionClass } from '../aarch64/instruction.js';
import { Pstate, Reg } from '../emulator/registers.js';
import { fail, ok, type Result } from '../base/result.js';
import { restoreSnapshot, type Snapshot, takeSnapshot } from '../emulator/snapshot.js';
import { SteppingCpu } from '../emulator/stepping-cpu.js';
import { SymbolTable } from '../elf/symbol-table.js';
import { resolveIndirectFunctions } from './indirect-functions.js';
import type { KernelImage } from './kernel-image.js';
import { WALK_RETURN } from './walk-stub.js';

/** Address of the area for the buffers of a scenario's arguments. */
export const ARGUMENT_AREA: Address = -(2 ** 47) + 0x200000000000;
/** Bytes of the argument area. */
export const ARGUMENT_AREA_SIZE = 1 << 20;

/** Why a machine could not be built. */
export type MachineError =
  MemoryError | { readonly kind: 'elf'; readonly path: string; readonly error: ElfError };

/** A machine with a kernel and, optionally, other images loaded. */
export class Machine {
  readonly symbols: SymbolTable;
  /** The original words that {@link setCode} has replaced. Code is not part of a snapshot. */
  private loadedCode: ReadonlyMap<Address, number> = new Map<Address, number>();
  private readonly armed = new Map<Address, number>();
  private readonly initial: Snapshot;
  /** Why the resolver of an indirect function failed, by the address that stands for the function. */
  readonly unresolved: ReadonlyMap<Address, string>;

  private constructor(
    readonly kernel: KernelImage,
    readonly images: readonly ElfImage[],
    readonly memory: GuestMemory,
    readonly stepper: SteppingCpu,
    readonly runner: Engine,
    readonly returner: SteppingCpu,
    /** Knows the symbols that `images` do not define. */
    readonly linker: DynamicLinker,
  ) {
    this.symbols = new SymbolTable([kernel.elf, ...images]);
    this.prepareEngines();
    const stackTop = ARGUMENT_AREA + ARGUMENT_AREA_SIZE;
    this.unresolved = resolveIndirectFunctions(stepper, memory, linker, stackTop);
    this.initial = takeSnapshot(stepper.engine, memory);
  }

  /**
   * Build a machine.
   * @param images loaded next to the kernel, at their linked addresses: scenario ELFs, a user's
   * file
   */
  static create(
    backend: EngineBackend,
    kernel: KernelImage,
    images: readonly ElfImage[],
  ): Result<Machine, MachineError> {
    const memory = new GuestMemory(backend);
    const linker = new DynamicLinker();
    for (const image of [kernel.elf, ...images]) {
      // A kernel relocates itself, and knows relative relocations only.
      const loaded = image.applyRelocations(0, image === kernel.elf ? 'refuse' : linker);
      if (!loaded.ok) return fail({ kind: 'elf', path: image.path, error: loaded.error });
      const added = addSegments(memory, image.path, loaded.value);
      if (!added.ok) return added;
    }
    const prepared = prepareState(memory, kernel);
    if (!prepared.ok) return prepared;
    const area = memory.add('arguments', ARGUMENT_AREA, ARGUMENT_AREA_SIZE, READ_WRITE, false);
    if (!area.ok) return area;
    memory.fillRunCopies(isRunnerStop(kernel), WFI);
    const engines: Engine[] = [];
    for (const free of [false, true, false]) {
      const engine = backend.open();
      if (!engine.ok) return engine;
      const mapped = memory.mapInto(engine.value, free);
      if (!mapped.ok) return mapped;
      engines.push(engine.value);
    }
    const [stepper, runner, returner] = engines as [Engine, Engine, Engine];
    return ok(
      new Machine(
        kernel,
        images,
        memory,
        new SteppingCpu(stepper, memory),
        runner,
        new SteppingCpu(returner, memory),
        linker,
      ),
    );
  }

  private prepareEngines(): void {
    const { roles } = this.kernel;
    const perCpuOffset = 0;
    for (const engine of [this.stepper.engine, this.runner, this.returner.engine]) {
      engine.setUp(roles.vectors, perCpuOffset);
    }
  }

  /** Restore the state right after loading: memory, registers and code. */
  reset(): void {
    restoreSnapshot(this.stepper.engine, this.initial);
    this.stepper.registers.words.set(this.initial.registers);
  }

  /**
   * Replace instruction words, for all engines: what ftrace does to a patch site.
   * @param patches address (multiple of 4) and word
   */
  patchCode(patches: readonly { readonly address: Address; readonly word: number }[]): void {
    const wanted = new Map(patches.map(({ address, word }) => [address, word]));
    let changed = false;
    for (const [address, word] of wanted) {
      if (this.memory.readWord(address) === word) continue;
      this.memory.writeWord(address, word);
      changed = true;
    }
    // Skip it when nothing changes: a new translation costs time, and the engine never frees the
    // old one.
    if (!changed) return;
    this.memory.fillRunCopies(isRunnerStop(this.kernel), WFI);
    for (const engine of [this.stepper.engine, this.runner, this.returner.engine]) engine.flush();
  }

  /**
   * Replace instruction words, and restore those that an earlier call replaced.
   * @param words by address; the addresses are multiples of 4, in code
   * @param breakpoints the probed addresses among them, each with the instruction that its
   * breakpoint replaces
   */
  setCode(
    words: ReadonlyMap<Address, number>,
    breakpoints: ReadonlyMap<Address, number> = new Map<Address, number>(),
  ): void {
    this.armed.clear();
    for (const [address, word] of breakpoints) this.armed.set(address, word);
    const patches = new Map(this.loadedCode);
    const replaced = new Map<Address, number>();
    for (const [address, word] of words) {
      replaced.set(address, this.loadedWord(address) ?? 0);
      patches.set(address, word);
    }
    this.loadedCode = replaced;
    this.patchCode([...patches].map(([address, word]) => ({ address, word })));
  }

  /** The word at an address of code, as loaded. */
  loadedWord(address: Address): number | undefined {
    return this.loadedCode.get(address) ?? this.memory.readWord(address);
  }

  /** Probed addresses, each with the instruction that its breakpoint replaces. */
  get breakpoints(): ReadonlyMap<Address, number> {
    return this.armed;
  }

  /**
   * Point the stepper at a fresh kernel thread, as copy_thread() leaves one: `ret_from_fork` with
   * the thread function in x19 and its argument in x20, SP and x29 at the FINAL record.
   * @param stackTop address of the thread's pt_regs, at the top of its stack
   * @param finalRecord address of pt_regs->stackframe
   */
  startThread(
    task: Address,
    stackTop: Address,
    finalRecord: Address,
    fn: Address,
    argument: Address,
  ): void {
    const { registers } = this.stepper;
    // Distinct, non-canonical values, so that a report shows which register was restored wrongly.
    for (let i = 0; i <= 30; i++) registers.set(i, 0x0abc_0000_0000 + 0x1001 * i);
    registers.set(Reg.X19, fn);
    registers.set(Reg.X20, argument);
    registers.set(Reg.X29, finalRecord);
    registers.set(Reg.X30, 0);
    registers.set(Reg.SP, stackTop);
    registers.set(Reg.PC, this.kernel.roles.retFromFork);
    registers.set(Reg.PSTATE, Pstate.EL1H);
    registers.set(Reg.SP_EL0, task);
    this.stepper.engine.write(registers, RegisterSet.ALL);
  }

  close(): void {
    this.stepper.engine.close();
    this.runner.close();
    this.returner.engine.close();
  }
}

const READ_WRITE = Permission.READ | Permission.WRITE;

/**
 * Where a freely running engine stops: at the walk request and right after it, at the end of an
 * exception, at the hand-over to the firmware, and at a breakpoint, which it cannot take. The
 * driver then reports that something other than a request was reached. A stop is a WFI because that
 * needs no callback.
 */
function isRunnerStop(kernel: KernelImage): (word: number, address: Address) => boolean {
  const { walkRequest, sdeiComplete } = kernel.roles;
  return (word, address) => {
    if (address === walkRequest || address === sdeiComplete || word === WALK_RETURN) return true;
    const kind = classify(word);
    return kind === InstructionClass.ERET || kind === InstructionClass.BRK;
  };
}

/** Add the memory, data and code words that stand in for a kernel's boot ({@link KernelState}). */
function prepareState(memory: GuestMemory, { state }: KernelImage): Result<void, MachineError> {
  if (state === undefined) return ok(undefined);
  for (const { name, low, size, code, bytes } of state.regions) {
    const permissions = code ? Permission.READ | Permission.EXECUTE : READ_WRITE;
    const region = memory.add(name, low, size, permissions, code);
    if (!region.ok) return region;
    if (bytes !== undefined) region.value.bytes.set(bytes);
  }
  for (const { address, value } of state.words) memory.writeAddress(address, value);
  for (const { address, word } of state.code) memory.writeWord(address, word);
  return ok(undefined);
}

/**
 * Add an image's segments. Segments that share a page become one region, with the union of their
 * rights.
 */
function addSegments(
  memory: GuestMemory,
  path: string,
  segments: readonly LoadedSegment[],
): Result<void, MachineError> {
  for (const group of groupByPage(segments)) {
    const [first] = group;
    const last = group[group.length - 1];
    if (first === undefined || last === undefined) continue;
    let permissions = Permission.READ as number;
    for (const segment of group) {
      if (segment.writable) permissions |= Permission.WRITE;
      if (segment.executable) permissions |= Permission.EXECUTE;
    }
    const size = last.address + last.data.length - first.address;
    const code = (permissions & Permission.EXECUTE) !== 0 && (permissions & Permission.WRITE) === 0;
    const region = memory.add(path, first.address, size, permissions, code);
    if (!region.ok) return region;
    for (const segment of group) memory.writeBytes(segment.address, segment.data);
  }
  return ok(undefined);
}

const PAGE = 4096;

function groupByPage(segments: readonly LoadedSegment[]): LoadedSegment[][] {
  const groups: LoadedSegment[][] = [];
  let end = -Infinity;
  for (const segment of segments) {
    if (segment.data.length === 0) continue;
    const low = Math.floor(segment.address / PAGE) * PAGE;
    const group = groups[groups.length - 1];
    if (group !== undefined && low < end) group.push(segment);
    else groups.push([segment]);
    end = Math.ceil((segment.address + segment.data.length) / PAGE) * PAGE;
  }
  return groups;
}

/** One line for a {@link MachineError}. */
export function describeMachineError(error: MachineError | EngineError): string {
  return error.kind === 'elf' ? describeElfError(error.error) : describeMemoryError(error);
}
