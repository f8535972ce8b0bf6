import { beforeAll, describe, expect, it } from 'vitest';
import { addressFromBigInt, hexAddress } from '../../base/address.js';
import { Disassembler } from '../../aarch64/disassembler.js';
import { parseElf } from '../../elf/image.js';
import { SymbolTable } from '../../elf/symbol-table.js';
import { buildElf, TEXT_ADDRESS, words } from '../elf/elf-builder.js';

const TEXT = addressFromBigInt(TEXT_ADDRESS);

async function create(symbols?: SymbolTable): Promise<Disassembler> {
  const disassembler = await Disassembler.create(symbols);
  if (!disassembler.ok) throw new Error(disassembler.error);
  return disassembler.value;
}

describe('Disassembler', () => {
  let disassembler: Disassembler;
  beforeAll(async () => {
    disassembler = await create();
  });

  it.each([
    [0xd503233f, 'paciasp'],
    [0xd50323bf, 'autiasp'],
    [0xd503245f, 'bti c'],
    [0xd50324df, 'bti jc'],
    [0xd503207f, 'wfi'],
    [0xd503201f, 'nop'],
    [0xd69f03e0, 'eret'],
    [0xd50342df, 'msr daifset, #2'],
    [0xd50342ff, 'msr daifclr, #2'],
    [0xd53b4220, 'mrs x0, daif'],
    [0xd5384100, 'mrs x0, sp_el0'],
    [0xd53cd050, 'mrs x16, tpidr_el2'],
    [0xd518c000, 'msr vbar_el1, x0'],
    [0xd4200000, 'brk #0'],
    [0xd65f03c0, 'ret'],
    [0xd65f0120, 'ret x9'],
    [0xd65f0bff, 'retaa'],
    [0xd63f0020, 'blr x1'],
    [0xa9bf7bfd, 'stp x29, x30, [sp, #-0x10]!'],
    [0xf84087fe, 'ldr x30, [sp], #8'],
    [0xd10143ff, 'sub sp, sp, #0x50'],
    [0xffffffff, '.inst 0xffffffff'],
    [0xdac1a3fe, 'paciasppc'],
    [0xdac183fe, 'pacnbiasppc'],
    [0xf380009f, 'autiasppc'],
    [0xdac1907e, 'autiasppcr x3'],
    [0x5500011f, 'retaasppc'],
    [0xd65f0fe3, 'retabsppcr x3'],
    [0xd65f0fff, 'retab'],
    [0xdac01c20, 'cnt'],
    [0x11cc0c20, 'umin'],
    [0x19211040, 'ldclrp'],
    [0xd9411840, 'ldiapp'],
    [0xd5782000, 'mrrs'],
  ])('%#x is %s', (word, text) => {
    const instruction = disassembler.disassemble(words(word), TEXT);
    expect(instruction.text).toBe(text);
    expect(instruction.target).toBeUndefined();
  });

  it.each([
    [0x94000004, 'bl', 0x10],
    [0x97fffffc, 'bl', -0x10],
    [0x17fffff0, 'b', -0x40],
    [0x54000041, 'b.ne', 8],
    [0xb4000060, 'cbz x0,', 12],
    [0x35ffffe1, 'cbnz w1,', -4],
    [0x37000041, 'tbnz w1, #0,', 8],
    [0x10000040, 'adr x0,', 8],
    [0xb0000001, 'adrp x1,', 0x1000],
    [0x58000041, 'ldr x1,', 8],
  ])('%#x is PC-relative: %s %i', (word, start, distance) => {
    for (const base of [TEXT, 0x400000, -0x100000000, 0x1000, -0x2000]) {
      const target = base + distance;
      const instruction = disassembler.disassemble(words(word), base);
      expect(instruction.target).toBe(target);
      expect(instruction.text).toBe(`${start} ${hexAddress(target)}`);
    }
  });

  it('prints a label below ten, which capstone writes in decimal', () => {
    const { text, target } = disassembler.disassemble(words(0x14000002), 0);
    expect([text, target]).toEqual(['b 0000000000000008', 8]);
  });

  it('goes on after what it cannot decode, and shows bytes that are no instruction', () => {
    const bytes = Buffer.concat([words(0xd503201f, 0xffffffff, 0xd65f03c0), Buffer.of(1, 2)]);
    const all = disassembler.disassembleAll(bytes, TEXT);
    const expected = ['nop', '.inst 0xffffffff', 'ret', '.byte 0x01, 0x02'];
    expect(all.map(({ text }) => text)).toEqual(expected);
    expect(all.map(({ address }) => address - TEXT)).toEqual([0, 4, 8, 12]);
    expect(disassembler.disassembleAll(new Uint8Array(), TEXT)).toEqual([]);
  });

  it('names targets', async () => {
    const elf = parseElf(
      'a.elf',
      buildElf({
        segments: [{ address: TEXT_ADDRESS, data: Buffer.alloc(0x20) }],
        sections: [
          { name: '.text', type: 1, flags: 6, address: TEXT_ADDRESS, data: Buffer.alloc(32) },
        ],
        symbols: [{ name: 'callee', value: TEXT_ADDRESS + 16n, size: 16 }],
      }),
    );
    if (!elf.ok) throw new Error('the builder built a bad file');
    const named = await create(new SymbolTable([elf.value]));
    const text = (word: number) => named.disassemble(words(word), TEXT).text;
    expect(text(0x94000004)).toBe('bl ffff800080010010 <callee+0x0>');
    expect(text(0xb4000080)).toBe('cbz x0, ffff800080010010 <callee+0x0>');
    expect(text(0x14000006)).toBe('b ffff800080010018 <callee+0x8>');
    expect(text(0x14000001)).toBe('b ffff800080010004');
  });
});
