/**
 * The example of docs/writing-scenarios.md is taken from the document, compiled in a copy of the package,
 * and swept. Its guest code is built where the cross toolchain is, and otherwise the one that is kept.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { environment, ROOT, type Run } from '../cli/run-cli.js';
import {
  buildGuest,
  ELF,
  exampleBlocks,
  examplePackage,
  KEPT_ELF,
  keptManifest,
  manifestNow,
} from './example-package.js';
import { commandsOf } from './commands.js';
import { notPrinted } from './shown-output.js';

const REBUILD = 'node test/docs/example-package.js';
const DOCUMENT = readFileSync(join(ROOT, 'docs/writing-scenarios.md'), 'utf8');

describe('the example of docs/writing-scenarios.md', () => {
  let folder = '';
  beforeAll(() => {
    folder = examplePackage();
    cpSync(KEPT_ELF, join(folder, ELF));
    const { status, stdout } = inCopy(
      'node_modules/typescript/bin/tsc',
      '-p',
      'tsconfig.build.json',
    );
    expect({ status, stdout }).toEqual({ status: 0, stdout: '' });
  });
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  function inCopy(script: string, ...args: readonly string[]): Run {
    const options = { cwd: folder, encoding: 'utf8', env: environment({}) } as const;
    const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...args], options);
    return { status, stdout, stderr };
  }

  it('is complete: sources, description, catalogue, slot', () => {
    const { files, patches } = exampleBlocks();
    expect([...files.keys()].map((path) => path.replace(/.*\./, '')).sort()).toEqual([
      'S',
      'c',
      'ts',
    ]);
    expect(patches.length).toBe(2);
  });

  it(`has its guest code built from these sources (else: ${REBUILD})`, () => {
    expect(manifestNow()).toEqual(keptManifest());
  });

  it('has its guest code built by its own command, where the toolchain is', ({ skip }) => {
    const { status, output, elf } = buildGuest();
    if (status === 3) skip(output.trim());
    expect({ status, output }).toMatchObject({ status: 0 });
    expect(readFileSync(KEPT_ELF).equals(elf ?? new Uint8Array()), REBUILD).toBe(true);
  });

  it('is swept as promised, and prints what is shown', () => {
    const shown = commandsOf(DOCUMENT).filter(({ output }) => output !== undefined);
    expect(shown.map(({ command }) => command)).toEqual(['npx kunwind-lab sweep example']);
    const { status, stdout, stderr } = inCopy('dist/cli/main.js', 'sweep', 'example');
    expect(status, stderr + stdout).toBe(0);
    expect(notPrinted(shown[0]?.output ?? '', stdout), stdout).toBeUndefined();
  });

  it('is swept as promised inside exceptions', () => {
    const { status, stdout, stderr } = inCopy(
      'dist/cli/main.js',
      'sweep',
      'example',
      '--depth',
      '2',
    );
    expect(status, stderr + stdout).toBe(0);
    expect(stdout).toMatch(/^[\d,]+ points in 3 scenarios.*: all as promised$/m);
  });
});
