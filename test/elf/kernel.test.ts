import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hexAddress } from '../../base/address.js';
import { describeElfError } from '../../elf/error.js';
import { loadElf, type ElfImage } from '../../elf/image.js';
import { SymbolTable } from '../../elf/symbol-table.js';

const KERNELS = new URL('../../../shared/kernels/', import.meta.url).pathname;
const KERNEL = join(KERNELS, 'vmlinux-7.3-rc7-leaf.gz');
const OTHER_KERNEL = join(KERNELS, 'vmlinux-7.3-rc7.gz');
const present = existsSync(KERNEL) && existsSync(OTHER_KERNEL);
if (!present) console.warn(`skipped, the real kernels are not in ${KERNELS}`);

function load(path: string): ElfImage {
  const image = loadElf(path);
  if (!image.ok) throw new Error(describeElfError(image.error));
  return image.value;
}

function hasReadelf(): boolean {
  try {
    execFileSync('readelf', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

describe.skipIf(!present)('a real arm64 vmlinux', () => {
  let image: ElfImage;
  const directory = mkdtempSync(join(tmpdir(), 'kunwind-vmlinux-'));

  beforeAll(() => {
    image = load(KERNEL);
  });
  afterAll(() => {
    rmSync(directory, { recursive: true, force: true });
  });

  it('has the structure that readelf prints', () => {
    expect(image).toMatchObject({ type: 'dyn', stripped: false });
    expect(image.sections).toHaveLength(39);
    expect(image.segments).toHaveLength(2);
    expect(image.symbols).toHaveLength(64_407);
    expect(load(OTHER_KERNEL).symbols).toHaveLength(64_391);
    expect(image.sframe.map(({ name, size }) => [name, size])).toEqual([['.sframe', 0xb1091]]);
    expect(hexAddress(image.entry)).toBe('ffff800080000000');
  });

  it('holds the addend of each of its 31,406 relative relocations', () => {
    const memory = image.applyRelocations();
    if (!memory.ok) throw new Error(describeElfError(memory.error));
    const rela = Buffer.from(image.section('.rela.dyn')?.data ?? []);
    let relative = 0;
    for (let at = 0; at < rela.length; at += 24) {
      if (rela.readUInt32LE(at + 8) !== 1027) continue;
      const address = Number(rela.readBigInt64LE(at));
      const segment = memory.value.find(
        (s) => s.address <= address && address < s.address + s.data.length,
      );
      if (segment === undefined) throw new Error(`${hexAddress(address)} is not loaded`);
      const word = Buffer.from(segment.data.buffer).readBigInt64LE(address - segment.address);
      if (word !== rela.readBigInt64LE(at + 16)) throw new Error(`wrong at ${hexAddress(address)}`);
      relative++;
    }
    expect(relative).toBe(31_406);
  });

  describe.skipIf(!hasReadelf())('beside readelf', () => {
    let readelf: (flags: string) => string[];
    beforeAll(() => {
      const plain = join(directory, 'vmlinux');
      writeFileSync(plain, gunzipSync(readFileSync(KERNEL)));
      readelf = (flags) => {
        const options = { encoding: 'utf8', maxBuffer: 2 ** 28 } as const;
        return execFileSync('readelf', [flags, plain], options).split('\n');
      };
    });

    it('has the same segments', () => {
      const theirs = readelf('-lW')
        .filter((line) => line.startsWith('  LOAD'))
        .map((line) => line.trim().split(/\s+/))
        .map((field) => [field[2], field[4], field[5]]);
      const ours = image.segments.map(({ address, data, memorySize }) => [
        `0x${hexAddress(address)}`,
        `0x${data.length.toString(16)}`,
        `0x${memorySize.toString(16)}`,
      ]);
      expect(ours).toEqual(theirs);
    });

    it('has the same sections', () => {
      const theirs = readelf('-SW').flatMap((line) => {
        const match = /^ +\[ *\d+\] (\S+) +\S+ +([0-9a-f]{16}) ([0-9a-f]+) ([0-9a-f]+) /.exec(line);
        return match === null ? [] : [match.slice(1, 5).join(' ')];
      });
      const hex = (n: number): string => n.toString(16).padStart(6, '0');
      const ours = image.sections
        .slice(1)
        .map((s) => `${s.name} ${hexAddress(s.address)} ${hex(s.offset)} ${hex(s.size)}`);
      expect(ours).toEqual(theirs);
    });

    it('has the same symbols', () => {
      const theirs = readelf('-sW').flatMap((line) => {
        const [, value = '', size, type = '', binding, , section, name = ''] = line
          .trim()
          .split(/\s+/);
        if (!['FUNC', 'OBJECT', 'NOTYPE'].includes(type) || section === 'UND') return [];
        return [[value, Number(size), type, binding !== 'LOCAL', section === 'ABS', name].join()];
      });
      const types = { function: 'FUNC', object: 'OBJECT', other: 'NOTYPE' };
      const ours = image.symbols.map((s) =>
        [hexAddress(s.address), s.size, types[s.kind], s.global, s.absolute, s.name].join(),
      );
      // One by one: the difference of two lists of 64,407 lines helps nobody.
      for (const [i, line] of theirs.entries()) expect(ours[i]).toBe(line);
      expect(ours).toHaveLength(theirs.length);
    });
  });

  it('names its addresses as the kernel does', () => {
    const symbols = new SymbolTable([image]);
    const handler = symbols.byName('return_to_handler');
    expect(handler).toMatchObject({ size: 60, kind: 'other', global: true });
    const address = handler?.address ?? 0;
    expect(symbols.format(address + 0x20)).toBe('return_to_handler+0x20/0x3c');
    expect(symbols.at(address + 59)?.offset).toBe(59);
    const names = ['vectors', 'el1h_64_irq', 'call_on_irq_stack', 'init_task'];
    for (const name of names) {
      const symbol = symbols.byName(name);
      expect(symbol && symbols.at(symbol.address)?.symbol.name).toBe(name);
    }
    const functions = [...symbols.functions()];
    expect(functions.length).toBeGreaterThan(16_000);
    expect(functions.some(({ name }) => name.includes('$'))).toBe(false);
    for (const { size } of functions) expect(size).toBeGreaterThan(0);
    expect(symbols.suggestions('return_to_handlr')).toContain('return_to_handler');
  });
});
