/**
 * Rewrites sframe-vmlinux.digest.json from what readelf (not this project) says about the
 * kernels:
 *
 *     npx tsx test/unwinder/sframe-vmlinux-digest.ts
 *
 * Needs the kernels and a readelf of binutils 2.46 or newer.
 */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  canonical,
  findReadelf,
  kernelNames,
  readKernel,
  readelfSFrame,
  repositoryRoot,
} from './sframe-readelf.js';

const readelf = findReadelf();
if (readelf === undefined) throw new Error('no readelf of binutils 2.46 or newer');
const kernels: Record<string, { functions: number; rows: number; sha256: string }> = {};
for (const name of kernelNames) {
  const elf = readKernel(name);
  if (elf === undefined) throw new Error(`${name}.gz is not at hand`);
  const { functions, rows, sha256 } = canonical(readelfSFrame(readelf, elf).split('\n'));
  kernels[name] = { functions, rows, sha256 };
}
const file = join(repositoryRoot, 'test', 'unwinder', 'sframe-vmlinux.digest.json');
writeFileSync(file, `${JSON.stringify({ readelf: readelf.version, kernels }, null, 2)}\n`);
