/**
 * The module object of `@alexaltea/unicorn-js`, as its build.py makes it (tag v2.1.4; facts only).
 *
 * The package's `./aarch64` is a CommonJS module. It exports an async factory of a module object,
 * which contains Unicorn 2.1.4 for Arm64 alone. Releases before 2.1.4 have no such file, and
 * contain Unicorn 1. It is built with WASM_BIGINT: a 64-bit argument is one BigInt, truncated to 64
 * bits; pointers and everything narrower are Numbers.
 */
import type { EmscriptenModule } from './emscripten-heap.js';
import { fail, ok, type Result } from '../base/result.js';

/**
 * The part of the module object that this project uses. Handles and pointers are addresses in the
 * module's memory.
 */
export interface UnicornModule extends EmscriptenModule {
  _uc_version(major: number, minor: number): number;
  _uc_strerror(code: number): number;
  _uc_open(arch: number, mode: number, out: number): number;
  _uc_close(uc: number): number;
  _uc_mem_map_ptr(uc: number, address: bigint, size: bigint, perms: number, at: number): number;
  _uc_emu_start(uc: number, begin: bigint, until: bigint, timeout: bigint, count: number): number;
  _uc_reg_read(uc: number, register: number, value: number): number;
  _uc_reg_write(uc: number, register: number, value: number): number;
  _uc_reg_read_batch(uc: number, registers: number, values: number, count: number): number;
  _uc_reg_write_batch(uc: number, registers: number, values: number, count: number): number;
}

const REQUIRED = [
  '_malloc',
  '_free',
  '_uc_version',
  '_uc_strerror',
  '_uc_open',
  '_uc_close',
  '_uc_mem_map_ptr',
  '_uc_emu_start',
  '_uc_reg_read',
  '_uc_reg_write',
  '_uc_reg_read_batch',
  '_uc_reg_write_batch',
] as const satisfies readonly (keyof UnicornModule)[];

/** Import the package. It is not a dependency, so the compiler must not resolve its name. */
export function importUnicornJs(): Promise<unknown> {
  const name: string = '@alexaltea/unicorn-js/aarch64';
  return import(/* @vite-ignore */ name);
}

/**
 * Starts the module. Fails with what its build lacks, and throws whatever the package throws.
 * @param load imports the package
 */
export async function startModule(
  load: () => Promise<unknown>,
): Promise<Result<UnicornModule, string>> {
  const { default: factory } = (await load()) as { default?: unknown };
  if (typeof factory !== 'function') return fail('it exports no factory function');
  const module = (await (factory as () => unknown)()) as Partial<UnicornModule>;
  const missing = REQUIRED.filter((name) => typeof module[name] !== 'function');
  if (missing.length > 0) return fail(`its build does not export ${missing.join(', ')}`);
  // Every required function is there; the others are optional in both types.
  return ok(module as UnicornModule);
}
