/**
 * The built guest ELFs are in the repository, since most machines have no cross toolchain that writes
 * SFrame version 3. This keeps them from going stale: every file of the manifest must have the hash
 * it had at the build, and where a toolchain is at hand a rebuild must give the same bytes.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const ROOT = resolve(import.meta.dirname, '../..');
const GUEST = 'kernel-model/guest';

interface ManifestEntry {
  readonly sha256: string;
  readonly sources: Readonly<Record<string, string>>;
}

interface Manifest {
  readonly elfs: Readonly<Record<string, ManifestEntry>>;
}

type Read = (path: string) => Buffer | undefined;

const readFromTree: Read = (path) =>
  existsSync(join(ROOT, path)) ? readFileSync(join(ROOT, path)) : undefined;

/** One line per file that is not what it was when its ELF was built. */
function staleFiles(manifest: Manifest, read: Read): string[] {
  const lines = new Set<string>();
  const compare = (path: string, hash: string): void => {
    const bytes = read(path);
    if (bytes === undefined) lines.add(`${path}: missing`);
    else if (createHash('sha256').update(bytes).digest('hex') !== hash) {
      lines.add(`${path}: changed since npm run guest:build`);
    }
  };
  for (const [elf, entry] of Object.entries(manifest.elfs)) {
    compare(elf, entry.sha256);
    for (const [source, hash] of Object.entries(entry.sources)) compare(source, hash);
  }
  return [...lines].sort();
}

/** Guest sources in the tree, found without the build's own code. */
function guestSources(): string[] {
  const found: string[] = [];
  const add = (folder: string): void => {
    for (const name of readdirSync(join(ROOT, folder))) {
      if (/\.([cSh]|lds|mjs)$/.test(name)) found.push(`${folder}/${name}`);
    }
  };
  for (const folder of ['build', 'include', 'kernel', 'stub']) add(`${GUEST}/${folder}`);
  for (const entry of readdirSync(join(ROOT, 'scenarios'), { withFileTypes: true })) {
    if (entry.isDirectory()) add(`scenarios/${entry.name}`);
  }
  return found;
}

function readManifest(): Manifest {
  return JSON.parse(readFileSync(join(ROOT, GUEST, 'manifest.json'), 'utf8')) as Manifest;
}

describe('the built guest', () => {
  it('is what its sources were built to', () => {
    expect(staleFiles(readManifest(), readFromTree)).toEqual([]);
  });

  it('has every source in the manifest', () => {
    const known = new Set(
      Object.values(readManifest().elfs).flatMap(({ sources }) => Object.keys(sources)),
    );
    expect(guestSources().filter((path) => !known.has(path))).toEqual([]);
  });

  it('is called stale when a source, a header or an ELF differs by one byte', () => {
    const manifest = readManifest();
    for (const path of [
      `${GUEST}/kernel/entry.S`,
      `${GUEST}/include/asm-offsets.h`,
      `${GUEST}/kernel/scenario.lds`,
      `${GUEST}/vmlinux`,
      'scenarios/fgraph/traced.c',
      'scenarios/fgraph/fgraph.elf',
    ]) {
      const changed: Read = (other) => {
        const bytes = readFromTree(other);
        return other === path && bytes !== undefined
          ? Buffer.concat([bytes, Buffer.from('\n')])
          : bytes;
      };
      expect(staleFiles(manifest, changed)).toEqual([`${path}: changed since npm run guest:build`]);
    }
  });

  it('is called stale when a source is gone', () => {
    const gone: Read = (path) =>
      path === 'scenarios/sdei/sdei.S' ? undefined : readFromTree(path);
    expect(staleFiles(readManifest(), gone)).toEqual(['scenarios/sdei/sdei.S: missing']);
  });

  it('can be rebuilt byte for byte', ({ skip }) => {
    if (process.env.CI === undefined && process.env.KUNWIND_REBUILD === undefined) {
      skip('set CI or KUNWIND_REBUILD to rebuild the guest with the cross toolchain');
    }
    const result = spawnSync(process.execPath, [`${GUEST}/build/build.mjs`, '--check'], {
      cwd: ROOT,
      encoding: 'utf8',
    });
    if (result.status === 3) skip(result.stderr.trim());
    expect(result.stdout + result.stderr).toBe('');
    expect(result.status).toBe(0);
  });
});
