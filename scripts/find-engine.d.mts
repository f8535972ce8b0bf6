/**
 * Which place of the search a library was in. `engine:newest` and `npm ci` are what those commands unpacked,
 * `python` is the package `unicorn` of a Python.
 */
export type EngineOrigin = 'KUNWIND_LIBUNICORN' | 'engine:newest' | 'system' | 'python' | 'npm ci';

/** A CPU engine that can be used on this machine. */
export type EngineLibrary =
  | {
      readonly backend: 'libunicorn';
      /** What to give to the loader: a path, or a file name in the loader's own path. */
      readonly path: string;
      /** As the library reports it: `2.0.1`. */
      readonly version: string;
      readonly from: EngineOrigin;
    }
  | { readonly backend: 'unicorn-js' };

/** Absolute path of the directory that the post-install step unpacks a library into. */
export declare const engineCache: string;

/** Where `npm run engine:newest` unpacks a library, inside the cache. */
export declare function newestFolder(cache?: string): string;

/** Where to look; all default to this process's own. */
export interface EngineSearch {
  /**
   * `KUNWIND_LIBUNICORN`: the library to use, and no other. `KUNWIND_LIBUNICORN_SEARCH`:
   * directories to search instead of the system's and Python's, separated like PATH; empty for none.
   * Python's packages are found by PYTHONPATH, VIRTUAL_ENV, CONDA_PREFIX, HOME, PATH and PYENV_ROOT.
   */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly cache?: string;
  /** The folder that stands for `/` where Python's packages are looked for. Tests give it. */
  readonly root?: string;
}

/** Below, equal or above zero as version `a` is older than, equal to or newer than `b`: `2.1.4`, `2.36`. */
export declare function compareVersions(a: string, b: string): number;

/**
 * Where an engine is looked for, most wanted first, but for KUNWIND_LIBUNICORN: a path or, for the loader's own
 * search, a file name. Most are not there.
 */
export declare function engineCandidates(
  search?: EngineSearch,
): Generator<{ readonly path: string; readonly from: EngineOrigin }>;

/** Bytes of address space that this process may have (`ulimit -v`); undefined: no limit, or not Linux. */
export declare function addressSpaceLimit(): number | undefined;

/** The engine to use, or one line that says what to install. */
export declare function findEngine(search?: EngineSearch):
  | { readonly ok: true; readonly value: EngineLibrary }
  | {
      readonly ok: false;
      readonly error: string;
      /** A library is there, and there is too little memory to load it. */
      readonly lacksMemory?: true;
    };
