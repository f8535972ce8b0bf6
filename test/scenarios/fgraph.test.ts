import { describe, expect, it } from 'vitest';
import { family } from '../../scenarios/fgraph/fgraph.js';
import { expectSoundNames, familyElf, kernelElf } from './family-elf.js';

const elf = familyElf(family);
const kernel = kernelElf();
const NOP = 0xd503201f;
const BTI_C = 0xd503245f;
const CALLEES = ['ftrace_return_to_handler', 'fgraph_exit_handler'];

describe('the fgraph family', () => {
  it('names functions of its ELF', () => {
    expectSoundNames(family, elf);
  });

  it('has a scenario for every entry', () => {
    const entries = [...elf.functions.keys()].filter((name) => name.endsWith('_entry'));
    expect(family.scenarios.map(({ entry }) => entry).sort()).toEqual(entries.sort());
  });

  it('traces functions with a patch site, and every one that has one', () => {
    const traced = new Set(family.scenarios.flatMap((scenario) => scenario.traced ?? []));
    for (const [name] of elf.functions) {
      const words = elf.words(name);
      const site = words[0] === BTI_C ? 1 : 0;
      expect(words[site] === NOP && words[site + 1] === NOP, name).toBe(traced.has(name));
    }
  });

  it('has CFI in all of it: the bug is not in the tables', () => {
    for (const name of elf.functions.keys()) expect(elf.rules(name), name).not.toContain('none');
    for (const name of ['function_graph_enter', 'ftrace_graph_func', ...CALLEES]) {
      expect(kernel.rules(name), name).not.toContain('none');
    }
    for (const name of ['ftrace_caller', 'return_to_handler']) {
      expect(kernel.rules(name), name).toEqual(['none']);
    }
  });

  it('counts the instructions of the trampolines', () => {
    expect(kernel.words('ftrace_caller')).toHaveLength(34);
    expect(kernel.words('return_to_handler')).toHaveLength(15);
  });
});

// The issue: under every policy but fgraph-detect, and never under that one.
describe('the known bug', () => {
  it.each(family.scenarios)('$name requires it of every policy that has it', ({ promises }) => {
    for (const policy of ['sframe-v5', 'sframe-v6', 'sframe-strict'] as const) {
      const required = promises?.[policy]?.require ?? [];
      const missing = required.filter(
        ({ verdict, kinds, in: functions }) =>
          verdict === 'missing' && !kinds?.includes('sdei') && functions?.[0] === CALLEES[0],
      );
      expect(missing, policy).toHaveLength(1);
      if (policy !== 'sframe-v6') expect(missing[0]?.everywhere).toBe(true);
    }
    const framePointer = promises?.['frame-pointer']?.require ?? [];
    expect(
      framePointer.some(
        ({ verdict, kinds, in: functions, everywhere }) =>
          verdict === 'missing' &&
          kinds?.[0] === 'sdei' &&
          functions?.[0] === CALLEES[0] &&
          everywhere === true,
      ),
    ).toBe(true);
  });

  it.each(family.scenarios)('$name forbids it to fgraph-detect', ({ promises }) => {
    const { allow = [], require = [] } = promises?.['fgraph-detect'] ?? {};
    const unsafe = allow.filter(({ verdict }) => verdict !== 'unreliable');
    for (const { kinds, depth, in: functions } of unsafe) {
      const hidden = kinds?.length === 1 && kinds[0] === 'sdei';
      // A breakpoint in an SDEI handler: what is hidden is hidden by the record of that event.
      const below = depth === 2 && functions?.every((name) => name.startsWith('kunwind_'));
      expect(hidden || below).toBe(true);
    }
    for (const place of ['return_to_handler', 'ftrace_return_to_handler']) {
      for (const kind of ['irq', 'sdei'] as const) {
        expect(
          require.some(
            ({ verdict, kinds, in: functions }) =>
              verdict === 'unreliable' &&
              kinds?.includes(kind) === true &&
              functions?.[0] === place,
          ),
          `${place} ${kind}`,
        ).toBe(true);
      }
    }
  });
});
