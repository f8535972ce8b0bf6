import { describe, expect, it } from 'vitest';
import { describeElfError } from '../../elf/error.js';
import { type ElfFile, parseElfFile } from '../../elf/file.js';
import { applyRelocation } from '../../elf/static-relocations.js';
import { buildElf, type BuilderSection, type BuilderSymbol, quads, words } from './elf-builder.js';

const OBJECT = 1;
const SHT_RELA = 4;
const SHT_NOBITS = 8;
const ABS64 = 257n;
const PREL32 = 261n;
const CALL26 = 283n;

/** Sections of an object, numbered from 1; its symbol table follows them. */
const TEXT: BuilderSection = { name: '.text', type: 1, flags: 6, data: words(0xd503201f, 0) };
const frame = (data: Uint8Array): BuilderSection => ({
  name: '.eh_frame',
  type: 1,
  flags: 2,
  data,
});
const rela = (...entries: bigint[]): BuilderSection => {
  return { name: '.rela.eh_frame', type: SHT_RELA, link: 4, info: 2, data: quads(...entries) };
};
const symbol = (number: bigint, type: bigint): bigint => (number << 32n) | type;

function objectOf(
  sections: readonly BuilderSection[],
  symbols: readonly BuilderSymbol[] = [],
): Buffer {
  return buildElf({ type: OBJECT, segments: [], sections, symbols });
}

function parsed(file: Buffer, layout?: 'zero'): ElfFile {
  const elf = parseElfFile('a.o', file, layout);
  if (!elf.ok) throw new Error(describeElfError(elf.error));
  return elf.value;
}

function message(file: Buffer): string {
  const elf = parseElfFile('a.o', file);
  return elf.ok ? 'accepted' : describeElfError(elf.error);
}

describe('an object', () => {
  const bss = { name: '.bss', type: SHT_NOBITS, flags: 3, size: 64 };
  const comment = { name: '.comment', type: 1, data: words(1), address: 0x99n };
  const symbols: BuilderSymbol[] = [
    { name: 'a.c', value: 0n, info: 0x04, section: 0xfff1 },
    { name: 'local', value: 4n, size: 4, info: 0x02 },
    { name: 'global', value: 0n, size: 4 },
    { name: 'buffer', value: 8n, size: 8, info: 0x11, section: 2 },
    { name: 'constant', value: 7n, info: 0x10, section: 0xfff1 },
    { name: 'nowhere', value: 0n, section: 99 },
    { name: 'undefined', value: 0n, section: 0 },
    { name: 'common', value: 8n, section: 0xfff2 },
  ];
  const file = objectOf([TEXT, bss, comment], symbols);

  it('has its loaded sections one after the other, and its symbols in them', () => {
    const { type, sections, symbols: found } = parsed(file);
    expect(type).toBe('rel');
    expect(sections.slice(1, 4)).toMatchObject([
      { index: 1, name: '.text', address: 0x10000, loaded: true, executable: true },
      { index: 2, name: '.bss', address: 0x10010, loaded: true, executable: false },
      { index: 3, name: '.comment', address: 0, loaded: false, executable: false },
    ]);
    expect(found).toMatchObject([
      { name: 'local', address: 0x10004, section: 1, file: 'a.c', global: false },
      { name: 'global', address: 0x10000, section: 1, file: '', global: true },
      { name: 'buffer', address: 0x10018, section: 2, kind: 'object' },
      { name: 'constant', address: 7, section: 0, absolute: true },
    ]);
  });

  it('has every section where its header says, when that is asked for', () => {
    const { sections, symbols: found } = parsed(file, 'zero');
    expect(sections.map(({ address }) => address)).toEqual([0, 0, 0, 0x99, 0, 0, 0]);
    expect(found.map(({ address }) => address)).toEqual([4, 0, 8, 7]);
  });

  it('has its unwind tables relocated, and nothing else', () => {
    const table = rela(0n, symbol(1n, ABS64), 2n, 8n, symbol(1n, PREL32), 0n, 12n, 0n, 0n);
    const code = { ...rela(0n, symbol(1n, CALL26), 0n), name: '.rela.text', info: 1 };
    const sections = [TEXT, frame(quads(0n, -1n)), table, code];
    const elf = parsed(
      objectOf(
        sections.map((one) => ({ ...one, link: one.link === undefined ? 0 : 5 })),
        [{ name: 'f', value: 4n }],
      ),
    );
    const [data] = elf.dwarfFrames.map((one) => Buffer.from(one.data));
    expect(data?.readBigInt64LE(0)).toBe(0x10006n);
    expect(data?.readInt32LE(8)).toBe(0x10004 - 0x10018);
    expect(data?.readInt32LE(12)).toBe(-1);
    expect(elf.section('.eh_frame')?.data).toEqual(data);
    expect([...(elf.section('.text')?.data ?? [])]).toEqual([...(TEXT.data ?? [])]);
  });

  const table = frame(quads(0n));
  it.each<[string, Buffer, string]>([
    [
      'a relocation of code in an unwind table',
      objectOf([TEXT, table, rela(0n, symbol(1n, CALL26), 0n)], symbols),
      'relocation type 283 is not supported (.rela.eh_frame[0] at offset 0x',
    ],
    [
      'a relocation outside its section',
      objectOf([TEXT, table, rela(1n, symbol(1n, ABS64), 0n)], symbols),
      'its place 1 lies outside .eh_frame',
    ],
    [
      'a relocation beyond 4 GiB',
      objectOf([TEXT, table, rela(0n, 0n, 0n, 1n << 32n, symbol(1n, PREL32), 0n)], symbols),
      '.rela.eh_frame[1] at offset 0x',
    ],
    [
      'a symbol that does not exist',
      objectOf([TEXT, table, rela(0n, symbol(9n, ABS64), 0n)], symbols),
      'symbol 9 does not exist',
    ],
    [
      'half a relocation',
      objectOf([TEXT, table, rela(0n, symbol(1n, ABS64))], symbols),
      '.rela.eh_frame[0] at offset 0x50: incomplete entry',
    ],
    [
      'two relocation sections for one',
      objectOf([TEXT, table, { ...rela(), link: 5 }, { ...rela(), name: 'x', link: 5 }], symbols),
      'x at offset 0x50: a second relocation section for section 2',
    ],
    [
      'more memory than there is',
      objectOf([TEXT, { ...bss, size: 2 ** 41 }]),
      'sh_size[2] at offset 0x',
    ],
    [
      'an undefined symbol whose name runs out of the table',
      renamed(objectOf([TEXT], [{ name: 'f', value: 0x1234n, section: 0 }])),
      'the name runs past the end of the string table',
    ],
  ])('is refused with %s', (_, bytes, expected) => {
    expect(message(bytes)).toContain(expected);
  });
});

describe('a linked file', () => {
  it('needs no segments', () => {
    expect(parsed(buildElf({ segments: [] }))).toMatchObject({ type: 'exec', stripped: true });
  });

  it('is refused with a loaded section at no address', () => {
    const text = { name: '.text', type: 1, flags: 6, address: 1n << 62n, data: words(0) };
    expect(message(buildElf({ sections: [text] }))).toMatch(
      /sh_addr\[1\] at offset 0x[0-9a-f]+: is not a virtual address$/,
    );
  });

  it('is refused when its sections overlap too much', () => {
    const file = buildElf({
      sections: Array.from({ length: 12 }, () => ({ name: 'x', type: 1, data: words(1) })),
    });
    const headers = Number(file.readBigUInt64LE(40));
    for (let i = 1; i <= 12; i++) {
      file.writeBigUInt64LE(0n, headers + 64 * i + 24);
      file.writeBigUInt64LE(BigInt(file.length), headers + 64 * i + 32);
    }
    expect(message(file)).toMatch(
      /section header table at offset 0x[0-9a-f]+: the sections overlap/,
    );
  });
});

/** The file with a name for its symbol of value 0x1234 that its string table does not have. */
function renamed(file: Buffer): Buffer {
  file.writeUInt32LE(0x10000, file.indexOf(quads(0x1234n, 0n)) - 8);
  return file;
}

describe('a relocation of code', () => {
  const place = 0x1000;
  it.each<[string, type: number, target: number, before: number, after: number]>([
    ['bl', 283, 0x0ffc, 0x94000000, 0x97ffffff],
    ['b', 282, 0x2000, 0x14000000, 0x14000400],
    ['b.eq', 280, 0x1008, 0x54000000, 0x54000040],
    ['tbz x0, #0', 279, 0x1008, 0x36000000, 0x36000040],
    ['ldr x0, literal', 273, 0x1008, 0x58000000, 0x58000040],
    ['adr x0', 274, 0x1005, 0x10000000, 0x30000020],
    ['adrp x0', 275, 0x4fff, 0x90000000, 0xf0000000],
    ['adrp x0, backwards', 276, 0x0fff, 0x90000000, 0xf0ffffe0],
    ['add x0, x0', 277, 0x7abc, 0x91000000, 0x912af000],
    ['ldrb w0, [x0]', 278, 0x7abc, 0x39400000, 0x396af000],
    ['ldrh w0, [x0]', 284, 0x7abc, 0x79400000, 0x79557800],
    ['ldr w0, [x0]', 285, 0x7abc, 0xb9400000, 0xb94abc00],
    ['ldr x0, [x0]', 286, 0x7ab8, 0xf9400000, 0xf9455c00],
    ['ldr q0, [x0]', 299, 0x7ab0, 0x3dc00000, 0x3dc2ac00],
  ])('%s', (_, type, target, before, after) => {
    const view = new DataView(new ArrayBuffer(4));
    view.setUint32(0, before, true);
    applyRelocation(view, 0, type, BigInt(target), place);
    expect(view.getUint32(0, true).toString(16)).toBe(after.toString(16));
  });

  it('of another type, or outside, changes nothing', () => {
    const view = new DataView(Uint8Array.of(1, 2, 3, 4).buffer);
    applyRelocation(view, 0, 1000, 0x7abcn, place);
    applyRelocation(view, 1, 283, 0x7abcn, place);
    applyRelocation(view, 0, 257, 0x7abcn, place);
    expect(view.getUint32(0)).toBe(0x01020304);
  });
});
