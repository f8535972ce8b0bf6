// Where the Unicorn library of Python's package `unicorn` (pip install unicorn) may lie. Its 2.1 is faster
// than what stable distributions have, and a user may install it without root on any system.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, realpathSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';

/** File names in the package: Linux, macOS. */
const FILE_NAMES = ['libunicorn.so.2', 'libunicorn.2.dylib'];

/** Longest time that Python may take to say where its package is, in milliseconds. */
const PYTHON_TIMEOUT = 10_000;

/**
 * Libraries that are there, found without starting Python: most of a second where it is a shim. In the order
 * in which an interpreter would find its package: PYTHONPATH, the active environment, the user's own packages,
 * the interpreters on PATH, pyenv's, the system's.
 */
export function pythonLibraries({ env = process.env, root = '/' } = {}) {
  const listed = (env.PYTHONPATH ?? '').split(delimiter).filter((folder) => folder !== '');
  const packages = [...listed, ...prefixes(env, root).flatMap(packageFolders)];
  const paths = packages.flatMap((folder) => libraries(join(folder, 'unicorn')));
  return [...new Set(paths)];
}

/** Where Python itself has its package: for places that {@link pythonLibraries} does not know. */
export function askPython(env = process.env) {
  // Finds the package without running it.
  const code =
    'import importlib.util as u; s = u.find_spec("unicorn"); ' +
    'print(s.submodule_search_locations[0] if s and s.submodule_search_locations else "")';
  const options = { env, encoding: 'utf8', timeout: PYTHON_TIMEOUT };
  const { status, stdout } = spawnSync('python3', ['-c', code], options);
  const folder = status === 0 ? stdout.trim() : '';
  return folder === '' ? [] : libraries(folder);
}

/** Folders that have lib/python3*, as `sys.prefix` names them. */
function prefixes(env, root) {
  const home = env.HOME ?? '';
  const given = [env.VIRTUAL_ENV, env.CONDA_PREFIX, home && join(home, '.local')];
  const interpreters = (env.PATH ?? '')
    .split(delimiter)
    .filter((folder) => folder !== '')
    .map((folder) => join(folder, 'python3'))
    .filter((path) => existsSync(path));
  // An environment's python3 is a link to the interpreter it was made with, whose packages it may use.
  const onPath = interpreters.flatMap((path) => [path, realpathSync(path)]);
  const pyenv = env.PYENV_ROOT ?? (home && join(home, '.pyenv'));
  return [
    ...given,
    ...onPath.map((path) => dirname(dirname(path))),
    ...(pyenv ? children(join(pyenv, 'versions')) : []),
    join(root, 'usr/local'),
    join(root, 'usr'),
  ].filter((prefix) => prefix !== undefined && prefix !== '');
}

function packageFolders(prefix) {
  const versions = ['lib', 'lib64'].flatMap((lib) =>
    children(join(prefix, lib), (name) => name.startsWith('python3')),
  );
  return versions.flatMap((folder) =>
    ['site-packages', 'dist-packages'].map((name) => join(folder, name)),
  );
}

/** The newest first, as 3.11 is newer than 3.9. Empty for a folder that is not there. */
function children(folder, wanted = () => true) {
  let names;
  try {
    names = readdirSync(folder);
  } catch {
    return [];
  }
  const order = (a, b) => b.localeCompare(a, 'en', { numeric: true });
  return names
    .filter(wanted)
    .sort(order)
    .map((name) => join(folder, name));
}

function libraries(packageFolder) {
  return FILE_NAMES.map((name) => join(packageFolder, 'lib', name)).filter(existsSync);
}
