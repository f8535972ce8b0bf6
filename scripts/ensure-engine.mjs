// Post-install step: on a Debian or Ubuntu machine without libunicorn, unpacks the
// distribution's own package into node_modules/.cache. Needs no root and changes nothing
// outside node_modules. It fails no installation but one for a node that is too old: kunwind-lab
// checks again when it starts, and says then what is missing. KUNWIND_ENGINE_DOWNLOAD=0 switches it off.
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { basename, join } from 'node:path';
import { engineCache, findEngine } from './find-engine.mjs';

/** The oldest node that works, as package.json has it. */
const [MAJOR, MINOR] = [20, 19];

/** Longest time one apt or dpkg command may take, in milliseconds. */
const COMMAND_TIMEOUT = 180_000;

function main() {
  const before = findEngine();
  // What the system and the user provide is not this step's to replace; neither is a
  // library that an earlier run unpacked and that still loads.
  if (before.ok && before.value.backend === 'libunicorn') return;
  if ((process.env.KUNWIND_LIBUNICORN ?? '') !== '') return say(before.error);
  // Another copy would not load either.
  if (before.lacksMemory) return say(before.error);
  if (process.env.KUNWIND_ENGINE_DOWNLOAD === '0') return say(`${hintOf(before)} (not downloaded)`);

  // Standard error: npm shows both at once, and this must not wait for a buffer.
  if (isAptMachine()) console.error('kunwind-lab: no libunicorn here, fetching it with apt');
  const problem = isAptMachine() ? unpackFromApt() : 'this is no machine with apt and dpkg-deb';
  const after = findEngine();
  if (after.ok && after.value.backend === 'libunicorn') {
    say(`unpacked Unicorn ${after.value.version} to ${after.value.path}`);
  } else {
    const reason = problem ?? 'the unpacked library does not load';
    say(`did not unpack the engine (${reason}). ${hintOf(after)}`);
  }
}

function hintOf(found) {
  return found.ok ? `Using ${found.value.backend}` : found.error;
}

function isAptMachine() {
  return ['apt-get', 'apt-cache', 'dpkg-deb'].every((tool) => run(tool, ['--version']).ok);
}

/** Undefined on success, otherwise what went wrong. */
function unpackFromApt() {
  let work;
  try {
    fs.mkdirSync(engineCache, { recursive: true });
    work = fs.mkdtempSync(join(engineCache, 'unpack-'));
    return downloadAndUnpack(work);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  } finally {
    if (work !== undefined) fs.rmSync(work, { recursive: true, force: true });
  }
}

function downloadAndUnpack(work) {
  // apt's own sandbox user cannot write here, and warns; its absence costs nothing.
  let options = ['-qq', '-o', 'APT::Sandbox::User=root', '-o', 'Debug::NoLocking=1'];
  let name = packageName(options);
  if (name === undefined) {
    // Containers come without package lists. Private ones need no root.
    const state = privateState(work);
    console.error('kunwind-lab: apt-get update, into a folder of its own');
    const update = run('apt-get', [...options, ...state, 'update']);
    if (!update.ok) return `apt-get update: ${update.message}`;
    options = [...options, ...state];
    name = packageName(options);
  }
  if (name === undefined) return 'apt knows no package libunicorn2';
  console.error(`kunwind-lab: apt-get download ${name}`);
  const download = run('apt-get', [...options, 'download', name], work);
  if (!download.ok) return `apt-get download ${name}: ${download.message}`;
  const archive = fs.readdirSync(work).find((file) => file.endsWith('.deb'));
  if (archive === undefined) return `apt-get download ${name} left no package`;
  const tree = join(work, 'tree');
  const unpack = run('dpkg-deb', ['-x', join(work, archive), tree]);
  if (!unpack.ok) return `dpkg-deb -x ${archive}: ${unpack.message}`;
  return install(tree, name);
}

/** The newest of libunicorn2, libunicorn2t64, ...: the number is the library's major version. */
function packageName(options) {
  const names = run('apt-cache', [...options, 'pkgnames', 'libunicorn']).output.split('\n');
  const versions = names.flatMap((name) => {
    const major = /^libunicorn(\d+)(t64)?$/.exec(name)?.[1];
    return major === undefined || Number(major) < 2 ? [] : [{ name, major: Number(major) }];
  });
  // Unicorn 2 is what this program speaks; a renamed package (t64) replaces the plain one.
  versions.sort((a, b) => a.major - b.major || b.name.length - a.name.length);
  return versions.find(({ name }) => hasCandidate(options, name))?.name;
}

/** Whether apt could download it: a name stays known when its package is only installed or gone. */
function hasCandidate(options, name) {
  return run('apt-get', [...options, '--print-uris', 'download', name]).output.includes(name);
}

function privateState(work) {
  const lists = join(work, 'lists');
  const cache = join(work, 'apt-cache');
  fs.mkdirSync(join(lists, 'partial'), { recursive: true });
  fs.mkdirSync(join(cache, 'archives', 'partial'), { recursive: true });
  return ['-o', `Dir::State::Lists=${lists}`, '-o', `Dir::Cache=${cache}`];
}

/** Moves the library, and the licence that must stay with it, to the cache. */
function install(tree, name) {
  const files = fs.readdirSync(tree, { recursive: true, encoding: 'utf8' });
  const library = files.find((file) => basename(file) === 'libunicorn.so.2');
  if (library === undefined) return `${name} contains no libunicorn.so.2`;
  const copyright = files.find((file) => basename(file) === 'copyright');
  if (copyright !== undefined) {
    fs.copyFileSync(join(tree, copyright), join(engineCache, 'libunicorn.copyright'));
  }
  // A rename is atomic: a second installation at the same time never sees half a library.
  const staged = join(tree, 'staged');
  fs.copyFileSync(fs.realpathSync(join(tree, library)), staged);
  fs.renameSync(staged, join(engineCache, 'libunicorn.so.2'));
  return undefined;
}

function run(command, args, cwd) {
  const env = { ...process.env, LC_ALL: 'C', DEBIAN_FRONTEND: 'noninteractive' };
  const stdio = ['ignore', 'pipe', 'pipe'];
  const options = { cwd, env, stdio, encoding: 'utf8', timeout: COMMAND_TIMEOUT };
  const result = spawnSync(command, args, options);
  const lines = `${result.stderr ?? ''}`.split('\n').filter((line) => line !== '');
  const message = result.error?.message ?? lines.find((line) => line.startsWith('E:')) ?? lines[0];
  return {
    ok: result.status === 0,
    output: result.stdout ?? '',
    message: message ?? `exit status ${result.status}`,
  };
}

function say(text) {
  console.log(`kunwind-lab: ${text}`);
}

const [major, minor] = process.versions.node.split('.').map(Number);
if (major < MAJOR || (major === MAJOR && minor < MINOR)) {
  const is = process.versions.node;
  console.error(`kunwind-lab: Node.js ${MAJOR}.${MINOR} or newer is needed, this is ${is}`);
  process.exit(2);
}
try {
  main();
} catch (error) {
  say(`the engine check failed: ${error instanceof Error ? error.message : String(error)}`);
}
