/**
 * The package with the example of docs/writing-scenarios.md in it: a copy with the document's own files
 * written and its own patches applied.
 *
 *   npx tsx test/docs/example-package.ts
 *
 * builds the example's guest code, and keeps it beside this file with the hashes of its sources, for
 * machines without the cross toolchain.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { blocksOf } from './blocks.js';

const HERE = import.meta.dirname;
const ROOT = resolve(HERE, '../..');
const DOCUMENT = 'docs/writing-scenarios.md';
/** The built guest code that is kept. */
export const KEPT_ELF = join(HERE, 'example.elf');
/** Its place in a package. */
export const ELF = 'scenarios/example/example.elf';
const MANIFEST = join(HERE, 'example.json');
const LINKAGE = 'kernel-model/guest/include/linkage.h';
const HELPER = resolve(ROOT, '../shared/tools/sid-toolchain');

/** SHA-256 of built guest code and, by their paths, of what it was built from. */
interface Manifest {
  readonly elf: string;
  readonly sources: Readonly<Record<string, string>>;
}

function sha256(bytes: string | Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** What the document's blocks are: files by their paths, which are in the first line, and patches. */
export function exampleBlocks(): {
  readonly files: ReadonlyMap<string, string>;
  readonly patches: readonly string[];
} {
  const blocks = blocksOf(readFileSync(join(ROOT, DOCUMENT), 'utf8'));
  const files = blocks.flatMap(({ text }): [string, string][] => {
    const path = /^(?:\/\*|\/\/) (scenarios\/\S+)/.exec(text)?.[1];
    return path === undefined ? [] : [[path, text]];
  });
  const patches = blocks.filter(({ language }) => language === 'diff');
  return { files: new Map(files), patches: patches.map(({ text }) => text) };
}

/** The manifest as it must be for the document and the kept ELF as they are now. */
export function manifestNow(): Manifest {
  const guest = [...exampleBlocks().files].filter(([path]) => /\.[cS]$/.test(path));
  const sources = new Map([...guest, [LINKAGE, readFileSync(join(ROOT, LINKAGE), 'utf8')]]);
  const hashes = [...sources].map(([path, text]) => [path, sha256(text)] as const);
  return { elf: sha256(readFileSync(KEPT_ELF)), sources: Object.fromEntries(hashes) };
}

/** The manifest that was written when the kept ELF was built. */
export function keptManifest(): Manifest {
  return JSON.parse(readFileSync(MANIFEST, 'utf8')) as Manifest;
}

/**
 * A new copy of the package, sources and built code, with the example's files and patches.
 * @returns its folder, for the caller to remove
 */
export function examplePackage(): string {
  const folder = mkdtempSync(join(tmpdir(), 'kunwind-example-'));
  const { include } = JSON.parse(readFileSync(join(ROOT, 'tsconfig.build.json'), 'utf8')) as {
    readonly include: readonly string[];
  };
  const built = [...include, '.tsbuildinfo'].map((name) => `dist/${name}`);
  copy(['package.json', 'tsconfig.json', 'tsconfig.build.json', ...include, ...built], folder);
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  addExample(folder);
  return folder;
}

/**
 * Build the example's guest code, in a copy of the guest's sources.
 * @returns status 0 with the ELF when it was built, 3 without a toolchain
 */
export function buildGuest(): {
  readonly status: number | null;
  readonly output: string;
  readonly elf?: Uint8Array;
} {
  // A toolchain in a chroot may see nothing but the repository.
  const folder = join(ROOT, `dist/example-guest-${process.pid}`);
  try {
    copy(['package.json', 'kernel-model/guest', 'scenarios', 'targets'], folder);
    addExample(folder);
    const helper = existsSync(HELPER) ? { KUNWIND_TOOLCHAIN: `sh ${HELPER} run` } : {};
    const options = { cwd: folder, env: { ...helper, ...process.env }, encoding: 'utf8' } as const;
    const command = ['kernel-model/guest/build/build.mjs', 'example'];
    const { status, stdout, stderr } = spawnSync(process.execPath, command, options);
    const output = stdout + stderr;
    return status === 0
      ? { status, output, elf: readFileSync(join(folder, ELF)) }
      : { status, output };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Files and folders of the package, as far as they are there. */
function copy(names: readonly string[], folder: string): void {
  for (const name of names.filter((one) => existsSync(join(ROOT, one)))) {
    cpSync(join(ROOT, name), join(folder, name), { recursive: true });
  }
}

function addExample(folder: string): void {
  const { files, patches } = exampleBlocks();
  for (const [path, text] of files) {
    mkdirSync(join(folder, dirname(path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  for (const input of patches) {
    // As outside of any repository: a patch's paths are those of the copy.
    const env = { ...process.env, GIT_CEILING_DIRECTORIES: dirname(folder) };
    const options = { cwd: folder, input, env, encoding: 'utf8' } as const;
    const { status, stderr } = spawnSync('git', ['apply'], options);
    if (status !== 0) throw new Error(`${DOCUMENT}: git apply: ${stderr}\n${input}`);
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { status, output, elf } = buildGuest();
  process.stdout.write(output);
  process.exitCode = status ?? 1;
  if (elf !== undefined) {
    writeFileSync(KEPT_ELF, elf);
    writeFileSync(MANIFEST, `${JSON.stringify(manifestNow(), null, 2)}\n`);
  }
}
