import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { findEngineLibrary } from '../../emulator/engine-library.js';

const empty = mkdtempSync(join(tmpdir(), 'kunwind-engine-'));
afterAll(() => {
  rmSync(empty, { recursive: true, force: true });
});

/** Hides what the machine has. */
const NOWHERE = { env: { KUNWIND_LIBUNICORN_SEARCH: '' }, cache: empty };

function error(found: ReturnType<typeof findEngineLibrary>): string {
  expect(found.ok).toBe(false);
  const line = found.ok ? '' : found.error;
  expect(line).not.toContain('\n');
  return line;
}

describe('findEngineLibrary', () => {
  it('says in one line what to install', () => {
    const line = error(findEngineLibrary(NOWHERE));
    for (const command of [
      'apt install libunicorn2',
      'dnf install unicorn',
      'pacman -S unicorn',
      'brew install unicorn',
      'KUNWIND_LIBUNICORN',
    ]) {
      expect(line).toContain(command);
    }
  });

  it('says why a library that is there cannot be used', () => {
    const broken = mkdtempSync(join(empty, 'broken-'));
    const path = join(broken, 'libunicorn.so.2');
    writeFileSync(path, 'not a library');
    const env = { KUNWIND_LIBUNICORN_SEARCH: broken };
    expect(error(findEngineLibrary({ env, cache: empty }))).toContain(`${path} cannot be used: `);
  });

  it('does not say that a library which is there is missing', () => {
    const broken = mkdtempSync(join(empty, 'there-'));
    writeFileSync(join(broken, 'libunicorn.so.2'), 'not a library');
    const env = { KUNWIND_LIBUNICORN_SEARCH: broken };
    const line = error(findEngineLibrary({ env, cache: empty }));
    expect(line).not.toContain('not on this machine');
    expect(error(findEngineLibrary(NOWHERE))).toContain('is not on this machine');
  });

  it.skipIf(process.platform !== 'linux')(
    'says that memory is lacking, and how much there may be, not what to install',
    () => {
      const module = new URL('../../scripts/find-engine.mjs', import.meta.url).href;
      // The address space of a process that has reserved nearly all it may: the library does not fit.
      const code = `import { findEngine } from ${JSON.stringify(module)};
        import { createRequire } from 'node:module';
        createRequire(${JSON.stringify(module)})('koffi');
        const room = [];
        try { for (;;) room.push(new ArrayBuffer(2 ** 23)); } catch {}
        console.log(JSON.stringify(findEngine()));`;
      const command = 'ulimit -v 1500000; exec "$0" --input-type=module -e "$1"';
      const output = spawnSync('bash', ['-c', command, process.execPath, code], {
        encoding: 'utf8',
      }).stdout;
      const found = JSON.parse(output) as ReturnType<typeof findEngineLibrary>;
      expect(error(found)).toMatch(
        /^no CPU engine: \S+ cannot be used: .*; the address space is limited \(ulimit -v 1500000\)$/,
      );
    },
  );

  it('uses KUNWIND_LIBUNICORN and nothing else when it is set', () => {
    const missing = join(empty, 'missing.so');
    const line = error(findEngineLibrary({ env: { KUNWIND_LIBUNICORN: missing } }));
    expect(line).toContain(`KUNWIND_LIBUNICORN=${missing} cannot be used: `);
  });

  const installed = findEngineLibrary();
  const usable = installed.ok && installed.value.backend === 'libunicorn';
  it.skipIf(!usable)('finds what this machine has, and its version', () => {
    const engine = installed.ok ? installed.value : undefined;
    expect(engine?.backend === 'libunicorn' && engine.version).toMatch(/^2\.\d+\.\d+$/);
    expect(findEngineLibrary()).toEqual(installed);
  });
});

describe('scripts/ensure-engine.mjs', () => {
  const script = fileURLToPath(new URL('../../scripts/ensure-engine.mjs', import.meta.url));

  function run(variables: Record<string, string>): string {
    return fetch(variables).stdout;
  }

  /** Runs a copy, so that its cache is a directory of the test. */
  function fetch(variables: Record<string, string>): { stdout: string; stderr: string } {
    const root = mkdtempSync(join(empty, 'package-'));
    const scripts = mkdtempSync(join(root, 'scripts-'));
    for (const name of readdirSync(new URL('../../scripts/', import.meta.url))) {
      if (!name.endsWith('.mjs')) continue;
      copyFileSync(new URL(`../../scripts/${name}`, import.meta.url), join(scripts, name));
    }
    const env: NodeJS.ProcessEnv = { ...process.env, KUNWIND_LIBUNICORN_SEARCH: '', ...variables };
    // Who runs the tests with a library of their own must not change what is tested here.
    delete env['KUNWIND_LIBUNICORN'];
    const copy = join(scripts, 'ensure-engine.mjs');
    const { status, stdout, stderr } = spawnSync(process.execPath, [copy], {
      env,
      encoding: 'utf8',
    });
    expect(status).toBe(0);
    return { stdout, stderr };
  }

  it('never fails an installation: without koffi it says that', () => {
    const output = run({ PATH: empty });
    expect(output).toContain('the package koffi cannot be loaded');
    expect(output).not.toContain('apt install');
    expect(output.trim().split('\n')).toHaveLength(1);
  });

  it('never fails an installation: without apt it says what is missing', () => {
    const packages = fileURLToPath(new URL('../../node_modules', import.meta.url));
    const output = run({ PATH: empty, NODE_PATH: packages });
    expect(output).toMatch(/^kunwind-lab: did not unpack the engine \(.*\)\. no CPU engine: /);
    expect(output).toContain('apt install libunicorn2');
    expect(output.trim().split('\n')).toHaveLength(1);
  });

  it('says what it waits for when it fetches the engine', () => {
    const tools = mkdtempSync(join(empty, 'apt-'));
    const tool = (name: string, code: string): void => {
      writeFileSync(join(tools, name), `#!/bin/sh\n${code}\n`, { mode: 0o755 });
    };
    // No package lists at first, and no network ever.
    tool(
      'apt-get',
      'case "$*" in *update | --version) exit 0;; esac; echo E: no network >&2; exit 100',
    );
    tool('apt-cache', 'exit 0');
    tool('dpkg-deb', 'exit 0');
    const packages = fileURLToPath(new URL('../../node_modules', import.meta.url));
    const { stdout, stderr } = fetch({ PATH: `${tools}:/bin:/usr/bin`, NODE_PATH: packages });
    expect(stderr).toBe(
      'kunwind-lab: no libunicorn here, fetching it with apt\n' +
        'kunwind-lab: apt-get update, into a folder of its own\n',
    );
    expect(stdout).toMatch(/^kunwind-lab: did not unpack the engine /);
  });

  it('can be switched off', () => {
    expect(run({ KUNWIND_ENGINE_DOWNLOAD: '0' })).toMatch(/\(not downloaded\)\n$/);
  });

  it('is silent where the engine is there', () => {
    const found = findEngineLibrary();
    if (!found.ok) return;
    expect(execFileSync(process.execPath, [script], { encoding: 'utf8' })).toBe('');
  });
});
