import { describe, expect, it } from 'vitest';
import { family } from '../../scenarios/calls/calls.js';
import { expectSoundNames, familyElf } from './family-elf.js';

const elf = familyElf(family);
const ENTERED = 'CFA=SP+0 RA=x30 FP=x29';

describe('the calls family', () => {
  it('names functions of its ELF', () => {
    expectSoundNames(family, elf);
  });

  it('expects a result from every scenario', () => {
    for (const { result, name } of family.scenarios) expect(result, name).toBeTypeOf('number');
  });

  it('annotates every function but the one whose CFI has no SFrame form', () => {
    const without = [...elf.functions.keys()].filter((name) => elf.rules(name).includes('none'));
    expect(without).toEqual(['lr_in_register']);
  });

  it('enters every function with the return address in x30', () => {
    for (const name of elf.functions.keys()) {
      if (name === 'lr_in_register' || name.endsWith('noreturn_next')) continue;
      expect(elf.rules(name)[0], name).toBe(ENTERED);
    }
  });
});

// What the scenarios claim to demonstrate, as the unwinder is told of it.
describe('the shapes', () => {
  const shapes: readonly (readonly [string, readonly string[]])[] = [
    ['record_bottom', ['CFA=SP+48 RA=*(CFA-40) FP=*(CFA-48)']],
    ['record_top', ['CFA=SP+64 RA=x30 FP=x29', 'CFA=SP+64 RA=*(CFA-8) FP=*(CFA-16)']],
    ['record_middle', ['CFA=SP+80 RA=x30 FP=x29', 'CFA=SP+80 RA=*(CFA-40) FP=*(CFA-48)']],
    [
      'large_frame_sp',
      [
        'CFA=SP+4096 RA=x30 FP=x29',
        'CFA=SP+4608 RA=x30 FP=x29',
        'CFA=SP+4608 RA=*(CFA-4600) FP=*(CFA-4608)',
      ],
    ],
    [
      'large_frame_fp',
      ['CFA=SP+16 RA=*(CFA-8) FP=*(CFA-16)', 'CFA=FP+16 RA=*(CFA-8) FP=*(CFA-16)'],
    ],
    [
      'dynamic_branch',
      ['CFA=SP+48 RA=*(CFA-40) FP=*(CFA-48)', 'CFA=FP+48 RA=*(CFA-40) FP=*(CFA-48)'],
    ],
    ['leaf_without_frame', []],
    ['leaf_with_scratch', ['CFA=SP+16 RA=x30 FP=x29']],
    ['caller_without_record', ['CFA=SP+32 RA=*(CFA-32) FP=x29']],
    ['pac_leaf_a', [`${ENTERED} signed-A`]],
    ['pac_leaf_b', [`${ENTERED} signed-B`]],
  ];

  it.each(shapes)('%s has its rows and no other', (name, rows) => {
    expect(new Set(elf.rules(name))).toEqual(new Set([ENTERED, ...rows]));
  });

  it.each([
    ['compiled_middle', /CFA=SP\+\d+ RA=\*\(CFA-\d+\) .*signed-A/],
    ['compiled_large', /CFA=SP\+5\d\d\d RA=\*\(CFA-5\d\d\d\)/],
    ['compiled_alloca', /CFA=FP\+16/],
    ['compiled_alloca_branch', /CFA=FP\+32/],
    ['compiled_leaf_scratch', /CFA=SP\+32 RA=x30 FP=x29/],
    ['compiled_sum', /CFA=SP\+\d\d+ RA=x30 FP=x29/],
    ['compiled_pac_a_scratch', /CFA=SP\+16 RA=x30 FP=x29 signed-A/],
    ['compiled_pac_b_scratch', /CFA=SP\+16 RA=x30 FP=x29 signed-B/],
    ['compiled_pac_b', /RA=\*\(CFA-\d+\) .*signed-B/],
  ])('%s has a row like %s', (name, row) => {
    expect(elf.rules(name).join('\n')).toMatch(row);
  });

  it('compiles a record above the locals when there is a canary', () => {
    expect(elf.rules('compiled_top')).toContain('CFA=SP+48 RA=*(CFA-8) FP=*(CFA-16) signed-A');
  });

  it('puts the next symbol directly behind a call that ends its function', () => {
    for (const prefix of ['', 'compiled_']) {
      const caller = elf.functions.get(`${prefix}noreturn_caller`);
      const next = elf.functions.get(`${prefix}noreturn_next`);
      expect(caller?.address).toBe((next?.address ?? 0) - (caller?.size ?? 0));
    }
  });

  it('unwinds the inherited frame from the first byte of that symbol', () => {
    expect(elf.rules('noreturn_next')).toEqual(['CFA=SP+32 RA=*(CFA-24) FP=*(CFA-32)', ENTERED]);
    expect(elf.rules('compiled_noreturn_next')).toEqual([
      'CFA=SP+16 RA=*(CFA-8) FP=*(CFA-16) signed-A',
      `${ENTERED} signed-A`,
      ENTERED,
    ]);
  });
});
