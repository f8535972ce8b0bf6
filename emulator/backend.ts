/** Opens the CPU engine of this machine, which every command does first. */
import type { EngineBackend, EngineError } from './engine.js';
import { type EngineSearch, findEngineLibrary } from './engine-library.js';
import { fail, type Result } from '../base/result.js';

/**
 * Find and load the engine: libunicorn, or `@alexaltea/unicorn-js` where only that is installed.
 * @param search where to look; tests narrow it
 * @returns the backend, or a `library-missing` error whose one-line message says what to install
 */
export async function openBackend(
  search: EngineSearch = {},
): Promise<Result<EngineBackend, EngineError>> {
  const found = findEngineLibrary(search);
  if (!found.ok) return fail({ kind: 'library-missing', message: found.error });
  const library = found.value;
  switch (library.backend) {
    case 'libunicorn': {
      // Not imported at the top: this backend needs koffi, without which the other one still works.
      const { loadLibunicorn } = await import('./libunicorn.js');
      return loadLibunicorn(library.path);
    }
    case 'unicorn-js': {
      const { loadUnicornJs } = await import('./unicorn-js.js');
      return loadUnicornJs();
    }
  }
}
