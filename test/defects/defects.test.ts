/**
 * Proof that the harness can fail: defects are planted one at a time in a copy of the built package,
 * whose sweep must turn red on each, with slices that are green without it. With
 * DEFECT_FAMILIES=1 the table also says which families' scenarios show each defect; that takes a few
 * times as long.
 */
import { afterAll, describe, expect, it } from 'vitest';
import { Disassembler } from '../../aarch64/disassembler.js';
import { must } from '../cpu-fixture.js';
import { type Defect, nested, whole } from './defect.js';
import { ENTRY_DEFECTS, GUEST_EQUIVALENTS, TRACER_DEFECTS } from './guest-defects.js';
import { PT_REGS_DEFECTS } from './pt-regs-defects.js';
import { Planter } from './planted.js';
import { ROLE_DEFECTS } from './role-defects.js';
import { SFRAME_DEFECTS } from './sframe-defects.js';
import { redsOf, type Slice, sweepSlice } from './slice.js';
import { TRUTH_DEFECTS, UNWINDER_DEFECTS } from './source-defects.js';
import { TRUTH_EDITS, UNWINDER_EDITS } from './source-edits.js';

const planter = new Planter(must(await Disassembler.create()));

const DEFECTS: readonly Defect[] = [
  ...SFRAME_DEFECTS,
  ...UNWINDER_DEFECTS,
  ...ENTRY_DEFECTS,
  ...PT_REGS_DEFECTS,
  ...TRACER_DEFECTS,
  ...TRUTH_DEFECTS,
  ...ROLE_DEFECTS,
];

const EQUIVALENTS = [...GUEST_EQUIVALENTS];

/** One of each family, as short as there is. */
const FAMILIES: readonly Slice[] = [
  ...['calls/record-bottom', 'leaf/strlen', 'fgraph/leaf', 'tasks/blocked', 'sdei/leaf'].map(whole),
  nested('entry/trivial', 0, 1),
];

const table: string[][] = [['defect', 'where', 'turned red first']];

async function familiesThatShow({ edit, shownBy }: Defect): Promise<string> {
  const names = new Set<string>();
  for (const slice of [...FAMILIES, ...shownBy.map((sight) => sight.slice)]) {
    const family = slice.scenario.split('/')[0] ?? '';
    if (!names.has(family) && (await planter.reds(slice, edit)).length > 0) names.add(family);
  }
  return ` [${[...names].join(' ')}]`;
}

/** Slices of the defects, each once: most defects share theirs. */
function distinctSlices(): Slice[] {
  const all = [
    ...DEFECTS.flatMap(({ shownBy }) => shownBy.map(({ slice }) => slice)),
    ...[...DEFECTS, ...EQUIVALENTS].flatMap(({ missedBy = [] }) => missedBy),
  ];
  return [...new Map(all.map((slice) => [JSON.stringify(slice), slice])).values()];
}

describe('control: without a defect all is as promised', () => {
  it.each(distinctSlices().map((slice) => [slice.scenario, slice] as const))(
    '%s',
    async (_, slice) => {
      const report = await sweepSlice(planter.copy, slice);
      expect(redsOf(report)).toEqual([]);
      expect(report.unexpected).toBe(0);
      const { from, to } = slice.part ?? { from: 0, to: report.instructions };
      expect(report.points).toBeGreaterThanOrEqual(to - from);
    },
  );
});

describe('planted, it turns red', () => {
  it.each(DEFECTS.map((defect) => [`${defect.where}: ${defect.name}`, defect] as const))(
    '%s',
    async (_, defect) => {
      const first = await planter.expectRed(defect);
      const families = process.env.DEFECT_FAMILIES === '1' ? await familiesThatShow(defect) : '';
      table.push([defect.name, defect.where, `${first ?? 'SURVIVED'}${families}`]);
      expect(first).toBeDefined();
    },
  );

  it('is a catalogue of everything that can be planted', () => {
    expect(DEFECTS.length).toBeGreaterThanOrEqual(171);
    const names = DEFECTS.map(({ name }) => name);
    const edits = [...Object.keys(UNWINDER_EDITS), ...Object.keys(TRUTH_EDITS)];
    expect(names).toEqual(expect.arrayContaining(edits));
    expect(new Set(DEFECTS.map(({ name, where }) => `${where}: ${name}`)).size).toBe(names.length);
  });
});

describe('makes no difference to any answer', () => {
  it.each(EQUIVALENTS.map((one) => [`${one.where}: ${one.name}`, one] as const))(
    '%s',
    async (_, equivalent) => {
      const { name, where, reason } = equivalent;
      table.push([name, where, `equivalent: ${reason}`]);
      expect(await planter.expectRed(equivalent)).toBeUndefined();
    },
  );
});

afterAll(() => {
  const width = (column: number): number =>
    Math.max(...table.map((row) => row[column]?.length ?? 0));
  const widths = [width(0), width(1)];
  const lines = table.map((row) => row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join('  '));
  console.log(`${lines.join('\n')}\n${DEFECTS.length} defects planted`);
});
