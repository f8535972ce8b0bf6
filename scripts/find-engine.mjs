// Where the Unicorn library is looked for. Plain JavaScript because two callers share it:
// the post-install step, which runs before anything is compiled, and emulator/engine-library.ts.
// Types: find-engine.d.mts.
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { askPython, pythonLibraries } from './python-library.mjs';

const packageRoot = dirname(dirname(fileURLToPath(import.meta.url)));

/** Where the post-install step unpacks a library, relative to nothing: an absolute path. */
export const engineCache = join(packageRoot, 'node_modules', '.cache', 'kunwind-lab');

/** Where `npm run engine:newest` puts the library that is preferred to every other, inside the cache. */
export const newestFolder = (cache = engineCache) => join(cache, 'newest');

/** Library file names, most specific first: the unversioned name may belong to Unicorn 1. */
const FILE_NAMES = ['libunicorn.so.2', 'libunicorn.2.dylib', 'libunicorn.so', 'libunicorn.dylib'];

/** Directories that a loader may not search: Homebrew on arm64 and x86-64, MacPorts. */
const EXTRA_DIRECTORIES = ['/opt/homebrew/lib', '/usr/local/lib', '/opt/local/lib'];

const INSTALL_HINT =
  'install it with "apt install libunicorn2" (Debian, Ubuntu), "dnf install unicorn" (Fedora), ' +
  '"pacman -S unicorn" (Arch) or "brew install unicorn" (macOS), ' +
  '"pip install unicorn" (any), or set KUNWIND_LIBUNICORN to the path of the library';

const require = createRequire(import.meta.url);

/** Python's package is looked for because it is newer: an old one would only hide a library that is as good. */
const PYTHON_MINIMUM = '2.1.0';

/** Below, equal or above zero as version `a` is older than, equal to or newer than `b`: `2.1.4`, `2.36`. */
export function compareVersions(a, b) {
  const [left, right] = [a, b].map((version) => version.split('.').map(Number));
  for (let i = 0; i < Math.max(left.length, right.length); i++) {
    const difference = (left[i] ?? 0) - (right[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

export function findEngine({ env = process.env, cache = engineCache, root } = {}) {
  const load = libraryLoader();
  const override = env.KUNWIND_LIBUNICORN ?? '';
  if (load.ok && override !== '') {
    const { version, reason } = load.tryLibrary(override);
    if (version !== undefined) {
      return { ok: true, value: libunicorn(override, version, 'KUNWIND_LIBUNICORN') };
    }
    return unusable(`KUNWIND_LIBUNICORN=${override} cannot be used: ${reason}`, reason);
  }
  const rejected = [];
  if (load.ok) {
    for (const { path, from } of engineCandidates({ env, cache, root })) {
      const { version, reason } = tryCandidate(load, path, from);
      if (version !== undefined) return { ok: true, value: libunicorn(path, version, from) };
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

export function* engineCandidates({ env = process.env, cache = engineCache, root } = {}) {
  const search = env.KUNWIND_LIBUNICORN_SEARCH;
  const paths = (directories) =>
    directories.flatMap((directory) => FILE_NAMES.map((name) => join(directory, name)));
  const system =
    search === undefined
      ? [...FILE_NAMES, ...paths(EXTRA_DIRECTORIES)]
      : paths(search.split(delimiter).filter((directory) => directory !== ''));
  yield* paths([newestFolder(cache)]).map((path) => ({ path, from: 'engine:newest' }));
  yield* system.map((path) => ({ path, from: 'system' }));
  // A list of directories stands for all that the machine has.
  const hasPython = search === undefined || root !== undefined;
  const python = hasPython ? pythonLibraries({ env, root }) : [];
  yield* python.map((path) => ({ path, from: 'python' }));
  yield* paths([cache]).map((path) => ({ path, from: 'npm ci' }));
  // Last, so that Python is started only where it is this or no engine at all.
  if (search !== undefined) return;
  const asked = askPython(env).filter((path) => !python.includes(path));
  yield* asked.map((path) => ({ path, from: 'python' }));
}

/** Every library that can be used, each version once, in the order of {@link engineCandidates}. */
export function findEngines(search = {}) {
  const load = libraryLoader();
  if (!load.ok) return [];
  const found = new Map();
  for (const { path, from } of engineCandidates(search)) {
    const { version } = tryCandidate(load, path, from);
    if (version !== undefined && !found.has(version)) {
      found.set(version, libunicorn(path, version, from));
    }
  }
  return [...found.values()];
}

function tryCandidate(load, path, from) {
  const tried = load.tryLibrary(path);
  const { version } = tried;
  if (from !== 'python' || version === undefined) return tried;
  if (compareVersions(version, PYTHON_MINIMUM) >= 0) return tried;
  return { reason: `it is Unicorn ${version}, of Python's package 2.1 or newer is needed` };
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

function libunicorn(path, version, from) {
  return { backend: 'libunicorn', path, version, from };
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
