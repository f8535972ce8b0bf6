/** In which order engines are looked for, with trees of files that are only called so. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { findEngineLibrary } from '../../emulator/engine-library.js';
import { describeEngine } from '../../emulator/engine-text.js';
import { compareVersions, engineCandidates } from '../../scripts/find-engine.mjs';

const scratch = mkdtempSync(join(tmpdir(), 'kunwind-search-'));
afterAll(() => {
  rmSync(scratch, { recursive: true, force: true });
});

let tree: string;
beforeEach(() => {
  tree = mkdtempSync(join(scratch, 'tree-'));
});

const LIBRARY = 'unicorn/lib/libunicorn.so.2';

function put(path: string): string {
  const file = join(tree, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, '');
  return file;
}

/** Python's candidates, relative to the tree. */
function pythonLibraries(env: Readonly<Record<string, string>>): string[] {
  const search = { env: { KUNWIND_LIBUNICORN_SEARCH: '', ...env }, cache: tree, root: tree };
  return [...engineCandidates(search)]
    .filter(({ from }) => from === 'python')
    .map(({ path }) => relative(tree, path));
}

describe('the order', () => {
  it('is the newest, the system, Python, npm ci', () => {
    put(`usr/lib/python3/dist-packages/${LIBRARY}`);
    const env = { KUNWIND_LIBUNICORN_SEARCH: join(tree, 'system') };
    const all = [...engineCandidates({ env, cache: join(tree, 'cache'), root: tree })];
    const first = all.filter(({ path }) => path.endsWith('libunicorn.so.2'));
    expect(first.map(({ path, from }) => [from, relative(tree, path)])).toEqual([
      ['engine:newest', 'cache/newest/libunicorn.so.2'],
      ['system', 'system/libunicorn.so.2'],
      ['python', `usr/lib/python3/dist-packages/${LIBRARY}`],
      ['npm ci', 'cache/libunicorn.so.2'],
    ]);
  });

  const found = findEngineLibrary();
  const installed = found.ok && found.value.backend === 'libunicorn' ? found.value : undefined;
  const file = installed?.path.includes('/') === true ? installed.path : undefined;

  it.skipIf(file === undefined)('takes the first that loads, and says where it was', () => {
    const cache = join(tree, 'cache');
    const env = { KUNWIND_LIBUNICORN_SEARCH: join(tree, 'system') };
    const places = { 'npm ci': cache, system: join(tree, 'system') };
    for (const [from, folder] of Object.entries(places)) {
      mkdirSync(folder, { recursive: true });
      symlinkSync(file as string, join(folder, 'libunicorn.so.2'));
      const engine = findEngineLibrary({ env, cache });
      expect(engine).toMatchObject({ ok: true, value: { from, version: installed?.version } });
    }
    // One that does not load is passed over.
    put('cache/newest/libunicorn.so.2');
    expect(findEngineLibrary({ env, cache })).toMatchObject({ value: { from: 'system' } });
    rmSync(join(cache, 'newest/libunicorn.so.2'));
    symlinkSync(file as string, join(cache, 'newest/libunicorn.so.2'));
    expect(findEngineLibrary({ env, cache })).toMatchObject({ value: { from: 'engine:newest' } });
    const named = { ...env, KUNWIND_LIBUNICORN: file };
    expect(findEngineLibrary({ env: named, cache })).toMatchObject({
      value: { from: 'KUNWIND_LIBUNICORN' },
    });
  });
});

describe('the library of Python', () => {
  it('is found in each place without Python, the nearest first', () => {
    const inPath = put(`listed/${LIBRARY}`);
    put(`venv/lib/python3.12/site-packages/${LIBRARY}`);
    put(`home/.local/lib/python3.9/site-packages/${LIBRARY}`);
    put(`home/.local/lib/python3.11/site-packages/${LIBRARY}`);
    put('opt/bin/python3');
    put(`opt/lib64/python3.13/site-packages/${LIBRARY}`);
    put(`home/.pyenv/versions/3.11.7/lib/python3.11/site-packages/${LIBRARY}`);
    put(`usr/local/lib/python3.11/dist-packages/${LIBRARY}`);
    put(`usr/lib/python3/dist-packages/${LIBRARY}`);
    // Another package, and Python 2.
    put('usr/lib/python3/dist-packages/capstone/lib/libcapstone.so.5');
    put(`usr/lib/python2.7/site-packages/${LIBRARY}`);
    const env = {
      PYTHONPATH: dirname(dirname(dirname(inPath))),
      VIRTUAL_ENV: join(tree, 'venv'),
      HOME: join(tree, 'home'),
      PATH: ['absent', 'opt/bin'].map((name) => join(tree, name)).join(':'),
    };
    expect(pythonLibraries(env)).toEqual([
      `listed/${LIBRARY}`,
      `venv/lib/python3.12/site-packages/${LIBRARY}`,
      `home/.local/lib/python3.11/site-packages/${LIBRARY}`,
      `home/.local/lib/python3.9/site-packages/${LIBRARY}`,
      `opt/lib64/python3.13/site-packages/${LIBRARY}`,
      `home/.pyenv/versions/3.11.7/lib/python3.11/site-packages/${LIBRARY}`,
      `usr/local/lib/python3.11/dist-packages/${LIBRARY}`,
      `usr/lib/python3/dist-packages/${LIBRARY}`,
    ]);
  });

  it('is that of the interpreter which an environment links to, too', () => {
    put('opt/bin/python3.12');
    put(`opt/lib/python3.12/site-packages/${LIBRARY}`);
    mkdirSync(join(tree, 'venv/bin'), { recursive: true });
    symlinkSync(join(tree, 'opt/bin/python3.12'), join(tree, 'venv/bin/python3'));
    expect(pythonLibraries({ PATH: join(tree, 'venv/bin') })).toEqual([
      `opt/lib/python3.12/site-packages/${LIBRARY}`,
    ]);
  });

  it('is not looked for where a list of directories stands for the machine', () => {
    put(`home/.local/lib/python3.11/site-packages/${LIBRARY}`);
    const env = { KUNWIND_LIBUNICORN_SEARCH: '', HOME: join(tree, 'home') };
    const from = [...engineCandidates({ env, cache: tree })].map((candidate) => candidate.from);
    expect(new Set(from)).toEqual(new Set(['engine:newest', 'npm ci']));
  });

  it('is asked of python3 last of all, and only what it adds', () => {
    const bin = join(tree, 'bin');
    const library = put(`elsewhere/${LIBRARY}`);
    mkdirSync(bin);
    const script = `#!/bin/sh\necho '${dirname(dirname(library))}'\n`;
    writeFileSync(join(bin, 'python3'), script, { mode: 0o755 });
    const env = { PATH: `${bin}:/bin:/usr/bin`, HOME: tree };
    const all = [...engineCandidates({ env, cache: join(tree, 'cache'), root: tree })];
    expect(all.at(-1)).toEqual({ path: library, from: 'python' });
    const known = { ...env, PYTHONPATH: join(tree, 'elsewhere') };
    const again = [...engineCandidates({ env: known, cache: join(tree, 'cache'), root: tree })];
    expect(again.filter(({ path }) => path === library)).toHaveLength(1);
  });
});

it('versions are compared by their numbers', () => {
  const versions = ['2.1.10', '2.0.1', '2.1.4', '2.1', '2.36', '10.0'];
  expect(versions.sort(compareVersions)).toEqual([
    ...['2.0.1', '2.1', '2.1.4', '2.1.10', '2.36', '10.0'],
  ]);
  expect(compareVersions('2.1', '2.1.0')).toBe(0);
});

it('an engine is named with what another would bring', () => {
  const library = '/usr/lib/libunicorn.so.2';
  expect(describeEngine({ name: 'libunicorn', version: '2.0.1', library })).toBe(
    'Unicorn 2.0.1 (/usr/lib/libunicorn.so.2); 2.1 sweeps 1.5 times as fast: "npm run engine:newest" or "pip install unicorn"',
  );
  expect(describeEngine({ name: 'libunicorn', version: '2.1.4', library })).toBe(
    'Unicorn 2.1.4 (/usr/lib/libunicorn.so.2); sweeps 1.5 times as fast as 2.0',
  );
});
