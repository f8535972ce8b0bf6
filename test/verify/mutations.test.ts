import { beforeAll, describe, expect, it } from 'vitest';
import { openBackend } from '../../emulator/backend.js';
import { type Campaign, MutationRunner } from './mutation/campaign.js';
import { CODE_KINDS } from './mutation/code-mutation.js';
import { mutateTable, TABLE_KINDS } from './mutation/table-mutation.js';
import { loadProgram } from '../../verify/program.js';
import { Verifier } from '../../verify/verify.js';

/** `npm run verify:mutations` does this with a real kernel. */
describe('mistakes planted in the guest kernel', () => {
  let verifier: Verifier;
  beforeAll(async () => {
    const program = loadProgram('kernel-model/guest/vmlinux');
    const backend = await openBackend();
    if (!program.ok || !backend.ok) throw new Error('cannot load');
    const created = Verifier.create(program.value, backend.value);
    if (!created.ok) throw new Error(created.error);
    verifier = created.value;
    return () => {
      verifier.close();
    };
  });

  const missed = ({ survivors }: Campaign): unknown[] =>
    survivors.filter(({ outcome }) => outcome === 'missed');

  it('are reported, or find the same in every state, when they are in the table', () => {
    const { report } = new MutationRunner(verifier, 7).tables(120);
    expect([...report.counts.keys()].sort()).toEqual([...TABLE_KINDS].sort());
    expect(missed(report)).toEqual([]);
    expect(report.survivors.length).toBeLessThan(10);
  });

  it('find the same, if not reported, where a change only says it in other words', () => {
    const { report } = new MutationRunner(verifier, 7, true).tables(240);
    expect(missed(report)).toEqual([]);
    const outcomes = new Set(report.survivors.map(({ outcome }) => outcome));
    expect(outcomes).toEqual(new Set(['same-rules', 'same-values']));
  });

  it('leave a V3 function without a row as the outermost one, as a decoder would', () => {
    const single = verifier.list.all.find(({ table, fde }) => table.functions.rowCount[fde] === 1);
    if (single === undefined) throw new Error('every function has several rows');
    const mutation = mutateTable(
      single,
      'missing',
      () => 0,
      (pc) => verifier.stepper.fetch(pc),
    );
    if (mutation === undefined) throw new Error('not changed');
    const kinds = verifier.run([mutation.entry]).findings.map(({ kind }) => kind);
    expect(kinds).toContain('outermost-returns');
    expect(kinds).not.toContain('no-row');
  });

  it('are reported when they are in the code', () => {
    const { report } = new MutationRunner(verifier, 7).code(44);
    expect(report.counts.size).toBeGreaterThan(5);
    expect(report.counts.size).toBeLessThanOrEqual(CODE_KINDS.length);
    expect(report.survivors).toEqual([]);
  });

  it('leave the program as it was', () => {
    expect(verifier.verify(() => true).findings).toEqual([]);
  });
});
