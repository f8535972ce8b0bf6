/** libunicorn as the CPU of the stand-in: offsets become addresses of this process. */
import koffi from 'koffi';
import type { StandInCpu, WasmMemory } from './wasm-stand-in.js';

/** @param path the shared library, as the engine search found it */
export function hostedUnicorn(path: string): StandInCpu {
  const lib = koffi.load(path);
  const open = lib.func('int uc_open(int arch, int mode, _Out_ void** uc)');
  const close = lib.func('int uc_close(void* uc)');
  const mapPtr = lib.func(
    'int uc_mem_map_ptr(void* uc, uint64_t at, uint64_t size, uint32_t perms, uintptr_t ptr)',
  );
  const start = lib.func(
    'int uc_emu_start(void* uc, uint64_t begin, uint64_t until, uint64_t timeout, size_t count)',
  );
  const read = lib.func('int uc_reg_read(void* uc, int reg, uintptr_t value)');
  const write = lib.func('int uc_reg_write(void* uc, int reg, uintptr_t value)');
  const engines: unknown[] = [];
  let memory: WasmMemory | undefined;
  const host = (at: number): bigint => {
    if (memory === undefined) throw new Error('no engine is open');
    return koffi.address(new Uint8Array(memory.buffer)) + BigInt(at);
  };
  return {
    open(of) {
      memory = of;
      const out: [unknown] = [null];
      if (open(2, 0, out) !== 0) throw new Error('libunicorn opens no engine');
      return engines.push(out[0]) - 1;
    },
    close: (uc) => close(engines[uc]) as number,
    map: (uc, address, size, permissions, at) =>
      mapPtr(engines[uc], address, size, permissions, host(at)) as number,
    start: (uc, begin, until, count) => start(engines[uc], begin, until, 0, count) as number,
    readRegister: (uc, register, at) => read(engines[uc], register, host(at)) as number,
    writeRegister: (uc, register, at) => write(engines[uc], register, host(at)) as number,
  };
}
