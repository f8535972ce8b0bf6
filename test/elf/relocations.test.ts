import { describe, expect, it } from 'vitest';
import { addressFromBigInt } from '../../base/address.js';
import { DynamicLinker } from '../../elf/dynamic-linker.js';
import { describeElfError } from '../../elf/error.js';
import { parseElf, type ElfImage } from '../../elf/image.js';
import { buildElf, quads, TEXT_ADDRESS, words, type BuilderSection } from './elf-builder.js';

const DATA = TEXT_ADDRESS + 0x10000n;
const RELATIVE = 1027n;

function image(data: Uint8Array, sections: readonly BuilderSection[], type = 3): ElfImage {
  const file = buildElf({
    type,
    segments: [
      { address: TEXT_ADDRESS, data: words(0xd65f03c0) },
      { address: DATA, data, flags: 6, memorySize: BigInt(data.length + 16) },
    ],
    sections,
  });
  const parsed = parseElf('a.elf', file);
  if (!parsed.ok) throw new Error(describeElfError(parsed.error));
  return parsed.value;
}

/** The 64-bit words of the second segment after relocation, or the one-line error. */
function relocated(elf: ElfImage, bias = 0): bigint[] | string {
  const segments = elf.applyRelocations(bias);
  if (!segments.ok) return describeElfError(segments.error);
  const segment = segments.value[1];
  if (segment === undefined) throw new Error('there are two segments');
  expect(segment.address).toBe(addressFromBigInt(DATA) + bias);
  return [...new BigUint64Array(segment.data.buffer)];
}

const rela = (...entries: bigint[]): BuilderSection => {
  return { name: '.rela.dyn', type: 4, flags: 2, data: quads(...entries) };
};
const relr = (...entries: bigint[]): BuilderSection => {
  return { name: '.relr.dyn', type: 19, flags: 2, data: quads(...entries) };
};

describe('applyRelocations', () => {
  it('stores the addend of R_AARCH64_RELATIVE, also into memory beyond the file', () => {
    const elf = image(quads(7n, 7n), [
      rela(DATA, RELATIVE, TEXT_ADDRESS, DATA + 16n, RELATIVE, 0xfedcba9876543210n, 0n, 0n, 0n),
    ]);
    expect(relocated(elf)).toEqual([TEXT_ADDRESS, 7n, 0xfedcba9876543210n, 0n]);
    const moved = [TEXT_ADDRESS + 0x4000n, 7n, 0xfedcba9876547210n, 0n];
    expect(relocated(elf, 0x4000)).toEqual(moved);
    expect(relocated(elf, -0x1000)[0]).toBe(TEXT_ADDRESS - 0x1000n);
  });

  it('leaves the file as it was', () => {
    const elf = image(quads(7n), [rela(DATA, RELATIVE, 1n)]);
    relocated(elf);
    expect([...(elf.segments[1]?.data ?? [])]).toEqual([7, 0, 0, 0, 0, 0, 0, 0]);
  });

  it('adds the bias to the words of RELR addresses and bitmaps', () => {
    const words70 = Array.from({ length: 70 }, (_, i) => BigInt(i));
    // Word 0 by address; words 1, 33 and 63 by the first bitmap; word 64 by the second.
    const bitmap = (1n << 63n) | (1n << 33n) | 3n;
    const elf = image(quads(...words70), [relr(DATA, bitmap, 3n)]);
    expect(relocated(elf)).toEqual([...words70, 0n, 0n]);
    const touched = new Set([0, 1, 33, 63, 64]);
    const expected = words70.map((word, i) => (touched.has(i) ? word + 0x1000n : word));
    expect(relocated(elf, 0x1000)).toEqual([...expected, 0n, 0n]);
  });

  it('ignores relocations that are not loaded (ld --emit-relocs)', () => {
    const elf = image(quads(7n), [{ ...rela(DATA, 257n, 1n), flags: 0 }]);
    expect(relocated(elf)).toEqual([7n, 0n, 0n]);
  });

  it('keeps the words of a dynamic linker as linked where that is asked for', () => {
    const symbol = 1n << 32n;
    const table = { ...rela(DATA, symbol | 1026n, 1n, DATA + 8n, RELATIVE, 5n), link: 1 };
    const elf = image(quads(7n, 8n), [table]);
    expect(relocated(elf)).toMatch(
      /R_AARCH64_JUMP_SLOT is not supported \(\.rela\.dyn\[0\] at offset 0x/,
    );
    const kept = elf.applyRelocations(0x1000, 'keep');
    const data = kept.ok ? kept.value[1]?.data : undefined;
    expect([...new BigUint64Array(data?.buffer ?? new ArrayBuffer(0))]).toEqual([
      7n,
      0x1005n,
      0n,
      0n,
    ]);
  });

  it('refuses a symbol that does not exist, and a type that no linker knows', () => {
    const linked = (type: bigint): string => {
      const elf = image(quads(0n), [{ ...rela(DATA, (5n << 32n) | type, 0n), link: 1 }]);
      const segments = elf.applyRelocations(0, new DynamicLinker());
      return segments.ok ? 'linked' : describeElfError(segments.error);
    };
    expect(linked(1025n)).toMatch(/^a\.elf: \.rela\.dyn\[0\] at offset 0x\w+: symbol 5 does not/);
    const plain = image(quads(0n), [rela(DATA, 1041n, 0n)]);
    const signed = plain.applyRelocations(0, new DynamicLinker());
    const line = 'a.elf: R_AARCH64_AUTH_RELATIVE is not supported (.rela.dyn[0]';
    expect(signed.ok ? 'linked' : describeElfError(signed.error)).toContain(line);
  });

  it("leaves a kernel's weak references as linked, whose symbol table is gone", () => {
    const symbol = 28n << 32n;
    const section = rela(DATA, symbol | 1025n, 0n, DATA + 8n, symbol | 257n, 0n);
    expect(relocated(image(quads(7n, 8n), [section]), 0x1000)).toEqual([7n, 8n, 0n, 0n]);
  });

  it.each<[string, BuilderSection, string]>([
    [
      'a symbol of a table',
      { ...rela(DATA, (1n << 32n) | 257n, 0n), link: 1 },
      'R_AARCH64_ABS64 is not',
    ],
    ['another type', rela(0n, 0n, 0n, DATA, 257n, 1n), '.rela.dyn[1] at offset 0x'],
    ['another type', rela(DATA, 257n, 1n), 'R_AARCH64_ABS64 is not supported'],
    ['a type without a name', rela(DATA, 1099n, 1n), 'relocation type 1099 is not supported'],
    ['an address outside', rela(DATA + 24n + 1n, RELATIVE, 1n), 'in no PT_LOAD segment'],
    ['an address below', rela(0n, RELATIVE, 1n), 'in no PT_LOAD segment'],
    ['an incomplete entry', rela(DATA, RELATIVE), '.rela.dyn[0] at offset 0x'],
    ['RELR outside', relr(DATA + 0x1000n), 'in no PT_LOAD segment'],
    ['a RELR bitmap outside', relr(DATA, (1n << 63n) | 1n), 'in no PT_LOAD segment'],
    ['a RELR bitmap first', relr(3n), 'a bitmap before any address'],
    ['SHT_REL', { ...rela(DATA, RELATIVE), type: 9 }, 'SHT_REL relocations are not used'],
  ])('refuses %s', (_, section, expected) => {
    expect(relocated(image(quads(0n), [section]))).toContain(expected);
  });

  it('does not move a fixed-address executable', () => {
    const fixed = image(quads(0n), [], 2);
    expect(relocated(fixed)).toHaveLength(3);
    expect(relocated(fixed, 8)).toContain('e_type at offset 0x10: an image of type exec cannot');
  });
});
