import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { family } from '../../scenarios/review/review.js';
import { FAMILIES } from '../../targets/catalogue.js';
import { repositoryPath } from '../machine-fixture.js';
import { familyElf } from './family-elf.js';

const elf = familyElf(family);
const tagged = FAMILIES.flatMap(({ scenarios }) => scenarios).filter(({ topics }) =>
  topics?.includes('review'),
);
const claims = readFileSync(repositoryPath('docs/review-claims.md'), 'utf8');

describe('the review family', () => {
  it('has names of its own, each once, and entries in its ELF', () => {
    const names = family.scenarios.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    for (const { name, entry } of family.scenarios) {
      expect(name).toMatch(/^review\/[a-z0-9]+(-[a-z0-9]+)*$/);
      expect(elf.functions.has(entry), entry).toBe(true);
    }
  });

  it('has a scenario for every entry', () => {
    const entries = [...elf.functions.keys()].filter((name) => name.endsWith('_entry'));
    expect(new Set(family.scenarios.map(({ entry }) => entry))).toEqual(new Set(entries));
  });

  it('speaks of functions of its own in every scenario', () => {
    for (const { name, promises } of family.scenarios) {
      const named = Object.values(promises ?? {})
        .flatMap(({ allow, require }) => [...(allow ?? []), ...(require ?? [])])
        .flatMap((filter) => filter.in ?? [])
        .filter((fn) => fn.startsWith('review_'));
      expect(named.length, name).toBeGreaterThan(0);
      for (const fn of named) expect(elf.functions.has(fn), fn).toBe(true);
    }
  });

  it('requires something of every policy in every scenario', () => {
    for (const { name, promises } of family.scenarios) {
      for (const [policy, { require = [] }] of Object.entries(promises ?? {})) {
        const own = require.filter(({ depth }) => depth === 1);
        if (policy !== 'sframe-v6') expect(own.length, `${name} ${policy}`).toBeGreaterThan(0);
      }
    }
  });

  it('shows each claim in one line on a terminal of usual width, all told apart', () => {
    const lines = tagged.map(({ summary }) => summary);
    expect(new Set(lines).size).toBe(lines.length);
    for (const line of lines) expect(line, line).not.toContain('\n');
  });

  it('is written up, with every scenario of the topic', () => {
    for (const { name } of tagged) expect(claims, name).toContain(`\`${name}\``);
    for (const [, name = ''] of claims.matchAll(/`(review\/[a-z0-9-]+)`/g)) {
      expect(tagged.map((one) => one.name)).toContain(name);
    }
  });

  it('has replay commands of scenarios that there are', () => {
    const replays = [...claims.matchAll(/kunwind-lab sweep ([a-z]+\/[a-z0-9-]+) --point/g)];
    expect(replays.length).toBeGreaterThanOrEqual(family.scenarios.length);
    const names = FAMILIES.flatMap(({ scenarios }) => scenarios.map(({ name }) => name));
    for (const [, name] of replays) expect(names).toContain(name);
  });
});

describe('what the claims rest on', () => {
  it('is CFI where it is said to be, and none where not', () => {
    for (const name of ['review_nocfi', 'review_call_on_irq_stack', 'review_split_record']) {
      expect(elf.rules(name), name).toEqual(['none']);
    }
    const without = [...elf.functions.keys()].filter((name) => elf.rules(name).includes('none'));
    expect(without.sort()).toEqual([
      'review_call_on_irq_stack',
      'review_nocfi',
      'review_split_record',
    ]);
  });

  it('is a dynamic frame in review_alloca, and a fixed one in review_static', () => {
    expect(elf.rules('review_alloca').join()).toMatch(/CFA=FP\+/i);
    expect(elf.rules('review_static').join()).not.toMatch(/CFA=FP\+/i);
  });

  it('is FP above RA, and below it', () => {
    expect(elf.rules('review_fp_above_ra').join('\n')).toMatch(/RA=\*\(CFA-16\) FP=\*\(CFA-8\)/);
    expect(elf.rules('review_fp_below_ra').join('\n')).toMatch(/RA=\*\(CFA-8\) FP=\*\(CFA-16\)/);
  });

  it('is the same code in the copy of call_on_irq_stack', () => {
    expect(elf.functions.get('review_call_on_irq_stack')?.size).toBe(18 * 4);
  });
});
