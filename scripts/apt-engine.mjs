// Fetching libunicorn with the machine's own apt, which verifies what it downloads, without root: shared by the
// post-install step and `npm run engine:newest`.
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { basename, join } from 'node:path';
import { engineCache } from './find-engine.mjs';

/** Longest time one apt or dpkg command may take, in milliseconds. */
const COMMAND_TIMEOUT = 180_000;

/** apt's own sandbox user cannot write to our folders, and warns; its absence costs nothing. */
export const QUIET = ['-qq', '-o', 'APT::Sandbox::User=root', '-o', 'Debug::NoLocking=1'];

export function hasAptTools() {
  return ['apt-get', 'apt-cache', 'dpkg-deb'].every((tool) => run(tool, ['--version']).ok);
}

/**
 * Calls `work` with a folder in the cache, which is removed whatever happens. What it returns, or what it
 * threw as text: like it, a problem.
 */
export function inWorkFolder(work) {
  let folder;
  try {
    fs.mkdirSync(engineCache, { recursive: true });
    folder = fs.mkdtempSync(join(engineCache, 'unpack-'));
    return work(folder);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  } finally {
    if (folder !== undefined) fs.rmSync(folder, { recursive: true, force: true });
  }
}

/** Options that give apt lists and a cache of its own, inside the folder. */
export function privateState(work) {
  const lists = join(work, 'lists');
  const cache = join(work, 'apt-cache');
  fs.mkdirSync(join(lists, 'partial'), { recursive: true });
  fs.mkdirSync(join(cache, 'archives', 'partial'), { recursive: true });
  return ['-o', `Dir::State::Lists=${lists}`, '-o', `Dir::Cache=${cache}`];
}

/** Names of packages with the library, most wanted first: libunicorn2t64, libunicorn2, ... */
export function candidatesOf(options) {
  const names = run('apt-cache', [...options, 'pkgnames', 'libunicorn']).output.split('\n');
  const versions = names.flatMap((name) => {
    const major = /^libunicorn(\d+)(t64)?$/.exec(name)?.[1];
    return major === undefined || Number(major) < 2 ? [] : [{ name, major: Number(major) }];
  });
  // Unicorn 2 is what this program speaks; a renamed package (t64) replaces the plain one.
  versions.sort((a, b) => a.major - b.major || b.name.length - a.name.length);
  return versions.map(({ name }) => name);
}

/** Downloads and unpacks a package into the folder: where its library is, or the problem. */
export function download(work, options, name) {
  console.error(`kunwind-lab: apt-get download ${name}`);
  const got = run('apt-get', [...options, 'download', name], work);
  if (!got.ok) return { problem: `apt-get download ${name}: ${got.message}` };
  const archive = fs.readdirSync(work).find((file) => file.endsWith('.deb'));
  if (archive === undefined) return { problem: `apt-get download ${name} left no package` };
  const tree = join(work, 'tree');
  const unpack = run('dpkg-deb', ['-x', join(work, archive), tree]);
  if (!unpack.ok) return { problem: `dpkg-deb -x ${archive}: ${unpack.message}` };
  const files = fs.readdirSync(tree, { recursive: true, encoding: 'utf8' });
  const path = (wanted) => {
    const file = files.find((one) => basename(one) === wanted);
    return file === undefined ? undefined : join(tree, file);
  };
  const library = path('libunicorn.so.2');
  if (library === undefined) return { problem: `${name} contains no libunicorn.so.2` };
  return { tree, library, copyright: path('copyright') };
}

/** Moves the library, and the licence that must stay with it, to a folder. Nothing on success, or throws. */
export function install({ tree, library, copyright }, folder) {
  fs.mkdirSync(folder, { recursive: true });
  if (copyright !== undefined) fs.copyFileSync(copyright, join(folder, 'libunicorn.copyright'));
  // A rename is atomic: a second installation at the same time never sees half a library.
  const staged = join(tree, 'staged');
  fs.copyFileSync(fs.realpathSync(library), staged);
  fs.renameSync(staged, join(folder, 'libunicorn.so.2'));
}

export function run(command, args, cwd) {
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
