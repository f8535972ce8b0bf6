// Where the Unicorn library is looked for. Plain JavaScript because two callers share it:
// the post-install step, which runs before anything is compiled, and emulator/engine-library.ts.
// Types: find-engine.d.mts.
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const packageRoot = dirname(dirname(fileURLToPath(import.meta.url)));

/** Where the post-install step unpacks a library, relative to nothing: an absolute path. */
export const engineCache = join(packageRoot, 'node_modules', '.cache', 'kunwind-lab');

/** Library file names, most specific first: the unversioned name may belong to Unicorn 1. */
const FILE_NAMES = ['libunicorn.so.2', 'libunicorn.2.dylib', 'libunicorn.so', 'libunicorn.dylib'];

/** Directories that a loader may not search: Homebrew on arm64 and x86-64, MacPorts. */
const EXTRA_DIRECTORIES = ['/opt/homebrew/lib', '/usr/local/lib', '/opt/local/lib'];

const INSTALL_HINT =
  'install it with "apt install libunicorn2" (Debian, Ubuntu), "dnf install unicorn" (Fedora), ' +
  '"pacman -S unicorn" (Arch) or "brew install unicorn" (macOS), ' +
  'or set KUNWIND_LIBUNICORN to the path of the library';

const require = createRequire(import.meta.url);

export function findEngine({ env = process.env, cache = engineCache } = {}) {
  const load = libraryLoader();
  const override = env.KUNWIND_LIBUNICORN ?? '';
  if (load.ok && override !== '') {
    const { version, reason } = load.tryLibrary(override);
    if (version !== undefined) return { ok: true, value: libunicorn(override, version) };
    return unusable(`KUNWIND_LIBUNICORN=${override} cannot be used: ${reason}`, reason);
  }
  const rejected = [];
  if (load.ok) {
    for (const path of candidates(env.KUNWIND_LIBUNICORN_SEARCH, cache)) {
      const { version, reason } = load.tryLibrary(path);
      if (version !== undefined) return { ok: true, value: libunicorn(path, version) };
      if (existsSync(path) || isFoundByName(path, reason)) {
        rejected.push({ text: `${path} cannot be used: ${reason}`, reason });
      }
    }
  }
  if (resolves('@alexaltea/unicorn-js')) return { ok: true, value: { backend: 'unicorn-js' } };
  if (!load.ok) return failure(`no CPU engine: ${load.reason}; reinstall with "npm ci"`);
  const lacking = rejected.find(({ reason }) => isLackOfMemory(reason));
  if (lacking !== undefined) return unusable(`no CPU engine: ${lacking.text}`, lacking.reason);
  // What is there and does not load is what is wrong; another library would be used instead of it.
  const what = rejected.map(({ text }) => text).join('; ');
  return failure(
    `no CPU engine: ${what || 'the Unicorn 2 library is not on this machine'}; ${INSTALL_HINT}`,
  );
}

/** Bytes of address space that this process may have (`ulimit -v`); undefined: no limit, or not Linux. */
export function addressSpaceLimit() {
  try {
    const limits = readFileSync('/proc/self/limits', 'utf8');
    const limit = /^Max address space +(\d+) /m.exec(limits);
    return limit === null ? undefined : Number(limit[1]);
  } catch {
    return undefined;
  }
}

/** Whether a library that the loader searches for is there, although it cannot be used. */
function isFoundByName(path, reason) {
  // Other systems' loaders list each place that they tried, and cannot be told apart like this.
  if (process.platform !== 'linux' || path.includes('/')) return false;
  return !reason.includes('cannot open shared object file');
}

/** What glibc's loader says when memory cannot be mapped. */
function isLackOfMemory(reason) {
  return /failed to map segment|cannot allocate memory|out of memory/i.test(reason);
}

function unusable(error, reason) {
  const limit = isLackOfMemory(reason) ? addressSpaceLimit() : undefined;
  if (limit === undefined) return failure(error);
  const text = `${error}; the address space is limited (ulimit -v ${limit / 1024})`;
  return { ok: false, error: text, lacksMemory: true };
}

/** `search` replaces every place but the cache: a list of directories, possibly empty. */
function candidates(search, cache) {
  const paths = (directories) =>
    directories.flatMap((directory) => FILE_NAMES.map((name) => join(directory, name)));
  const places =
    search === undefined
      ? [...FILE_NAMES, ...paths(EXTRA_DIRECTORIES)]
      : paths(search.split(delimiter).filter((directory) => directory !== ''));
  return [...places, ...paths([cache])];
}

function libraryLoader() {
  let koffi;
  try {
    koffi = require('koffi');
  } catch (error) {
    return { ok: false, reason: `the package koffi cannot be loaded (${firstLine(error)})` };
  }
  return { ok: true, tryLibrary: (path) => tryLibrary(koffi, path) };
}

/** Loads the library and asks for its version, which is the only proof that it works. */
function tryLibrary(koffi, path) {
  let library;
  try {
    library = koffi.load(path);
    const packed = library.func('uint32_t uc_version(void *major, void *minor)')(null, null);
    const major = packed >>> 24;
    const version = `${major}.${(packed >>> 16) & 255}.${(packed >>> 8) & 255}`;
    return major === 2 ? { version } : { reason: `it is Unicorn ${version}, 2.x is needed` };
  } catch (error) {
    return { reason: firstLine(error) };
  } finally {
    library?.unload();
  }
}

function libunicorn(path, version) {
  return { backend: 'libunicorn', path, version };
}

function failure(error) {
  return { ok: false, error };
}

function resolves(name) {
  try {
    require.resolve(name);
    return true;
  } catch {
    return false;
  }
}

function firstLine(error) {
  return String(error instanceof Error ? error.message : error).split('\n')[0];
}
