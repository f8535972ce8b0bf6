import { WFI } from '../../aarch64/encodings.js';
import { beforeEach, describe, expect, it } from 'vitest';
import { addressToBigInt } from '../../base/address.js';
import { Permission } from '../../emulator/engine.js';
import { describeMemoryError, GuestMemory } from '../../emulator/guest-memory.js';
import { A64 } from '../assembled.js';
import { backend, CODE, DATA, must } from '../cpu-fixture.js';

const RW = Permission.READ | Permission.WRITE;
const RX = Permission.READ | Permission.EXECUTE;

let memory: GuestMemory;
beforeEach(() => {
  memory = new GuestMemory(backend());
});

describe('GuestMemory', () => {
  it('widens a region to whole pages of zeros', () => {
    const region = must(memory.add('a', DATA + 0x123, 0x1000, RW, false));
    expect([region.low, region.high]).toEqual([DATA, DATA + 0x2000]);
    expect(region.bytes.length).toBe(0x2000);
    expect(region.words.length).toBe(0x800);
    expect(region.bytes.some((byte) => byte !== 0)).toBe(false);
    expect(region.runBytes).toBeUndefined();
  });

  it.each([
    [-1, 1],
    [0x1fff, 1],
    [-0x1000, 0x4000],
    [0x800, 0x10],
  ])('refuses what overlaps, at offset %d with size %d', (offset, size) => {
    const first = memory.add('first', DATA, 0x2000, RW, false);
    expect(first.ok).toBe(true);
    const inside = offset >= 0 || offset + size > 0;
    const second = memory.add('second', DATA + offset, size, RW, false);
    expect(second.ok).toBe(!inside);
    if (second.ok) return;
    expect(second.error).toMatchObject({ kind: 'overlap', name: 'second', other: 'first' });
    expect(describeMemoryError(second.error)).toMatch(/^second overlaps first at 0xffff8000801/);
    expect(memory.regions).toHaveLength(1);
  });

  it('takes neighbours that share no page', () => {
    must(memory.add('b', DATA + 0x1000, 0x1000, RW, false));
    must(memory.add('a', DATA, 0x1000, RW, false));
    must(memory.add('c', DATA + 0x2000, 1, RW, false));
    for (const [offset, name] of [
      [0, 'a'],
      [0xfff, 'a'],
      [0x1000, 'b'],
      [0x1fff, 'b'],
      [0x2000, 'c'],
      [0x2fff, 'c'],
    ] as const) {
      expect(memory.regionAt(DATA + offset)?.name).toBe(name);
    }
    expect(memory.regionAt(DATA - 1)).toBeUndefined();
    expect(memory.regionAt(DATA + 0x3000)).toBeUndefined();
  });

  it.each([0, 1, -1, CODE, 2 ** 47 - 1, -(2 ** 47), -(2 ** 31), 2 ** 32])(
    'keeps %d as 64 little-endian bits',
    (value) => {
      const region = must(memory.add('a', DATA, 4096, RW, false));
      expect(memory.writeAddress(DATA + 8, value)).toBe(true);
      expect(memory.readAddress(DATA + 8)).toBe(value);
      expect(Buffer.from(region.bytes).readBigUInt64LE(8)).toBe(addressToBigInt(value));
      expect(memory.readWord(DATA + 8)).toBe(value >>> 0);
    },
  );

  it('reads and writes nothing where nothing is mapped', () => {
    const region = must(memory.add('a', DATA, 4096, RW, false));
    for (const address of [DATA - 8, DATA + 4096, 0]) {
      expect(memory.readAddress(address)).toBeUndefined();
      expect(memory.readWord(address)).toBeUndefined();
      expect(memory.writeAddress(address, 1)).toBe(false);
      expect(memory.writeWord(address, 1)).toBe(false);
      expect(memory.writeBytes(address, Uint8Array.of(1))).toBe(false);
    }
    expect(memory.writeBytes(DATA + 4092, new Uint8Array(5).fill(1))).toBe(false);
    expect(region.bytes.some((byte) => byte !== 0)).toBe(false);
    expect(memory.writeBytes(DATA + 4092, Uint8Array.of(1, 2, 3, 4))).toBe(true);
    expect(memory.readWord(DATA + 4092)).toBe(0x04030201);
  });

  it('gives the running engines a copy of the code with WFI at each stop', () => {
    const code = must(memory.add('code', CODE, 4096, RX, true));
    const data = must(memory.add('data', DATA, 4096, RW, false));
    code.words.set([A64.nop, A64.eret, A64.ret, A64.eret]);
    const stopsSeen: number[] = [];
    memory.fillRunCopies((word, address) => {
      if (word === A64.eret) stopsSeen.push(address);
      return word === A64.eret || address === CODE + 8;
    }, WFI);
    expect(stopsSeen).toEqual([CODE + 4, CODE + 12]);
    const run = Buffer.from(must({ ok: true, value: code.runBytes as Uint8Array }));
    const words = [0, 4, 8, 12, 16].map((at) => run.readUInt32LE(at));
    expect(words).toEqual([A64.nop, WFI, WFI, WFI, 0]);
    expect([...code.words.subarray(0, 4)]).toEqual([A64.nop, A64.eret, A64.ret, A64.eret]);
    expect(data.runBytes).toBeUndefined();
  });

  it('maps the copy into a running engine, and data into both', () => {
    const code = must(memory.add('code', CODE, 4096, RX, true));
    must(memory.add('data', DATA, 4096, RW, false));
    code.words.set([A64['str x0, [x1]'], A64['add x0, x0, #1'], A64.nop]);
    memory.fillRunCopies((_, address) => address === CODE + 8, WFI);
    const engine = must(backend().open());
    must(memory.mapInto(engine, true));
    expect(engine.run(CODE)).not.toBe(0);
    expect(engine.run(CODE + 4)).toBe(0);
    engine.close();
  });

  it('says so when an engine refuses a mapping', () => {
    must(memory.add('a', DATA, 4096, RW, false));
    const engine = must(backend().open());
    must(memory.mapInto(engine, false));
    const again = memory.mapInto(engine, false);
    expect(again.ok).toBe(false);
    if (!again.ok) expect(describeMemoryError(again.error)).toMatch(/^the engine refused to map: /);
    engine.close();
  });
});
