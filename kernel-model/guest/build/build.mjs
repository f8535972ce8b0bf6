/**
 * Builds the guest kernel and the scenario families, byte for byte reproducibly.
 *
 *   node kernel-model/guest/build/build.mjs [--check] [vmlinux | FAMILY]...
 *
 * Without names everything is built. A C file's first line may hold flags of its own, which come last:
 * `/* cflags: -fomit-frame-pointer *\/`. --check rebuilds elsewhere and compares: one line per
 * difference, and exit status 1. Status 3: no toolchain.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { FLAGS, GUEST, findTargets } from './targets.mjs';
import { findToolchain } from './toolchain.mjs';

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '../../..');
const MANIFEST = `${GUEST}/manifest.json`;
/** Inside the repository, since a toolchain in a chroot may see nothing else; ignored by git. */
const WORK = `dist/guest-${process.pid}`;

/** Exit status that tells "cannot" from "differs" (1) and from a failed build (2). */
const NO_TOOLCHAIN = 3;

/** @param {string} path relative to the root */
function sha256(path) {
  return createHash('sha256')
    .update(readFileSync(join(ROOT, path)))
    .digest('hex');
}

/** @param {string} file */
function ownFlags(file) {
  const line = readFileSync(join(ROOT, file), 'utf8').split('\n', 1)[0] ?? '';
  const found = /^(?:\/\*|\/\/) cflags: (.*?)(?: \*\/)?$/.exec(line);
  return (found?.[1] ?? '').split(/\s+/).filter((word) => word !== '');
}

/**
 * @param {import('./toolchain.mjs').Toolchain} toolchain
 * @param {import('./targets.mjs').Target} target
 * @param {string} output where to write the ELF
 */
function build(toolchain, target, output) {
  const folder = `${WORK}/${target.name}`;
  mkdirSync(join(ROOT, folder), { recursive: true });
  mkdirSync(join(ROOT, dirname(output)), { recursive: true });
  const objects = target.code.map((file) => {
    const object = `${folder}/${basename(file)}.o`;
    const flags = file.endsWith('.c') ? FLAGS.c : ['-D__ASSEMBLY__'];
    const all = [...FLAGS.all, ...flags, ...target.flags, ...ownFlags(file)];
    toolchain.run('gcc', [...all, '-o', object, file]);
    return object;
  });
  const symbols = target.kernel === undefined ? [] : ['-R', target.kernel];
  toolchain.run('ld', [...FLAGS.ld, ...target.ldFlags, ...symbols, '-o', output, ...objects]);
}

/**
 * @param {import('./toolchain.mjs').Toolchain} toolchain
 * @param {import('./targets.mjs').Target} target
 */
function manifestEntry(toolchain, target) {
  const inputs =
    target.kernel === undefined ? target.sources : [...target.sources, target.kernel].sort();
  return {
    sha256: sha256(target.elf),
    sources: Object.fromEntries(inputs.map((path) => [path, sha256(path)])),
    flags: {
      all: [...FLAGS.all, ...target.flags].join(' '),
      c: FLAGS.c.join(' '),
      ld: [...FLAGS.ld, ...target.ldFlags].join(' '),
    },
    tools: toolchain.versions,
  };
}

/**
 * @param {Record<string, unknown>} entries the ELFs just built; others keep what they have
 * @param {Set<string>} known ELFs that have sources; others are dropped
 */
function writeManifest(entries, known) {
  const path = join(ROOT, MANIFEST);
  const old = existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')).elfs : {};
  const all = Object.entries({ ...old, ...entries }).filter(([elf]) => known.has(elf));
  const elfs = Object.fromEntries(all.sort(([a], [b]) => (a < b ? -1 : 1)));
  writeFileSync(path, JSON.stringify({ elfs }, null, 1) + '\n');
}

/** @returns {number} exit status */
function main() {
  const names = process.argv.slice(2).filter((word) => word !== '--check');
  const check = process.argv.includes('--check');
  const all = findTargets(ROOT);
  const unknown = names.find((name) => !all.some((target) => target.name === name));
  if (unknown !== undefined) {
    console.error(`guest:build: no such target: ${unknown}`);
    return 2;
  }
  const toolchain = findToolchain(ROOT);
  if (typeof toolchain === 'string') {
    console.error(`guest:build: ${toolchain}`);
    return NO_TOOLCHAIN;
  }
  const wanted = all.filter((target) => names.length === 0 || names.includes(target.name));
  let differences = 0;
  /** @type {Record<string, unknown>} */
  const entries = {};
  for (const target of wanted) {
    const output = check ? `${WORK}/out/${target.elf}` : target.elf;
    build(toolchain, target, output);
    if (!check) {
      entries[target.elf] = manifestEntry(toolchain, target);
      console.log(`${target.elf} ${readFileSync(join(ROOT, target.elf)).length} bytes`);
    } else if (!existsSync(join(ROOT, target.elf))) {
      console.log(`${target.elf}: not there, but can be built`);
      differences++;
    } else if (sha256(output) !== sha256(target.elf)) {
      console.log(`${target.elf}: differs from what its sources build to`);
      differences++;
    }
  }
  if (!check) writeManifest(entries, new Set(all.map((target) => target.elf)));
  return differences > 0 ? 1 : 0;
}

try {
  process.exitCode = main();
} catch (error) {
  console.error(`guest:build: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 2;
} finally {
  rmSync(join(ROOT, WORK), { recursive: true, force: true });
}
