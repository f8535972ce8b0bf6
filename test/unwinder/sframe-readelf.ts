/** readelf as the independent reader of SFrame, and the text in which two readers are compared. */

import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';

export const repositoryRoot = join(dirname(fileURLToPath(import.meta.url)), '..', '..');

/** Kernels to compare on, and where they lie. */
export const kernelNames = ['vmlinux-7.3-rc7', 'vmlinux-7.3-rc7-leaf'];
const kernelFolder = join(repositoryRoot, '..', 'shared', 'kernels');

/** The ELF file of kernel `name`, or undefined where it is not at hand. */
export function readKernel(name: string): Buffer | undefined {
  const path = join(kernelFolder, `${name}.gz`);
  return existsSync(path) ? gunzipSync(readFileSync(path)) : undefined;
}

/** A readelf that prints SFrame V3: a command and its leading arguments. */
export interface Readelf {
  command: string[];
  /** First line of `--version`. */
  version: string;
}

/** The first binutils readelf of 2.46 or newer: by name, then in a toolchain chroot. */
export function findReadelf(): Readelf | undefined {
  const chroot = join(repositoryRoot, '..', 'shared', 'tools', 'sid-toolchain');
  const prefix =
    process.env['KUNWIND_TOOLCHAIN']?.split(' ') ??
    (existsSync(chroot) ? ['sh', chroot, 'run'] : undefined);
  const candidates = [['aarch64-linux-gnu-readelf'], ['readelf']];
  if (prefix !== undefined) candidates.push([...prefix, 'aarch64-linux-gnu-readelf']);
  for (const command of candidates) {
    // A chroot that is not set up would be mounted by asking: only root can have one.
    const version = run([...command, '--version'])?.split('\n')[0] ?? '';
    const number = /^GNU readelf .*?(\d+)\.(\d+)/.exec(version);
    if (number === null) continue;
    if (Number(number[1]) * 1000 + Number(number[2]) >= 2046) return { command, version };
  }
  return undefined;
}

/** The output of `readelf --sframe` on an ELF file with these bytes. */
export function readelfSFrame(readelf: Readelf, elf: Uint8Array): string {
  return readelfOutput(readelf, '--sframe', elf);
}

/** The output of readelf with one option on an ELF file with these bytes. */
export function readelfOutput(readelf: Readelf, option: string, elf: Uint8Array): string {
  // Inside the repository: a toolchain in a chroot sees nothing else.
  mkdirSync(join(repositoryRoot, 'dist'), { recursive: true });
  const folder = mkdtempSync(join(repositoryRoot, 'dist', 'tmp-sframe-'));
  try {
    const file = join(folder, 'elf');
    writeFileSync(file, elf);
    const output = run([...readelf.command, option, relative(repositoryRoot, file)]);
    if (output === undefined) throw new Error(`${readelf.command.join(' ')} ${option} failed`);
    return output;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function run([program, ...args]: string[]): string | undefined {
  if (program === undefined) return undefined;
  const options = { cwd: repositoryRoot, encoding: 'utf8', maxBuffer: 1 << 28 } as const;
  const { status, stdout } = spawnSync(program, args, options);
  return status === 0 ? stdout : undefined;
}

/** What a dump says, without its layout. */
export interface Canonical {
  functions: number;
  rows: number;
  /** sha256 of `text`. */
  sha256: string;
  /** One line per function and per row, blanks squeezed. */
  text: string;
}

/** The canonical form of a dump by readelf or by us; the other lines are not looked at. */
export function canonical(dump: Iterable<string>): Canonical {
  const lines: string[] = [];
  let functions = 0;
  let rows = 0;
  for (const line of dump) {
    const isFunction = /^ {4}func idx \[/.test(line);
    const isRow = /^ {4}[0-9a-f]{16} {2}/.test(line);
    if (isFunction) functions++;
    if (isRow) rows++;
    if (isFunction || isRow) lines.push(line.trim().replace(/ +/g, ' '));
  }
  const text = lines.join('\n');
  return { functions, rows, sha256: createHash('sha256').update(text).digest('hex'), text };
}
