/** A CPU engine that can be used on this machine. */
export type EngineLibrary =
  | {
      readonly backend: 'libunicorn';
      /** What to give to the loader: a path, or a file name in the loader's own path. */
      readonly path: string;
      /** As the library reports it: `2.0.1`. */
      readonly version: string;
    }
  | { readonly backend: 'unicorn-js' };

/** Absolute path of the directory that the post-install step unpacks a library into. */
export declare const engineCache: string;

/** Where to look; both default to this process's own. */
export interface EngineSearch {
  /**
   * `KUNWIND_LIBUNICORN`: the library to use, and no other. `KUNWIND_LIBUNICORN_SEARCH`:
   * directories to search instead of the system's, separated like PATH; empty for none.
   */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly cache?: string;
}

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
