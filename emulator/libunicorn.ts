/** The default backend: Unicorn's C library, bound with koffi. */
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import koffi from 'koffi';
import type { Address } from '../base/address.js';
import { lacksAddressSpace } from './address-space.js';
import {
  type Engine,
  type EngineBackend,
  type EngineError,
  type EngineStatus,
  PAGE_SIZE,
  Permission,
  RegisterSet,
} from './engine.js';
import { Reg, type RegisterFile } from './registers.js';
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

type UcHandle = unknown;

/**
 * `UC_CTL_WRITE(UC_CTL_TB_REMOVE_CACHE, 2)`. Not UC_CTL_TB_FLUSH: its first use on each engine
 * writes the whole 1 GiB translation buffer, which takes 2.6 s and 1 GiB of resident memory
 * (2.0.1).
 */
const UC_CTL_TB_REMOVE_CACHE = 0x48000009;

interface UnicornFunctions {
  open(arch: number, mode: number, out: [UcHandle]): number;
  close(uc: UcHandle): number;
  version(major: Uint32Array, minor: Uint32Array): number;
  strerror(code: number): string;
  mapPtr(uc: UcHandle, address: number, size: number, perms: number, ptr: Uint8Array): number;
  start(uc: UcHandle, begin: number, until: number, timeout: number, count: number): number;
  readBatch(uc: UcHandle, regs: number, values: number, count: number): number;
  writeBatch(uc: UcHandle, regs: number, values: number, count: number): number;
  regRead(uc: UcHandle, reg: number, value: Uint8Array): number;
  regWrite(uc: UcHandle, reg: number, value: Uint8Array): number;
  ctl(uc: UcHandle, control: number, ...typesAndValues: (string | number)[]): number;
}

function bind(path: string): UnicornFunctions {
  const lib = koffi.load(path);
  return {
    open: lib.func('int uc_open(int arch, int mode, _Out_ void** uc)'),
    close: lib.func('int uc_close(void* uc)'),
    version: lib.func('uint uc_version(void* major, void* minor)'),
    strerror: lib.func('const char* uc_strerror(int code)'),
    mapPtr: lib.func(
      'int uc_mem_map_ptr(void* uc, int64_t address, uint64_t size, uint32_t perms, void* ptr)',
    ),
    // Addresses are passed as signed 64-bit integers, which a Number carries exactly.
    start: lib.func(
      'int uc_emu_start(void* uc, int64_t begin, int64_t until, uint64_t timeout, size_t count)',
    ),
    readBatch: lib.func(
      'int uc_reg_read_batch(void* uc, uintptr_t regs, uintptr_t vals, int count)',
    ),
    writeBatch: lib.func(
      'int uc_reg_write_batch(void* uc, uintptr_t regs, uintptr_t vals, int count)',
    ),
    regRead: lib.func('int uc_reg_read(void* uc, int reg, void* value)'),
    regWrite: lib.func('int uc_reg_write(void* uc, int reg, void* value)'),
    ctl: lib.func('int uc_ctl(void* uc, int control, ...)'),
  };
}

/**
 * The arrays of uc_reg_*_batch for one register file and set: register numbers, and pointers to the
 * words. They are made once, so that a transfer is one call with two integers.
 */
class RegisterBatch {
  readonly registers: Int32Array;
  readonly pointers: BigUint64Array;
  readonly registersAt: number;
  readonly pointersAt: number;
  readonly count: number;

  constructor(indices: readonly number[], words: Uint32Array, spsr: Uint8Array) {
    const base = koffi.address(words);
    const spsrAt = koffi.address(spsr);
    this.registers = Int32Array.from(indices, unicornRegister);
    this.pointers = BigUint64Array.from(indices, (index) =>
      index === Reg.SPSR_EL1 ? spsrAt : base + BigInt(8 * index),
    );
    this.registersAt = Number(koffi.address(this.registers));
    this.pointersAt = Number(koffi.address(this.pointers));
    this.count = indices.length;
  }
}

/** A {@link RegisterFile} as the engine sees it: its batches, and SPSR's coprocessor record. */
class BoundFile {
  readonly spsr = new Uint8Array(CP_REG_SIZE);
  readonly spsrWords = new Uint32Array(this.spsr.buffer);
  readonly sets: readonly RegisterBatch[];

  constructor(file: RegisterFile) {
    this.spsrWords.set(SPSR_EL1_ENCODING);
    this.sets = REGISTER_SETS.map((set) => new RegisterBatch(set, file.words, this.spsr));
  }
}

const SPSR_WORD = 2 * Reg.SPSR_EL1;
const CP_VALUE_WORD = CP_REG_VALUE / 4;

class LibunicornEngine implements Engine {
  /** Keeps mapped bytes alive as long as the engine. */
  private readonly mapped: Uint8Array[] = [];
  /** Address and size of each mapping that may hold code. */
  private readonly code: (readonly [Address, number])[] = [];
  /** By {@link RegisterFile.id}. */
  private readonly bound: (BoundFile | undefined)[] = [];

  constructor(
    private readonly uc: UcHandle,
    private readonly functions: UnicornFunctions,
  ) {}

  map(address: Address, bytes: Uint8Array, permissions: number): Result<void, EngineError> {
    const status = this.functions.mapPtr(this.uc, address, bytes.length, permissions, bytes);
    if (status !== 0) {
      return fail({ kind: 'engine-error', operation: 'map', message: this.describe(status) });
    }
    this.mapped.push(bytes);
    if ((permissions & Permission.EXECUTE) !== 0) this.code.push([address, bytes.length]);
    return ok(undefined);
  }

  step(pc: Address): EngineStatus {
    return this.functions.start(this.uc, pc, NEVER, 0, 1);
  }

  run(pc: Address): EngineStatus {
    return this.functions.start(this.uc, pc, NEVER, 0, 0);
  }

  read(file: RegisterFile, set: number): void {
    const bound = this.bound[file.id] ?? this.bind(file);
    const batch = bound.sets[set] as RegisterBatch;
    this.functions.readBatch(this.uc, batch.registersAt, batch.pointersAt, batch.count);
    if (set === RegisterSet.ALL || set === RegisterSet.EXCEPTION_RETURN) {
      file.words[SPSR_WORD] = bound.spsrWords[CP_VALUE_WORD] as number;
      file.words[SPSR_WORD + 1] = bound.spsrWords[CP_VALUE_WORD + 1] as number;
    }
  }

  write(file: RegisterFile, set: number): void {
    const bound = this.bound[file.id] ?? this.bind(file);
    const batch = bound.sets[set] as RegisterBatch;
    if (set === RegisterSet.ALL || set === RegisterSet.EXCEPTION_RETURN) {
      bound.spsrWords[CP_VALUE_WORD] = file.words[SPSR_WORD] as number;
      bound.spsrWords[CP_VALUE_WORD + 1] = file.words[SPSR_WORD + 1] as number;
    }
    this.functions.writeBatch(this.uc, batch.registersAt, batch.pointersAt, batch.count);
  }

  private bind(file: RegisterFile): BoundFile {
    const bound = new BoundFile(file);
    this.bound[file.id] = bound;
    return bound;
  }

  readVector(index: number, into: Uint8Array): void {
    this.functions.regRead(this.uc, UC_REG.Q0 + index, into);
  }

  writeVector(index: number, from: Uint8Array): void {
    this.functions.regWrite(this.uc, UC_REG.Q0 + index, from);
  }

  readSystem(into: Uint32Array): void {
    const value = new Uint32Array(2);
    const bytes = new Uint8Array(value.buffer);
    for (const [i, register] of SYSTEM_REGISTER_NUMBERS.entries()) {
      value.fill(0);
      this.functions.regRead(this.uc, register, bytes);
      into.set(value, 2 * i);
    }
  }

  writeSystem(from: Uint32Array): void {
    const value = new Uint32Array(2);
    const bytes = new Uint8Array(value.buffer);
    for (const [i, register] of SYSTEM_REGISTER_NUMBERS.entries()) {
      value.set(from.subarray(2 * i, 2 * i + 2));
      this.functions.regWrite(this.uc, register, bytes);
    }
  }

  setUp(vectorBase: Address, perCpuOffset: Address): void {
    this.writeOne(UC_REG.VBAR_EL1, vectorBase);
    this.writeOne(UC_REG.TPIDR_EL1, perCpuOffset);
    this.writeOne(UC_REG.CPACR_EL1, CPACR_NO_FP_TRAP);
  }

  private writeOne(register: number, value: Address): void {
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setBigInt64(0, BigInt(value), true);
    this.functions.regWrite(this.uc, register, bytes);
  }

  flush(): void {
    for (const [address, size] of this.code) {
      const range = ['int64_t', address, 'int64_t', address + size];
      this.functions.ctl(this.uc, UC_CTL_TB_REMOVE_CACHE, ...range);
    }
  }

  describe(status: EngineStatus): string {
    return this.functions.strerror(status);
  }

  close(): void {
    this.functions.close(this.uc);
  }
}

/**
 * Load libunicorn.
 * @param path file name or path of the shared library, as `engine-library.ts` found it
 */
export function loadLibunicorn(path: string): Result<EngineBackend, EngineError> {
  let functions: UnicornFunctions;
  try {
    functions = bind(path);
  } catch (cause) {
    return fail({
      kind: 'library-missing',
      message: `cannot load ${path}: ${cause instanceof Error ? cause.message : String(cause)}`,
    });
  }
  return ok({
    name: 'libunicorn',
    version: formatVersion(functions.version(new Uint32Array(1), new Uint32Array(1))),
    library: fileOf(path),
    allocate: allocatePages,
    open() {
      const lack = lacksAddressSpace(1);
      if (lack !== undefined) {
        return fail({ kind: 'engine-error', operation: 'open', message: lack });
      }
      const out: [UcHandle] = [null];
      const status = functions.open(UC_ARCH_ARM64, UC_MODE_ARM, out);
      if (status !== 0) {
        return fail({
          kind: 'engine-error',
          operation: 'open',
          message: functions.strerror(status),
        });
      }
      return ok(new LibunicornEngine(out[0], functions));
    },
  });
}

/** The file behind a name that the loader searched for: Linux says what is mapped. Else the name. */
function fileOf(path: string): string {
  if (path.includes('/')) return path;
  try {
    const mapped = readFileSync('/proc/self/maps', 'utf8').split('\n');
    const file = /\/.*$/;
    const files = mapped.flatMap((line) => file.exec(line)?.[0] ?? []);
    return files.find((one) => basename(one).startsWith(path)) ?? path;
  } catch {
    return path;
  }
}

/** Zeroed bytes that start on a page boundary of this process. */
function allocatePages(size: number): Uint8Array {
  const pages = Math.ceil(size / PAGE_SIZE) * PAGE_SIZE;
  const raw = new Uint8Array(new ArrayBuffer(pages + PAGE_SIZE));
  const at = Number(koffi.address(raw) % BigInt(PAGE_SIZE));
  const start = at === 0 ? 0 : PAGE_SIZE - at;
  return raw.subarray(start, start + pages);
}
