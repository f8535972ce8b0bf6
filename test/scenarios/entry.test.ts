import { describe, expect, it } from 'vitest';
import { family } from '../../scenarios/entry/entry.js';
import { ENTRY_CODE, EXCEPTION_CODE, SDEI_CODE } from '../../scenarios/exception-code.js';
import { expectSoundNames, familyElf, kernelElf } from './family-elf.js';

const elf = familyElf(family);
const kernel = kernelElf();

describe('the entry family', () => {
  it('names functions of its ELF', () => {
    expectSoundNames(family, elf);
  });

  it('has a scenario for every function, at depth 2, with every kind', () => {
    expect(family.scenarios.map(({ entry }) => entry).sort()).toEqual(
      [...elf.functions.keys()].sort(),
    );
    for (const { depth, kinds, name } of family.scenarios) {
      expect(depth, name).toBe(2);
      expect(kinds, name).toBeUndefined();
    }
  });

  it('annotates what is interrupted as a leaf', () => {
    for (const name of elf.functions.keys()) {
      expect(elf.rules(name), name).toEqual(['CFA=SP+0 RA=x30 FP=x29']);
    }
  });
});

// What the promises at depth 2 rest on.
describe('the exception code', () => {
  it('is in the guest kernel', () => {
    for (const name of EXCEPTION_CODE) expect(kernel.functions.has(name), name).toBe(true);
    for (const name of SDEI_CODE) expect(EXCEPTION_CODE).toContain(name);
  });

  it('has CFI from C on, and none before', () => {
    const without = EXCEPTION_CODE.filter((name) => kernel.rules(name).includes('none'));
    expect(without.sort()).toEqual(
      ['vectors', ...ENTRY_CODE, 'ret_to_kernel', '__sdei_asm_handler'].sort(),
    );
  });

  it.each(ENTRY_CODE)(
    '%s points x29 at the metadata record one instruction before it stores PC',
    (name) => {
      const ADD_X29_SP_296 = 0x9104a3fd;
      const STP_X22_X23_256 = 0xa9105ff6;
      const words = kernel.words(name);
      expect(words.indexOf(ADD_X29_SP_296)).toBe(23);
      expect(words[24]).toBe(STP_X22_X23_256);
    },
  );
});
