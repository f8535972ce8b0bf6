import { NOP } from '../../aarch64/encodings.js';
import { describe, expect, it } from 'vitest';
import { family } from '../../scenarios/fgraph/fgraph.js';
import type { GuestKernelName } from '../../scenarios/scenario.js';
import { expectSoundNames, familyElf, kernelElf } from './family-elf.js';

const BTI_C = 0xd503245f;
const CALLEES = ['ftrace_return_to_handler', 'fgraph_exit_handler'];
const BOUNDARY_KINDS = ['irq', 'nmi', 'brk', 'serror'] as const;
const KERNELS: readonly GuestKernelName[] = ['linux', 'fgraph-recover'];

const scenariosOn = (kernel: GuestKernelName) =>
  family.scenarios.filter((scenario) => (scenario.kernel ?? 'linux') === kernel);

describe.each(KERNELS)('the fgraph family on the kernel %s', (name) => {
  const elf = familyElf(family, name);
  const kernel = kernelElf(name);
  const scenarios = scenariosOn(name);

  it('names functions of its ELF', () => {
    expectSoundNames(family, elf, kernel);
  });

  it('has a scenario for every entry', () => {
    const entries = [...elf.functions.keys()].filter((fn) => fn.endsWith('_entry'));
    expect(scenarios.map(({ entry }) => entry).sort()).toEqual(entries.sort());
  });

  it('traces functions with a patch site, and every one that has one', () => {
    const traced = new Set(scenarios.flatMap((scenario) => scenario.traced ?? []));
    for (const [fn] of elf.functions) {
      const words = elf.words(fn);
      const site = words[0] === BTI_C ? 1 : 0;
      expect(words[site] === NOP && words[site + 1] === NOP, fn).toBe(traced.has(fn));
    }
  });

  it('has CFI in all of it: the bug is not in the tables', () => {
    for (const fn of elf.functions.keys()) expect(elf.rules(fn), fn).not.toContain('none');
    for (const fn of ['function_graph_enter', 'ftrace_graph_func', ...CALLEES]) {
      expect(kernel.rules(fn), fn).not.toContain('none');
    }
    expect(kernel.rules('ftrace_caller')).toEqual(['none']);
    // Once the entry is popped there is a rule, on the kernel that can have one.
    expect(kernel.rules('return_to_handler')).toEqual(
      name === 'linux' ? ['none'] : ['none', 'CFA=SP+0 RA=x30 FP=x29'],
    );
  });

  it('counts the instructions of the trampolines', () => {
    expect(kernel.words('ftrace_caller')).toHaveLength(35);
    expect(kernel.words('return_to_handler')).toHaveLength(name === 'linux' ? 15 : 18);
  });
});

it('has the same scenarios on both kernels', () => {
  const [linux, recover] = KERNELS.map((kernel) =>
    scenariosOn(kernel).map(({ entry, args, result, traced, depth }) => ({
      entry,
      args,
      result,
      traced,
      depth,
    })),
  );
  expect(linux).toHaveLength(9);
  expect(recover).toEqual(linux);
});

// The issue: under every policy but fgraph-detect and fgraph-recover, and never under those.
describe('the known bug', () => {
  it.each(family.scenarios)('$name requires it of every policy that has it', ({ promises }) => {
    for (const policy of ['sframe-v5', 'sframe-strict'] as const) {
      const missing = (promises?.[policy]?.require ?? []).filter(
        ({ verdict, kinds, in: functions }) =>
          verdict === 'missing' && !kinds?.includes('sdei') && functions?.[0] === CALLEES[0],
      );
      expect(missing, policy).toHaveLength(1);
      expect(missing[0]?.everywhere).toBe(true);
      expect(missing[0]?.kinds).toEqual(BOUNDARY_KINDS);
      expect(missing[0]?.in?.slice(0, 2)).toEqual(CALLEES);
    }
    for (const policy of ['frame-pointer', 'sframe-v5', 'sframe-v6', 'sframe-strict'] as const) {
      expect(
        promises?.[policy]?.require?.some(
          ({ verdict, kinds, in: functions, everywhere }) =>
            verdict === 'missing' &&
            kinds?.[0] === 'sdei' &&
            functions?.[0] === CALLEES[0] &&
            everywhere === true,
        ),
        policy,
      ).toBe(true);
    }
  });

  // Whether v6's alignment test hides it depends on the depth of the stack: half of these scenarios.
  it.each(family.scenarios)('$name requires it of v6, or a refusal everywhere', ({ promises }) => {
    const { allow = [], require = [] } = promises?.['sframe-v6'] ?? {};
    const required = require.filter(
      ({ kinds, in: functions }) => !kinds?.includes('sdei') && functions?.[0] === CALLEES[0],
    );
    expect(required).toHaveLength(1);
    expect(required[0]?.kinds).toEqual(BOUNDARY_KINDS);
    expect(required[0]?.in?.slice(0, 2)).toEqual(CALLEES);
    if (required[0]?.verdict === 'missing') {
      // 65 or 66 instructions of one callee, 2 of the other, under four kinds, for every such call.
      expect(required[0].atLeast).toBeGreaterThanOrEqual(4 * 67);
      return;
    }
    expect(required[0]).toMatchObject({ verdict: 'unreliable', everywhere: true });
    const missing = allow.filter(
      ({ verdict, kinds, in: functions }) =>
        verdict === 'missing' &&
        kinds?.includes('irq') !== false &&
        functions?.includes(CALLEES[0] ?? '') !== false,
    );
    expect(missing).toEqual([]);
  });

  it.each(KERNELS)('is required of v6 in five scenarios on the kernel %s', (kernel) => {
    const requiring = scenariosOn(kernel).filter(({ promises }) =>
      promises?.['sframe-v6']?.require?.some(
        ({ verdict, kinds }) => verdict === 'missing' && kinds?.includes('irq') === true,
      ),
    );
    expect(requiring.map(({ name }) => name.replace(/^fgraph\/(recover-)?/, '')).sort()).toEqual([
      'nested',
      'repeat',
      'several',
      'several-tail',
      'tail',
    ]);
  });

  it.each(
    family.scenarios.flatMap((scenario) =>
      (['fgraph-detect', 'fgraph-recover'] as const).map((policy) => ({ ...scenario, policy })),
    ),
  )('$name forbids it to $policy', ({ promises, policy, kernel = 'linux' }) => {
    const { allow = [], require = [] } = promises?.[policy] ?? {};
    expect(allow.filter(({ verdict }) => verdict !== 'unreliable')).toEqual([]);
    // The window: on the one kernel in both functions, on the other at the trampoline's last
    // instruction, which fgraph-recover knows.
    for (const place of ['return_to_handler', 'ftrace_return_to_handler']) {
      const window =
        kernel === 'linux' || (place === 'return_to_handler' && policy === 'fgraph-detect');
      expect(
        require.some(
          ({ verdict, kinds, in: functions }) =>
            verdict === 'unreliable' && kinds?.includes('irq') === true && functions?.[0] === place,
        ),
        place,
      ).toBe(window);
    }
  });

  it.each(scenariosOn('fgraph-recover'))('$name: fgraph-recover is exact', (scenario) => {
    const elf = familyElf(family, 'fgraph-recover');
    const kernel = kernelElf('fgraph-recover');
    const { allow = [], require = [] } = scenario.promises?.['fgraph-recover'] ?? {};
    const exact = require.filter(
      ({ verdict, everywhere, kinds, depth }) =>
        verdict === 'exact' &&
        everywhere === true &&
        depth === 1 &&
        BOUNDARY_KINDS.every((kind) => kinds?.includes(kind)),
    );
    const places = new Set(exact.flatMap((required) => required.in ?? []));
    for (const name of ['ftrace_graph_func', 'function_graph_enter', 'fgraph_entry_handler']) {
      expect(places, name).toContain(name);
    }
    for (const name of ['return_to_handler', ...CALLEES, scenario.entry]) {
      expect(places, name).toContain(name);
    }
    for (const name of scenario.traced ?? []) expect(places, name).toContain(name);
    // Nothing else is allowed there, and the only code that is unreliable has no CFI.
    for (const { verdict, in: functions, kinds, depth } of allow) {
      if (depth === 2 || kinds?.includes('irq') !== true) continue;
      expect(verdict).toBe('unreliable');
      expect(functions).toEqual(['ftrace_caller']);
    }
    for (const name of places) {
      const rules = elf.functions.has(name) ? elf.rules(name) : kernel.rules(name);
      if (name !== 'return_to_handler') expect(rules, name).not.toContain('none');
    }
  });
});
