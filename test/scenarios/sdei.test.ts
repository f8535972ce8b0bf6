import { describe, expect, it } from 'vitest';
import { family } from '../../scenarios/sdei/sdei.js';
import { POLICIES } from '../../unwinder/policies/all.js';
import { expectSoundNames, familyElf } from './family-elf.js';

const elf = familyElf(family);
const ENTERED = 'CFA=SP+0 RA=x30 FP=x29';
const SAVED = 'CFA=SP+32 RA=*(CFA-24) FP=*(CFA-32)';

describe('the sdei family', () => {
  it('names functions of its ELF', () => {
    expectSoundNames(family, elf);
  });

  it('has a scenario for every entry, at depth 2', () => {
    const entries = [...elf.functions.keys()].filter((name) => name.endsWith('_entry'));
    expect(family.scenarios.map(({ entry }) => entry).sort()).toEqual(entries.sort());
    for (const { depth, name } of family.scenarios) expect(depth, name).toBe(2);
  });

  it('promises missing where the record is trusted, else a refusal, and nothing without a reason', () => {
    for (const { promises, name } of family.scenarios) {
      expect(Object.keys(promises ?? {}).sort(), name).toEqual(Object.keys(POLICIES).sort());
      for (const [policy, { allow, require }] of Object.entries(promises ?? {})) {
        const hidden = policy.startsWith('fgraph-') ? 'unreliable' : 'missing';
        for (const { reason } of [...(allow ?? []), ...(require ?? [])])
          expect(reason).toMatch(/\w/);
        expect(
          require?.some(({ verdict, kinds }) => verdict === hidden && kinds?.[0] === 'sdei'),
        ).toBe(true);
      }
    }
  });

  it('counts the instructions of the function: with and without a record that x29 points at', () => {
    for (const { entry, promises, name } of family.scenarios) {
      const fn = entry.replace(/_entry$/, '');
      const counted = (promises?.['sframe-strict']?.require ?? []).filter(
        ({ in: functions, atLeast, everywhere }) =>
          functions?.[0] === fn && everywhere !== true && atLeast !== undefined && atLeast > 1,
      );
      const sum = counted.reduce((total, { atLeast }) => total + (atLeast ?? 0), 0);
      expect(sum, name).toBe(elf.words(fn).length);
    }
  });

  it('has correct CFI in all of it: what SDEI hides is no fault of the tables', () => {
    expect(elf.rules('sdei_leaf')).toEqual([ENTERED]);
    expect(elf.rules('sdei_prologue')).toEqual([ENTERED, 'CFA=SP+32 RA=x30 FP=x29', SAVED]);
    expect(elf.rules('sdei_epilogue')).toEqual([ENTERED, SAVED, 'CFA=SP+32 RA=x30 FP=x29']);
  });
});
