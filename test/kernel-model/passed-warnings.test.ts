/** A WARN in the code of an exception is passed, stepped and executed freely, and is told. */
import { NOP } from '../../aarch64/encodings.js';
import { afterEach, describe, expect, it } from 'vitest';
import { parseElf } from '../../elf/image.js';
import { BugTable } from '../../kernel-model/vmlinux/bug-table.js';
import { Kind } from '../../kernel-model/exception-kind.js';
import { buildElf, words } from '../elf/elf-builder.js';
import { SCENARIOS } from '../machine-fixture.js';
import { Driven } from './driver-fixture.js';

const BRK_0X800 = 0xd4210000;
const PACIASP = 0xd503233f;
const AUTIASP = 0xd50323bf;
const BUGFLAG_WARNING = 1;

let driven: Driven | undefined;
afterEach(() => {
  driven?.machine.close();
  driven = undefined;
});

/** A bug table with one entry, for a breakpoint at `address`. @param flags of that entry */
function tableFor(address: number, flags: number): BugTable {
  const at = BigInt.asUintN(64, BigInt(address));
  const table = at + 0x1000n;
  const file = buildElf({
    segments: [
      { address: at, data: words(BRK_0X800) },
      // Relative to the entry: the breakpoint and the file's name, which follows; then line and flags.
      { address: table, data: words(0xfffff000, 8, (flags << 16) | 77, 0x632e61), flags: 6 },
    ],
  });
  const elf = parseElf('table', file);
  if (!elf.ok) throw new Error(elf.error.kind);
  return BugTable.read(elf.value, address + 0x1000, address + 0x100c);
}

/** Where do_interrupt_handler() signs its return address, or authenticates it. */
function places(at: Driven, word: number): number[] {
  const { address = 0, size = 0 } = at.machine.symbols.byName('do_interrupt_handler') ?? {};
  const all = Array.from({ length: size / 4 }, (_, i) => address + 4 * i);
  return all.filter((place) => at.machine.memory.readWord(place) === word);
}

/** With a breakpoint in the place of signing or of authenticating: on the way in, or out. */
function withBreakpoint(word: number, flags: number): { at: Driven; address: number } {
  const at = new Driven('entry', SCENARIOS.trivial);
  driven = at;
  // The last one is on the way of a task's stack. Nothing is signed.
  const address = places(at, word).at(-1) ?? NaN;
  const signing = [...places(at, PACIASP), ...places(at, AUTIASP)];
  at.machine.patchCode([
    ...signing.map((place) => ({ address: place, word: NOP })),
    { address, word: BRK_0X800 },
  ]);
  Object.assign(at.machine.kernel, { bugTable: tableFor(address, flags) });
  at.driver.interruptAt(at.registers);
  return { at, address };
}

describe.each([
  ['in', PACIASP],
  ['out', AUTIASP],
])('on the way %s', (way, word) => {
  it('a WARN is passed', () => {
    const { at, address } = withBreakpoint(word, BUGFLAG_WARNING);
    expect(at.machine.kernel.bugTable?.at(address)?.place).toBe('a.c:77');
    for (const how of ['stepped', 'executed freely']) {
      expect([how, at.enter(Kind.IRQ)]).toEqual([how, 'DONE']);
      expect(at.driver.warnedAt).toBe(way === 'in' ? address : 0);
      expect([how, at.leave()]).toEqual([how, 'DONE']);
      expect(at.driver.warnedAt).toBe(address);
    }
  });

  it('a BUG is not', () => {
    const { at, address } = withBreakpoint(word, 0);
    const entered = at.enter(Kind.IRQ);
    expect(entered).toBe(way === 'in' ? 'NO_REQUEST' : 'DONE');
    if (way === 'out') expect(at.leave()).toBe('NO_RETURN');
    expect([at.driver.warnedAt, at.driver.stoppedAt]).toEqual([0, address]);
  });
});
