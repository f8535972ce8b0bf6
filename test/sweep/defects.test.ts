/**
 * Proof that the harness can fail: defects are planted one at a time, and a sweep must turn red on
 * each, with slices that are green without it. With DEFECT_FAMILIES=1 the table also says which
 * families' scenarios show each defect; that takes a few times as long.
 */
import { afterAll, describe, expect, it } from 'vitest';
import { openBackend } from '../../emulator/backend.js';
import { Disassembler } from '../../aarch64/disassembler.js';
import { TRUTH_DEFECTS as TRUTH_NAMES } from '../../kernel-model/ground-truth.js';
import { UNWIND_DEFECTS } from '../../unwinder/walk-defect.js';
import { must } from '../cpu-fixture.js';
import { type Defect, nested, slices } from './defect.js';
import { firstRed, sweepSlice, type Slice } from './defect-sweep.js';
import { ENTRY_DEFECTS, GUEST_EQUIVALENTS, TRACER_DEFECTS } from './guest-defects.js';
import { ROLE_DEFECTS, TRUTH_DEFECTS, UNWINDER_DEFECTS } from './other-defects.js';
import { SFRAME_DEFECTS } from './sframe-defects.js';

const backend = must(await openBackend());
const disassembler = must(await Disassembler.create());

const DEFECTS: readonly Defect[] = [
  ...SFRAME_DEFECTS,
  ...UNWINDER_DEFECTS,
  ...ENTRY_DEFECTS,
  ...TRACER_DEFECTS,
  ...TRUTH_DEFECTS,
  ...ROLE_DEFECTS,
];

const EQUIVALENTS = [...GUEST_EQUIVALENTS];

/** One of each family, as short as there is. */
const FAMILIES: readonly Slice[] = [
  ...slices('calls/record-bottom', 'leaf/strlen', 'fgraph/leaf', 'tasks/blocked', 'sdei/leaf'),
  nested('entry/trivial', 0, 1),
];

const table: string[][] = [['defect', 'where', 'turned red first']];

/** What turned red in a slice, or undefined. */
async function redIn(defect: Defect, slice: Slice): Promise<string | undefined> {
  const red = firstRed(await sweepSlice(backend, defect.plant(disassembler), slice));
  return red === undefined ? undefined : `${slice.target.scenario.name} ${red}`;
}

async function familiesThatShow(defect: Defect): Promise<string> {
  const names = new Set<string>();
  for (const slice of [...FAMILIES, ...defect.slices]) {
    const family = slice.target.scenario.name.split('/')[0] ?? '';
    if (!names.has(family) && (await redIn(defect, slice)) !== undefined) names.add(family);
  }
  return ` [${[...names].join(' ')}]`;
}

/** Slices of the defects, each once: most defects share theirs. */
function distinctSlices(): Map<string, Slice> {
  const distinct = new Map<string, Slice>();
  for (const slice of [...DEFECTS, ...EQUIVALENTS].flatMap((defect) => defect.slices)) {
    const { target, depth = '', from = '', to = '', kinds = [] } = slice;
    const { name, promises } = target.scenario;
    const parts = [name, depth, from, to, ...kinds, JSON.stringify(promises)];
    distinct.set(parts.join(' '), slice);
  }
  return distinct;
}

describe('control: without a defect all is as promised', () => {
  it.each(
    [...distinctSlices().values()].map((slice) => [slice.target.scenario.name, slice] as const),
  )('%s', async (_, slice) => {
    const report = await sweepSlice(backend, {}, slice);
    expect(firstRed(report)).toBeUndefined();
    expect(report.unexpected).toBe(0);
    expect(report.points).toBeGreaterThanOrEqual(report.instructions);
  });
});

describe('planted, it turns red', () => {
  it.each(DEFECTS.map((defect) => [`${defect.where}: ${defect.name}`, defect] as const))(
    '%s',
    async (_, defect) => {
      const reds: (string | undefined)[] = [];
      for (const slice of defect.slices) reds.push(await redIn(defect, slice));
      const families = process.env.DEFECT_FAMILIES === '1' ? await familiesThatShow(defect) : '';
      table.push([defect.name, defect.where, `${reds[0] ?? 'SURVIVED'}${families}`]);
      expect(reds).not.toContain(undefined);
    },
  );

  it('is a catalogue of everything that can be planted', () => {
    expect(DEFECTS.length).toBeGreaterThanOrEqual(24);
    const names = DEFECTS.map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining([...UNWIND_DEFECTS, ...TRUTH_NAMES]));
    expect(new Set(DEFECTS.map(({ name, where }) => `${where}: ${name}`)).size).toBe(names.length);
  });
});

describe('makes no difference to any answer', () => {
  it.each(EQUIVALENTS.map((defect) => [`${defect.where}: ${defect.name}`, defect] as const))(
    '%s',
    async (_, defect) => {
      table.push([defect.name, defect.where, `equivalent: ${defect.reason}`]);
      for (const slice of defect.slices) expect(await redIn(defect, slice)).toBeUndefined();
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
