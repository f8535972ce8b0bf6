/** Fields of /etc/os-release. */
export interface OsRelease {
  readonly ID?: string;
  readonly VERSION_CODENAME?: string;
}

/** A package of apt's lists. */
export interface EnginePackage {
  readonly name: string;
  /** As the distribution has it: `2.1.4-4`. */
  readonly version: string;
  /** As Unicorn has it: `2.1.4`. */
  readonly upstream: string;
  /** The oldest glibc that it works with; `0` for any. */
  readonly needs: string;
}

/** An os-release file; empty where there is none. */
export declare function osRelease(path: string): OsRelease;

/** Mirrors that the machine has Debian from. `uris`: what `apt-get --print-uris update` prints. */
export declare function debianMirrors(uris: string, release: OsRelease): readonly string[];

/** The newest package of `apt-cache show` that this glibc loads, or one line why there is none. */
export declare function newestLoadable(
  shown: string,
  glibc: string,
): { readonly wanted?: EnginePackage; readonly problem?: string };
