import { describe, expect, it } from 'vitest';
import { family } from '../../scenarios/leaf/leaf.js';
import { expectSoundNames, familyElf } from './family-elf.js';

const elf = familyElf(family);
const routines = [...elf.functions.keys()].filter((name) => !name.endsWith('_entry'));

describe('the leaf family', () => {
  it('names functions of its ELF', () => {
    expectSoundNames(family, elf);
  });

  it('has a scenario for every entry', () => {
    const entries = [...elf.functions.keys()].filter((name) => name.endsWith('_entry'));
    expect(entries.sort()).toEqual(family.scenarios.map(({ entry }) => entry).sort());
  });

  it('expects the same result from every variant of a routine', () => {
    const results = new Map<string, number | undefined>();
    for (const { name, result } of family.scenarios) {
      const routine = name.replace(/-(nocfi|moves-lr|moves-sp|spills-lr|spills-fp)$/, '');
      expect(results.get(routine) ?? result, name).toBe(result);
      results.set(routine, result);
    }
    expect(results.size).toBe(13);
  });

  it('gives every annotated routine the leaf rule, and no other', () => {
    for (const name of routines) {
      const rules = name.endsWith('_nocfi') ? ['none'] : ['CFA=SP+0 RA=x30 FP=x29'];
      expect(elf.rules(name), name).toEqual(rules);
    }
  });

  it('keeps both variants the same size', () => {
    for (const name of routines) {
      if (!name.endsWith('_nocfi')) continue;
      const annotated = elf.functions.get(name.replace(/_nocfi$/, ''));
      expect(elf.functions.get(name)?.size, name).toBe(annotated?.size);
    }
  });
});
