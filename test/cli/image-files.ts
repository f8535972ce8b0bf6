/** Small ELF files for sweeps of images, and broken ones. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadElf } from '../../elf/image.js';
import { buildElf, quads, words } from '../elf/elf-builder.js';
import { ROOT } from './run-cli.js';

/** An image with functions, `.sframe`, and annotations that are wrong. */
export const LEAF_ELF = join(ROOT, 'scenarios/leaf/leaf.elf');

const ET_EXEC = 2;
const ET_DYN = 3;
const SHT_PROGBITS = 1;
const SHT_RELA = 4;
const SHF_ALLOC_EXEC = 6;
const SHF_ALLOC = 2;
const R_AARCH64_RELATIVE = 0x403n;
const DATA = 0x1000;

/**
 * `load_through`: reads the word at the address that a data word holds, and returns. Without
 * `.sframe`. @param address where it is linked: 0 makes it a position-independent executable
 */
export function writeLoader(path: string, address: bigint): string {
  const text = words(
    0x10008000, // adr x0, .+0x1000
    0xf9400000, // ldr x0, [x0]
    0xb9400000, // ldr w0, [x0]
    0xd65f03c0, // ret
  );
  const isPie = address === 0n;
  const pointer = isPie ? 0n : address + BigInt(DATA) + 8n;
  const rela = quads(BigInt(DATA), R_AARCH64_RELATIVE, BigInt(DATA) + 8n);
  const file = buildElf({
    type: isPie ? ET_DYN : ET_EXEC,
    segments: [
      { address, data: text, flags: 5 },
      { address: address + BigInt(DATA), data: quads(pointer, 77n), flags: 6 },
    ],
    sections: [
      { name: '.text', type: SHT_PROGBITS, flags: SHF_ALLOC_EXEC, address, data: text },
      ...(isPie ? [{ name: '.rela.dyn', type: SHT_RELA, flags: SHF_ALLOC, data: rela }] : []),
    ],
    symbols: [
      { name: 'load_through', value: address, size: 16 },
      { name: 'a_table', value: address + BigInt(DATA), size: 16, info: 0x11 },
    ],
  });
  writeFileSync(path, file);
  return path;
}

/** `follow`: reads what its argument points at, and what that points at, and returns. */
export function writeFollower(path: string): string {
  const text = words(
    0xf9400000, // ldr x0, [x0]
    0xf9400000, // ldr x0, [x0]
    0xd65f03c0, // ret
  );
  return writeCode(path, 'follow', text);
}

/** A program at 0x400000 that is one function, which may have more names. */
export function writeCode(
  path: string,
  name: string,
  text: Uint8Array,
  ...others: string[]
): string {
  const address = 0x400000n;
  const file = buildElf({
    type: ET_EXEC,
    segments: [{ address, data: text, flags: 5 }],
    sections: [{ name: '.text', type: SHT_PROGBITS, flags: SHF_ALLOC_EXEC, address, data: text }],
    symbols: [name, ...others].map((one) => ({ name: one, value: address, size: text.length })),
  });
  writeFileSync(path, file);
  return path;
}

/** A copy of {@link LEAF_ELF} with some bytes changed. */
export function writePatched(path: string, offset: number, ...bytes: number[]): string {
  const file = readFileSync(LEAF_ELF);
  file.set(bytes, offset);
  writeFileSync(path, file);
  return path;
}

/** Where in the file {@link LEAF_ELF} its `.sframe` lies. */
export function sframeOffset(): number {
  const image = loadElf(LEAF_ELF);
  const section = image.ok ? image.value.sframe[0] : undefined;
  if (section === undefined) throw new Error(`${LEAF_ELF} has no .sframe`);
  return section.offset;
}
