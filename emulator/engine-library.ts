import { existsSync } from 'node:fs';
import type {
  addressSpaceLimit as addressSpaceLimitOf,
  EngineLibrary,
  EngineSearch,
  findEngine,
} from '../scripts/find-engine.mjs';
import { fail, type Result } from '../base/result.js';

export type { EngineLibrary, EngineSearch } from '../scripts/find-engine.mjs';

/**
 * The search for the engine is shared with the post-install step, so that there is one list of
 * names and places, and one message. That step runs before this file is compiled, so the search is
 * plain JavaScript at the package's root: one directory up from the sources and two from dist/.
 */
const SEARCH_MODULE = ['../scripts/find-engine.mjs', '../../scripts/find-engine.mjs']
  .map((path) => new URL(path, import.meta.url))
  .find((url) => existsSync(url));

const search =
  SEARCH_MODULE &&
  ((await import(/* @vite-ignore */ SEARCH_MODULE.href)) as {
    findEngine: typeof findEngine;
    addressSpaceLimit: typeof addressSpaceLimitOf;
  });

/**
 * Finds the CPU engine of this machine: `$KUNWIND_LIBUNICORN`, else libunicorn 2.x as
 * `npm run engine:newest` unpacked it, from the loader's path, Homebrew or MacPorts, from a Python
 * package, or from the post-install step, else `@alexaltea/unicorn-js`. Loads each candidate to be sure.
 * @returns the library, or one line that says what to install
 */
export function findEngineLibrary(options: EngineSearch = {}): Result<EngineLibrary, string> {
  return (
    search?.findEngine(options) ??
    fail('this installation is incomplete: scripts/find-engine.mjs is missing')
  );
}

/** Bytes of address space that this process may have (`ulimit -v`); undefined: no limit, or none that is known. */
export function addressSpaceLimit(): number | undefined {
  return search?.addressSpaceLimit();
}
