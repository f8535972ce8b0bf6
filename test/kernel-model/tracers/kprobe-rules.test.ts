import { describe, expect, it } from 'vitest';
import { type ProbeMethod, probeMethod } from '../../../kernel-model/tracers/kprobe-rules.js';

const CASES: readonly [string, number, ProbeMethod][] = [
  ['nop', 0xd503201f, 'simulated'],
  ['b', 0x14000001, 'simulated'],
  ['bl', 0x97ffffff, 'simulated'],
  ['b.ne', 0x54000041, 'simulated'],
  ['cbz x0', 0xb4000040, 'simulated'],
  ['cbnz w3', 0x35000043, 'simulated'],
  ['tbz x1, #40', 0xb6400041, 'simulated'],
  ['br x9', 0xd61f0120, 'simulated'],
  ['blr x1', 0xd63f0020, 'simulated'],
  ['ret', 0xd65f03c0, 'simulated'],
  ['adr x0, .', 0x10000000, 'simulated'],
  ['adrp x0, .', 0x90000000, 'simulated'],
  ['ldr x0, literal', 0x58000040, 'simulated'],
  ['ldr w0, literal', 0x18000040, 'simulated'],
  ['ldrsw x0, literal', 0x98000040, 'simulated'],
  ['prfm literal', 0xd8000040, 'refused'],
  ['ldr q0, literal', 0x9c000040, 'refused'],
  ['paciasp', 0xd503233f, 'slot'],
  ['bti c', 0xd503245f, 'slot'],
  ['xpaclri', 0xd50320ff, 'slot'],
  ['autiasp', 0xd50323bf, 'refused'],
  ['wfi', 0xd503207f, 'refused'],
  ['dmb ish', 0xd5033bbf, 'slot'],
  ['retaa', 0xd65f0bff, 'refused'],
  ['eret', 0xd69f03e0, 'refused'],
  ['brk #4', 0xd4200080, 'refused'],
  ['svc #0', 0xd4000001, 'refused'],
  ['mrs x0, sp_el0', 0xd5384100, 'slot'],
  ['mrs x0, daif', 0xd53b4220, 'refused'],
  ['msr sp_el0, x0', 0xd5184100, 'refused'],
  ['msr daifset, #15', 0xd5034fdf, 'refused'],
  ['ldxr x0, [x1]', 0xc85f7c20, 'refused'],
  ['stxr w2, x0, [x1]', 0xc8027c20, 'refused'],
  ['ldar x0, [x1]', 0xc8dffc20, 'slot'],
  ['stp x29, x30, [sp, #-16]!', 0xa9bf7bfd, 'slot'],
  ['mov x29, sp', 0x910003fd, 'slot'],
];

describe('probeMethod', () => {
  it.each(CASES)('%s', (_name, word, method) => {
    expect(probeMethod(word)).toBe(method);
  });
});
