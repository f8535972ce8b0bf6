/** `npm run engine:newest` and `npm run sweep:engines`, without a network. */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { debianMirrors, newestLoadable } from '../../scripts/newest-package.mjs';
import { reportDifferences } from '../../scripts/report-differences.mjs';
import { repositoryPath } from '../machine-fixture.js';

const scratch = mkdtempSync(join(tmpdir(), 'kunwind-engines-'));
afterAll(() => {
  rmSync(scratch, { recursive: true, force: true });
});

const DEBIAN = { ID: 'debian', VERSION_CODENAME: 'bookworm' };

describe('which package is the newest', () => {
  const stanza = (name: string, version: string, depends: string): string =>
    `Package: ${name}\nVersion: ${version}\nDepends: ${depends}\nDescription: an emulator\n\n`;
  const plain = stanza('libunicorn2', '2.0.1.post1-1+b1', 'libc6 (>= 2.17)');
  const renamed = stanza('libunicorn2t64', '2.1.4-4', 'libgcc-s1 (>= 3.0), libc6 (>= 2.34)');

  it('is the one that the C library loads', () => {
    expect(newestLoadable(plain + renamed, '2.36').wanted).toEqual({
      ...{ name: 'libunicorn2t64', version: '2.1.4-4', upstream: '2.1.4', needs: '2.34' },
    });
    expect(newestLoadable(plain + renamed, '2.34').wanted?.version).toBe('2.1.4-4');
    expect(newestLoadable(plain + renamed, '2.33').wanted?.version).toBe('2.0.1.post1-1+b1');
    expect(newestLoadable(renamed, '2.4')).toEqual({
      problem: 'libunicorn2t64 2.1.4-4 needs glibc 2.34, this machine has 2.4',
    });
    expect(newestLoadable('', '2.36')).toEqual({ problem: 'it has no package libunicorn2' });
  });

  it("comes from the machine's own mirror of Debian", () => {
    const line = (path: string): string => `'${path}' some_file 0 \n`;
    const uris =
      line('http://mirror.test/debian/dists/bookworm/InRelease') +
      line('http://mirror.test/debian/dists/bookworm/main/binary-amd64/Packages.xz') +
      line('http://mirror.test/debian-security/dists/bookworm-security/InRelease') +
      line('mirror+file:/etc/apt/mirrors.list/dists/sid/InRelease') +
      line('http://other.test/tool/dists/nodistro/InRelease');
    expect(debianMirrors(uris, DEBIAN)).toEqual([
      'http://mirror.test/debian',
      'mirror+file:/etc/apt/mirrors.list',
    ]);
    expect(debianMirrors(uris, { ID: 'ubuntu', VERSION_CODENAME: 'noble' })).toEqual([]);
  });
});

describe('npm run engine:newest', () => {
  let root: string;
  let tools: string;
  beforeEach(() => {
    root = mkdtempSync(join(scratch, 'package-'));
    cpSync(repositoryPath('scripts'), join(root, 'scripts'), { recursive: true });
    tools = join(root, 'tools');
    mkdirSync(tools);
  });

  function run(script: string, ...args: string[]) {
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [join(root, 'scripts', script), ...args],
      {
        encoding: 'utf8',
        env: {
          PATH: tools,
          KUNWIND_LIBUNICORN_SEARCH: '',
          NODE_PATH: repositoryPath('node_modules'),
        },
      },
    );
    return { status, stdout, stderr };
  }

  function tool(name: string, code: string): void {
    writeFileSync(join(tools, name), `#!/bin/sh\n${code}\n`, { mode: 0o755 });
  }

  it('says in one line that a machine without apt cannot have it', () => {
    const { status, stdout, stderr } = run('engine-newest.mjs');
    expect([status, stdout]).toEqual([3, '']);
    expect(stderr).toMatch(
      /^kunwind-lab: engine:newest: not for this machine: .*; pip install unicorn brings 2\.1\n$/,
    );
  });

  it.skipIf(process.platform !== 'linux')('leaves nothing behind when it fails', () => {
    tool('apt-cache', 'exit 0');
    tool('dpkg-deb', 'exit 0');
    // Prints sources, and refuses every list as one that is not signed.
    tool(
      'apt-get',
      `case "$*" in
      --version) exit 0;;
      *print-uris*) for suite in bookworm stable sid; do
        echo "'http://mirror.test/debian/dists/$suite/InRelease' f 0"; done;;
      *) echo "E: The repository is not signed." >&2; exit 100;;
      esac`,
    );
    const { status, stdout, stderr } = run('engine-newest.mjs');
    expect(stdout).toBe('');
    const last = stderr.trimEnd().split('\n').at(-1) ?? '';
    // On a machine without Debian's keys, or that is not Debian, it ends before it asks for lists.
    if (status === 3) expect(last).toMatch(/not for this machine: (the keys|apt's sources)/);
    else {
      expect(status).toBe(1);
      expect(last).toContain('could not be had: sid: apt-get update: E: The repository is not');
      expect(readdirSync(join(root, 'node_modules/.cache/kunwind-lab'))).toEqual([]);
    }
  });

  it('sweep:engines is skipped where there is no second engine', () => {
    const { status, stdout, stderr } = run('sweep-engines.mjs');
    expect([status, stdout]).toEqual([3, '']);
    expect(stderr).toMatch(
      /\nsweep:engines: skipped, nothing was compared: this machine has no libunicorn\n$/,
    );
  });
});

describe('npm run sweep:engines', () => {
  // In a process of its own: where a library is loaded already, the loader gives it by its bare name.
  const finder = JSON.stringify(repositoryPath('scripts/find-engine.mjs'));
  const asked = spawnSync(
    process.execPath,
    [
      '--input-type=module',
      '-e',
      `import { findEngine } from ${finder}; console.log(findEngine().value?.path ?? '');`,
    ],
    { encoding: 'utf8' },
  );
  const library = asked.stdout.trim() === '' ? undefined : asked.stdout.trim();

  it.skipIf(library === undefined)('sweeps on both, and finds the reports equal', () => {
    const engine = ['--engine', library ?? ''];
    const script = repositoryPath('scripts/sweep-engines.mjs');
    const args = [script, ...engine, ...engine, 'leaf/strlen'];
    const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
    expect(stdout, stderr).toMatch(
      /^(Unicorn 2\.\S+: \d+ points in .*, exit status 0 .*\n){2}sweep:engines: the reports of .* are equal but for times\n$/,
    );
    expect(status).toBe(0);
  });

  it('refuses one engine, and one that does not load', () => {
    const run = (...args: string[]) =>
      spawnSync(process.execPath, [repositoryPath('scripts/sweep-engines.mjs'), ...args], {
        encoding: 'utf8',
      });
    const once = run('--engine', 'a.so');
    expect([once.status, once.stderr]).toEqual([
      2,
      'sweep:engines: --engine is given twice, or not at all\n',
    ]);
    const absent = run('--engine', '/absent.so', '--engine', '/absent.so');
    expect(absent.status).toBe(2);
    expect(absent.stderr).toMatch(/^sweep:engines: KUNWIND_LIBUNICORN=\/absent\.so cannot be /);
  });

  it('compares everything but times', () => {
    const report = (seconds: number, missing: number, ...names: string[]) => ({
      seconds,
      jobs: seconds,
      pointsPerSecond: 1 / seconds,
      scenarios: names.map((name) => ({ name, verdicts: { missing } })),
    });
    expect(reportDifferences(report(1, 2, 'a', 'b'), report(3, 2, 'a', 'b'))).toEqual([]);
    expect(reportDifferences(report(1, 2, 'a'), report(1, 3, 'a', 'b'))).toEqual([
      { where: 'report.scenarios[a].verdicts.missing', left: '2', right: '3' },
      {
        where: 'report.scenarios[1]',
        left: 'absent',
        right: '{"name":"b","verdicts":{"missing":3}}',
      },
    ]);
    expect(reportDifferences({ a: null }, { a: [] })).toHaveLength(1);
    expect(reportDifferences([], {})).toHaveLength(1);
  });
});
