/** What a start loads: most of its time. A module that a command needs is loaded when that is run. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { environment, MAIN, ROOT } from './run-cli.js';

/** The modules that a command line has loaded, relative to the repository: V8 lists them with its coverage. */
function loadedBy(...args: readonly string[]): string[] {
  const folder = mkdtempSync(join(tmpdir(), 'kunwind-start-'));
  try {
    const { status, stderr } = spawnSync(process.execPath, [MAIN, ...args], {
      cwd: ROOT,
      encoding: 'utf8',
      env: environment({ NODE_V8_COVERAGE: folder }),
    });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    const scripts = readdirSync(folder).flatMap((name) => {
      const text = readFileSync(join(folder, name), 'utf8');
      return (JSON.parse(text) as { readonly result: readonly { readonly url: string }[] }).result;
    });
    const paths = scripts.filter(({ url }) => url.startsWith('file:'));
    return paths.map(({ url }) => relative(ROOT, fileURLToPath(url)).replaceAll(sep, '/'));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The packages and folders of dist/ among the modules, each once. */
function roomsOf(modules: readonly string[]): string[] {
  const room = /^(?:dist\/[^/]+|node_modules\/(?:@[^/]+\/)?[^/]+)/;
  return [...new Set(modules.map((path) => room.exec(path)?.[0] ?? path))].sort();
}

/** What reads the command line: yargs and what it needs, and the commands' descriptions. */
const PARSER = [
  'cliui',
  'escalade',
  'get-caller-file',
  'get-east-asian-width',
  'wrap-ansi',
  'y18n',
];
const COMMAND_LINE = [
  ...['base', 'cli', 'elf', 'kernel-model', 'unwinder'].map((folder) => `dist/${folder}`),
  ...[...PARSER, 'yargs', 'yargs-parser'].map((name) => `node_modules/${name}`),
].sort();

describe('a start', () => {
  it.each([[['--help']], [['--version']], [['sweep', '--help']], [['sframe', 'verify', '--help']]])(
    'of %j loads what reads the command line, and nothing that runs a command',
    (args) => {
      const modules = loadedBy(...args);
      expect(modules).toContain('dist/cli/main.js');
      expect(COMMAND_LINE).toEqual(expect.arrayContaining(roomsOf(modules)));
      const ours = modules.filter(
        (path) => path.startsWith('dist/') && !path.startsWith('dist/cli/'),
      );
      // Names for the descriptions of options, and for a command that is mistyped.
      for (const path of ours) {
        expect(path).toMatch(
          /^dist\/(base\/package-path|elf\/symbol-names|kernel-model\/exception-kind|unwinder\/(policies\/[\w-]+|policy))\.js$/,
        );
      }
    },
  );

  it('of a command that only reads tables loads no engine, no scenario and no disassembler', () => {
    const rooms = roomsOf(loadedBy('sframe', 'stat', 'scenarios/calls/calls.elf'));
    expect(rooms).toContain('dist/tables');
    expect(rooms.filter((name) => !COMMAND_LINE.includes(name))).toEqual([
      'dist/tables',
      'node_modules/elfy',
      'node_modules/endian-reader',
    ]);
  });

  it('of the debugger without a screen or gdb loads neither', () => {
    const modules = loadedBy('debug', 'calls/pac', '--print');
    const rooms = roomsOf(modules);
    expect(rooms).toContain('dist/debug');
    expect(rooms).not.toContain('node_modules/terminal-kit');
    expect(rooms).not.toContain('node_modules/zstddec');
    expect(modules.filter((path) => /^dist\/debug\/(tui|gdb\/server)/.test(path))).toEqual([]);
  });
});
