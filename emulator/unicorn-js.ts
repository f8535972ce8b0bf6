/**
 * The second backend: Unicorn compiled to WebAssembly, `@alexaltea/unicorn-js`, for machines
 * without libunicorn. All engines are `uc_engine`s in one module, and guest RAM lies in its memory.
 *
 * NOT TESTED AGAINST THE PACKAGE, which could not be installed where this was written. What follows
 * is known from its repository (github.com/AlexAltea/unicorn.js, tag v2.1.4 and commit 1220477),
 * and was checked with a stand-in of the same shape in front of the real libunicorn:
 * - It exports all functions that `unicorn-module.ts` lists, including uc_mem_map_ptr. It does not
 *   export uc_ctl, which was added later: see {@link UnicornJsEngine.flush}.
 * - It is built with ALLOW_MEMORY_GROWTH, and without HEAPU8 in EXPORTED_RUNTIME_METHODS: see
 *   `emscripten-heap.ts`.
 * - Code is interpreted (TCI), not translated, so expect a small fraction of libunicorn's speed.
 *   The translation buffer is 32 MiB for every engine.
 * - A failed assertion in Unicorn throws WebAssembly.RuntimeError from the call, where libunicorn
 *   ends the process. The module cannot be used after that, so nothing here catches the error.
 */
import type { Address } from '../base/address.js';
import { EmscriptenHeap } from './emscripten-heap.js';
import { type Engine, type EngineBackend, type EngineError, type EngineStatus } from './engine.js';
import { Reg, REGISTER_COUNT, type RegisterFile } from './registers.js';
import { fail, ok, type Result } from '../base/result.js';
import {
  CP_REG_SIZE,
  CP_REG_VALUE,
  CPACR_NO_FP_TRAP,
  formatVersion,
  NEVER,
  REGISTER_SETS,
  SPSR_EL1_ENCODING,
  SYSTEM_REGISTER_NUMBERS,
  UC_ARCH_ARM64,
  UC_MODE_ARM,
  UC_REG,
  unicornRegister,
} from './unicorn-constants.js';
import { importUnicornJs, startModule, type UnicornModule } from './unicorn-module.js';

/**
 * Bytes by which the memory grows at the start. Three engines take some 110 MiB; the rest is guest
 * RAM, in which code counts twice. Untouched pages cost address space only.
 */
const RESERVE = 512 * 2 ** 20;

/** {@link NEVER} in the form that the module takes. */
const NEVER_64 = BigInt(NEVER);

/**
 * An {@link EngineStatus} of our own, outside Unicorn's numbers: the views of guest RAM are dead.
 */
const MEMORY_MOVED = -1;

const MOVED_MESSAGE =
  "the engine's WebAssembly memory had to grow, and guest memory was lost: it is too large";

/**
 * Argument arrays in the module's memory. They are made once and shared by all engines, because
 * calls never overlap.
 */
class RegisterBlock {
  /** Word index of the values, which are laid out like the words of a {@link RegisterFile}. */
  readonly values: number;
  /** Word index of the coprocessor record's value, SPSR_EL1. */
  readonly spsrValue: number;
  /** Address of 16 bytes for one value. */
  readonly spare: number;
  readonly batches: readonly {
    /** Indices in the register file. */
    readonly indices: Uint8Array;
    readonly withSpsr: boolean;
    readonly count: number;
    readonly registersAt: number;
    readonly pointersAt: number;
  }[];

  constructor(heap: EmscriptenHeap) {
    const valuesAt = heap.allocateScratch(8 * REGISTER_COUNT);
    const spsrAt = heap.allocateScratch(CP_REG_SIZE);
    this.spare = heap.allocateScratch(16);
    this.values = valuesAt >>> 2;
    this.spsrValue = (spsrAt + CP_REG_VALUE) >>> 2;
    heap.words().set(SPSR_EL1_ENCODING, spsrAt >>> 2);
    this.batches = REGISTER_SETS.map((set) => {
      const registersAt = heap.allocateScratch(4 * set.length);
      const pointersAt = heap.allocateScratch(4 * set.length);
      const words = heap.words();
      set.forEach((index, i) => {
        words[(registersAt >>> 2) + i] = unicornRegister(index);
        words[(pointersAt >>> 2) + i] = index === Reg.SPSR_EL1 ? spsrAt : valuesAt + 8 * index;
      });
      return {
        indices: Uint8Array.from(set),
        withSpsr: set.includes(Reg.SPSR_EL1),
        count: set.length,
        registersAt,
        pointersAt,
      };
    });
  }
}

type Batch = RegisterBlock['batches'][number];

const SPSR_WORD = 2 * Reg.SPSR_EL1;

/** Copy two words per register between register files that start at the given words. */
function copyRegisters(
  indices: Uint8Array,
  from: Uint32Array,
  fromStart: number,
  to: Uint32Array,
  toStart: number,
): void {
  for (let i = 0; i < indices.length; i++) {
    const word = 2 * (indices[i] as number);
    to[toStart + word] = from[fromStart + word] as number;
    to[toStart + word + 1] = from[fromStart + word + 1] as number;
  }
}

class UnicornJsEngine implements Engine {
  constructor(
    private readonly uc: number,
    private readonly module: UnicornModule,
    private readonly heap: EmscriptenHeap,
    private readonly block: RegisterBlock,
  ) {}

  map(address: Address, bytes: Uint8Array, permissions: number): Result<void, EngineError> {
    const at = this.heap.addressOf(bytes);
    if (at === undefined) {
      const foreign = 'these bytes do not come from the allocator of this backend';
      return engineError('map', this.heap.lost ? MOVED_MESSAGE : foreign);
    }
    const size = BigInt(bytes.length);
    const status = this.settle(
      this.module._uc_mem_map_ptr(this.uc, BigInt(address), size, permissions, at),
    );
    return status === 0 ? ok(undefined) : engineError('map', this.describe(status));
  }

  step(pc: Address): EngineStatus {
    return this.settle(this.module._uc_emu_start(this.uc, BigInt(pc), NEVER_64, 0n, 1));
  }

  run(pc: Address): EngineStatus {
    return this.settle(this.module._uc_emu_start(this.uc, BigInt(pc), NEVER_64, 0n, 0));
  }

  private settle(status: EngineStatus): EngineStatus {
    return this.heap.intact() ? status : MEMORY_MOVED;
  }

  read(file: RegisterFile, set: number): void {
    const { values, spsrValue } = this.block;
    const batch = this.block.batches[set] as Batch;
    // Unicorn stores only 32 bits of PSTATE; clear the rest, which another engine may have set.
    this.heap.words()[values + 2 * Reg.PSTATE + 1] = 0;
    this.module._uc_reg_read_batch(this.uc, batch.registersAt, batch.pointersAt, batch.count);
    const from = this.heap.words();
    const to = file.words;
    copyRegisters(batch.indices, from, values, to, 0);
    if (batch.withSpsr) {
      to[SPSR_WORD] = from[spsrValue] as number;
      to[SPSR_WORD + 1] = from[spsrValue + 1] as number;
    }
  }

  write(file: RegisterFile, set: number): void {
    const { values, spsrValue } = this.block;
    const batch = this.block.batches[set] as Batch;
    const from = file.words;
    const to = this.heap.words();
    copyRegisters(batch.indices, from, 0, to, values);
    if (batch.withSpsr) {
      to[spsrValue] = from[SPSR_WORD] as number;
      to[spsrValue + 1] = from[SPSR_WORD + 1] as number;
    }
    this.module._uc_reg_write_batch(this.uc, batch.registersAt, batch.pointersAt, batch.count);
  }

  readVector(index: number, into: Uint8Array): void {
    this.module._uc_reg_read(this.uc, UC_REG.Q0 + index, this.block.spare);
    into.set(this.heap.slice(this.block.spare, 16));
  }

  writeVector(index: number, from: Uint8Array): void {
    this.heap.slice(this.block.spare, 16).set(from);
    this.module._uc_reg_write(this.uc, UC_REG.Q0 + index, this.block.spare);
  }

  readSystem(into: Uint32Array): void {
    const at = this.block.spare >>> 2;
    for (const [i, register] of SYSTEM_REGISTER_NUMBERS.entries()) {
      this.heap.words().fill(0, at, at + 2);
      this.module._uc_reg_read(this.uc, register, this.block.spare);
      into.set(this.heap.words().subarray(at, at + 2), 2 * i);
    }
  }

  writeSystem(from: Uint32Array): void {
    const at = this.block.spare >>> 2;
    for (const [i, register] of SYSTEM_REGISTER_NUMBERS.entries()) {
      this.heap.words().set(from.subarray(2 * i, 2 * i + 2), at);
      this.module._uc_reg_write(this.uc, register, this.block.spare);
    }
  }

  setUp(vectorBase: Address, perCpuOffset: Address): void {
    this.writeOne(UC_REG.VBAR_EL1, vectorBase);
    this.writeOne(UC_REG.TPIDR_EL1, perCpuOffset);
    this.writeOne(UC_REG.CPACR_EL1, CPACR_NO_FP_TRAP);
  }

  private writeOne(register: number, value: Address): void {
    const words = this.heap.words();
    const at = this.block.spare >>> 2;
    words[at] = value;
    words[at + 1] = Math.floor(value / 4294967296);
    this.module._uc_reg_write(this.uc, register, this.block.spare);
  }

  /**
   * v2.1.4 does not export uc_ctl, which has an operation for this. But Unicorn also drops all
   * translations when an uncounted run follows a counted one (uc_emu_start of 2.0.1 and 2.1.4).
   * Both runs start at an unmapped address that is also their end, so nothing executes, and only
   * the PC has to be restored. Costs a pass over the translation buffer.
   */
  flush(): void {
    const { module, uc } = this;
    const { spare } = this.block;
    module._uc_reg_read(uc, UC_REG.PC, spare);
    module._uc_emu_start(uc, NEVER_64, NEVER_64, 0n, 1);
    module._uc_emu_start(uc, NEVER_64, NEVER_64, 0n, 0);
    module._uc_reg_write(uc, UC_REG.PC, spare);
  }

  describe(status: EngineStatus): string {
    return status === MEMORY_MOVED ? MOVED_MESSAGE : errorText(this.module, this.heap, status);
  }

  close(): void {
    this.module._uc_close(this.uc);
  }
}

/**
 * Load the package, start its module and grow the module's memory.
 * @param load imports the package; tests pass a stand-in
 * @param reserve bytes by which the memory grows
 */
export async function loadUnicornJs(
  load: () => Promise<unknown> = importUnicornJs,
  reserve: number = RESERVE,
): Promise<Result<EngineBackend, EngineError>> {
  try {
    const module = await startModule(load);
    return module.ok ? createBackend(module.value, reserve) : unusable(module.error);
  } catch (cause) {
    // Foreign code: anything from a failed import to a WebAssembly trap.
    const text = cause instanceof Error ? cause.message : String(cause);
    return unusable(text.replace(/\n.*/s, ''));
  }
}

function createBackend(module: UnicornModule, reserve: number): Result<EngineBackend, EngineError> {
  const version = formatVersion(module._uc_version(0, 0));
  if (!version.startsWith('2.')) return unusable(`it is Unicorn ${version}, 2.x is needed`);
  const opened = EmscriptenHeap.open(module, reserve);
  if (!opened.ok) return unusable(opened.error);
  const heap = opened.value;
  const block = new RegisterBlock(heap);
  return ok({
    name: 'unicorn-js',
    version,
    library: '@alexaltea/unicorn-js',
    allocate: (size) => heap.allocatePages(size),
    open() {
      const status = module._uc_open(UC_ARCH_ARM64, UC_MODE_ARM, block.spare);
      if (status !== 0) return engineError('open', errorText(module, heap, status));
      const uc = heap.words()[block.spare >>> 2] as number;
      // The first use of an engine allocates its translation buffer, so a growth shows up here.
      module._uc_reg_read(uc, UC_REG.PC, block.spare);
      if (!heap.intact()) return engineError('open', MOVED_MESSAGE);
      return ok(new UnicornJsEngine(uc, module, heap, block));
    },
  });
}

function errorText(module: UnicornModule, heap: EmscriptenHeap, code: number): string {
  const at = module._uc_strerror(code);
  const bytes = heap.slice(at, 256);
  const end = bytes.indexOf(0);
  return new TextDecoder().decode(bytes.slice(0, end < 0 ? bytes.length : end));
}

function engineError(operation: string, message: string): Result<never, EngineError> {
  return fail({ kind: 'engine-error', operation, message });
}

function unusable(reason: string): Result<never, EngineError> {
  const message = `@alexaltea/unicorn-js cannot be used: ${reason}; install libunicorn 2 instead`;
  return fail({ kind: 'library-missing', message });
}
