/**
 * A stand-in for the module object of `@alexaltea/unicorn-js`: a real WebAssembly memory, which
 * really detaches its views when it grows, an allocator, and uc_* functions with the argument types
 * that WebAssembly enforces. The CPU behind them is given: a recording stub, or libunicorn.
 */

/** What the tests use of a WebAssembly.Memory; the types of Node do not have it. */
export interface WasmMemory {
  readonly buffer: ArrayBuffer;
  grow(pages: number): number;
}

const { WebAssembly: wasm } = globalThis as unknown as {
  readonly WebAssembly: {
    readonly Memory: new (size: { initial: number; maximum: number }) => WasmMemory;
  };
};

/** The CPU behind the functions; addresses are offsets in `memory`. */
export interface StandInCpu {
  open(memory: WasmMemory): number;
  close(uc: number): number;
  map(uc: number, address: bigint, size: bigint, permissions: number, at: number): number;
  start(uc: number, begin: bigint, until: bigint, count: number): number;
  readRegister(uc: number, register: number, at: number): number;
  writeRegister(uc: number, register: number, at: number): number;
}

export interface StandInOptions {
  /** Emscripten before 4.0.7 exports HEAPU8. Default false, as the published build. */
  readonly exportsHeap?: boolean;
  /** Highest size of the memory in 64 KiB pages. */
  readonly maximum?: number;
  /** Packed version. Default 2.1.4. */
  readonly version?: number;
}

/** An argument list as WebAssembly takes it: i is an i32, j an i64. */
function typed(signature: string, body: (...values: never[]) => number) {
  return (...values: (number | bigint)[]): number => {
    signature.split('').forEach((type, i) => {
      const wanted = type === 'j' ? 'bigint' : 'number';
      if (typeof values[i] !== wanted) throw new TypeError(`argument ${i} is not a ${wanted}`);
    });
    const wrapped = values.map((value) =>
      typeof value === 'bigint' ? BigInt.asUintN(64, value) : value | 0,
    );
    return body(...(wrapped as never[]));
  };
}

const ERROR_TEXT = 'Invalid memory mapping (UC_ERR_MAP)';

export function createStandIn(cpu: StandInCpu, options: StandInOptions = {}) {
  const memory = new wasm.Memory({ initial: 1, maximum: options.maximum ?? 4096 });
  let top = 1024;

  function malloc(size: number): number {
    const at = Math.ceil(top / 16) * 16;
    const missing = at + size - memory.buffer.byteLength;
    if (missing > 0) {
      try {
        grow(Math.ceil(missing / 65536));
      } catch {
        return 0;
      }
    }
    top = at + size;
    return at;
  }
  function grow(pages: number): void {
    memory.grow(pages);
  }
  const words = () => new Int32Array(memory.buffer);
  function eachRegister(
    registers: number,
    values: number,
    count: number,
    body: (register: number, at: number) => number,
  ): number {
    for (let i = 0; i < count; i++) {
      const status = body(
        words()[(registers >> 2) + i] as number,
        words()[(values >> 2) + i] as number,
      );
      if (status !== 0) return status;
    }
    return 0;
  }

  const module: Record<string, unknown> = {
    _malloc: typed('i', malloc),
    _free: typed('i', (at: number) => (top = at)),
    writeArrayToMemory(bytes: readonly number[], at: number) {
      new Int8Array(memory.buffer).set(bytes, at);
    },
    _uc_version: typed('ii', () => options.version ?? 0x020104ff),
    _uc_strerror: typed('i', () => {
      const text = new TextEncoder().encode(`${ERROR_TEXT}\0`);
      new Uint8Array(memory.buffer).set(text, 16);
      return 16;
    }),
    _uc_open: typed('iii', (_arch: number, _mode: number, out: number) => {
      words()[out >> 2] = cpu.open(memory);
      return 0;
    }),
    _uc_close: typed('i', (uc: number) => cpu.close(uc)),
    _uc_mem_map_ptr: typed(
      'ijjii',
      (uc: number, address: bigint, size: bigint, permissions: number, at: number) =>
        cpu.map(uc, address, size, permissions, at),
    ),
    _uc_emu_start: typed(
      'ijjji',
      (uc: number, begin: bigint, until: bigint, _timeout: bigint, count: number) =>
        cpu.start(uc, begin, until, count),
    ),
    _uc_reg_read: typed('iii', (uc: number, register: number, at: number) =>
      cpu.readRegister(uc, register, at),
    ),
    _uc_reg_write: typed('iii', (uc: number, register: number, at: number) =>
      cpu.writeRegister(uc, register, at),
    ),
    _uc_reg_read_batch: typed('iiii', (uc: number, registers: number, values: number, n: number) =>
      eachRegister(registers, values, n, (register, at) => cpu.readRegister(uc, register, at)),
    ),
    _uc_reg_write_batch: typed('iiii', (uc: number, registers: number, values: number, n: number) =>
      eachRegister(registers, values, n, (register, at) => cpu.writeRegister(uc, register, at)),
    ),
  };
  if (options.exportsHeap === true) {
    Object.defineProperty(module, 'HEAPU8', { get: () => new Uint8Array(memory.buffer) });
  }
  return {
    module,
    memory,
    grow,
    load: () => Promise.resolve({ default: () => Promise.resolve(module) }),
  };
}
