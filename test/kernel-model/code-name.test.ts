import { afterAll, beforeAll, expect, it } from 'vitest';
import { codeName } from '../../kernel-model/code-name.js';
import type { LabParts } from '../../lab/lab-parts.js';
import { sweepParts } from '../machine-fixture.js';

let parts: LabParts;
beforeAll(() => {
  parts = sweepParts('calls');
});
afterAll(() => {
  parts.machine.close();
});

function startOf(name: string): number {
  return parts.machine.symbols.byName(name)?.address ?? NaN;
}

it.each(['return_to_handler', '__kretprobe_trampoline', 'ftrace_caller'])(
  'names %s, which was put in the place of a return address, and not the function before it',
  (name) => {
    const { machine } = parts;
    expect(codeName(machine, startOf(name))).toMatch(new RegExp(`^${name}\\+0x0/`));
    expect(machine.symbols.formatReturnAddress(startOf(name))).not.toContain(name);
  },
);

it('takes the address behind a last call for the end of the function that called', () => {
  const { machine } = parts;
  const start = startOf('return_to_handler');
  const before = machine.symbols.at(start - 4)?.symbol;
  const call = { symbols: machine.symbols, memory: { readWord: () => 0x94000001 } };
  const end = `+0x${(before?.size ?? 0).toString(16)}/`;
  expect(codeName(call, start)).toContain(`${before?.name ?? '?'}${end}`);
  // Unless it is known to be none, as a PC that was interrupted there.
  expect(codeName(call, start, true)).toMatch(/^return_to_handler\+0x0\//);
});

it('prints an address of no symbol, and one that cannot be read before, as it is', () => {
  const { machine } = parts;
  expect(codeName(machine, 0)).toBe('0000000000000000');
  const unreadable = { symbols: machine.symbols, memory: { readWord: () => undefined } };
  expect(codeName(unreadable, startOf('return_to_handler'))).toMatch(/^return_to_handler\+0x0/);
});
