/** Opens the CPU emulation engine that this machine has: the start-up check. */
import type { EngineBackend, EngineError } from './engine.js';
import { findEngineLibrary } from './engine-library.js';
import { loadLibunicorn } from './libunicorn.js';
import { fail, type Result } from './result.js';

/** The backend found on this machine; the error's message says what to install. */
export async function openBackend(): Promise<Result<EngineBackend, EngineError>> {
  const found = findEngineLibrary();
  if (!found.ok) return fail({ kind: 'library-missing', message: found.error });
  if (found.value.backend === 'libunicorn') return loadLibunicorn(found.value.path);
  return fail({ kind: 'library-missing', message: 'unicorn-js is not supported yet' });
}
