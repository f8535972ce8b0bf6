import { beforeAll, describe, expect, it } from 'vitest';
import { openBackend } from '../../emulator/backend.js';
import type { EngineBackend } from '../../emulator/engine.js';
import { loadProgram } from '../../verify/program.js';
import type { VerifyReport } from '../../verify/report.js';
import { Verifier } from '../../verify/verify.js';

describe('verifying an SFrame table', () => {
  let backend: EngineBackend;
  beforeAll(async () => {
    const opened = await openBackend();
    if (!opened.ok) throw new Error(opened.error.message);
    backend = opened.value;
  });

  const verify = (path: string): VerifyReport => {
    const program = loadProgram(path);
    if (!program.ok) throw new Error(program.error);
    const verifier = Verifier.create(program.value, backend);
    if (!verifier.ok) throw new Error(verifier.error);
    return verifier.value.verify(() => true);
  };

  it('reaches what can be reached of the guest kernel and finds every row true', () => {
    const report = verify('kernel-model/guest/vmlinux');
    expect(report.findings).toEqual([]);
    // Its handlers of what must not happen end in calls that never return.
    expect(report.unreached.filter(({ reason }) => reason !== 'after-noreturn')).toEqual([]);
    expect(report.unreached.length).toBeLessThan(10);
    expect(report.rows.total).toBeGreaterThan(200);
    expect(report.rows.verified).toBe(report.rows.total);
  });

  it('names the leaf routines whose annotation is wrong, and no other', () => {
    const { findings } = verify('scenarios/leaf/leaf.elf');
    expect(new Set(findings.map(({ fn, kind }) => `${fn}: ${kind}`))).toEqual(
      new Set([
        'leaf_memcpy_moves_lr: ra',
        'leaf_memcpy_moves_lr: return',
        'leaf_memset_moves_sp: cfa',
        'leaf_memset_spills_lr: cfa',
        'leaf_memset_spills_fp: cfa',
      ]),
    );
  });

  it.each([
    ['calls/calls', 'functions that a return runs into, and a computed jump'],
    ['review/review', 'a call of a function that leaves for ever'],
    ['entry/entry', 'entry code'],
    ['kunit/kunit-recover', 'compiled code'],
  ])('finds nothing in %s.elf: %s', (name) => {
    const report = verify(`scenarios/${name}.elf`);
    expect(report.findings).toEqual([]);
    expect(report.unreached.filter(({ reason }) => reason !== 'padding')).toEqual([]);
    expect(report.rows.verified).toBe(report.rows.total);
  });
});
