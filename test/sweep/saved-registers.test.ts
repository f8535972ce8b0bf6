/** Entry code that saves something else than the CPU had: a sweep says so, wherever the exception was taken. */
import { afterEach, describe, expect, it } from 'vitest';
import { NOP } from '../../aarch64/encodings.js';
import { Kind, KIND_NAMES } from '../../kernel-model/exception-kind.js';
import type { LabParts } from '../../lab/lab-parts.js';
import { type FamilyName, SCENARIOS, sweepParts } from '../machine-fixture.js';
import { cells, type RunOptions, runSweep } from './sweep-run.js';
import type { Scenario } from '../../scenarios/scenario.js';

let parts: LabParts | undefined;
afterEach(() => {
  parts?.machine.close();
  parts = undefined;
});

/** `stp x2, x3, [sp, #16]`, and the same of an SDEI event, `stp x4, x5, [x1, #32]`. */
const STORES = { vector: 0xa9010fe2, sdei: 0xa9021424 } as const;

/** What is found when a function no longer stores two registers. */
function found(
  family: FamilyName,
  which: Scenario,
  fn: string,
  options: RunOptions,
): readonly { readonly point: string; readonly detail: string }[] {
  const on = (parts = sweepParts(family));
  return runSweep(on, which, {
    ...options,
    before: ({ machine }) => {
      const { address, size } = machine.symbols.byName(fn) ?? { address: 0, size: 0 };
      for (let at = address; at < address + size; at += 4) {
        const word = machine.memory.readWord(at);
        if (word !== STORES.vector && word !== STORES.sdei) continue;
        machine.patchCode([{ address: at, word: NOP }]);
        return;
      }
      throw new Error(`no store in ${fn}`);
    },
  }).saved;
}

const WRONG_X2 = /^pt_regs has x2 0x[0-9a-f]{16}, and the CPU had 0x[0-9a-f]{16}$/;
const WRONG_X4 = /^pt_regs has x4 0x5ae5a5[0-9a-f]{10}, and the CPU had 0x[0-9a-f]{16}$/;

describe('registers that are not saved are found', () => {
  it('at every point of depth 1', () => {
    const saved = found('entry', SCENARIOS.trivial, 'el1h_64_irq', { kinds: 1 << Kind.IRQ, to: 2 });
    expect(saved.map(({ point }) => point)).toEqual(['0:irq', '1:irq']);
    for (const { detail } of saved) expect(detail).toMatch(WRONG_X2);
  });

  it.each([
    ['el1h_64_irq', Kind.IRQ, WRONG_X2],
    ['el1h_64_irq', Kind.NMI, WRONG_X2],
    ['el1h_64_sync', Kind.BRK, WRONG_X2],
    ['el1h_64_error', Kind.SERROR, WRONG_X2],
    ['__sdei_asm_handler', Kind.SDEI, WRONG_X4],
  ])('in the first exception of depth 2, by %s (%i)', (fn, kind, wrong) => {
    const saved = found('entry', SCENARIOS.trivial, fn, {
      to: 1,
      kinds: 0,
      outerKinds: 1 << kind,
      innerKinds: 0,
    });
    expect(saved).toEqual([
      { point: `0:${KIND_NAMES[kind] ?? ''}`, detail: expect.stringMatching(wrong) as string },
    ]);
  });

  it('in the second one', () => {
    const saved = found('entry', SCENARIOS.trivial, '__sdei_asm_handler', {
      to: 1,
      kinds: 0,
      outerKinds: 1 << Kind.IRQ,
      innerKinds: 1 << Kind.SDEI,
      innerFrom: 10,
      innerTo: 12,
    });
    expect(saved.map(({ point }) => point)).toEqual(['0:irq/10:sdei', '0:irq/11:sdei']);
    for (const { detail } of saved) expect(detail).toMatch(WRONG_X4);
  });

  it("in a breakpoint of the scenario's own", () => {
    const probed: Scenario = { ...SCENARIOS.trivial, kprobes: [{ symbol: 'entry_trivial' }] };
    const saved = found('entry', probed, 'el1h_64_sync', { kinds: 1 << Kind.IRQ });
    expect(saved).toEqual([{ point: '-', detail: expect.stringMatching(WRONG_X2) as string }]);
  });
});

describe('what a handler changes on purpose is not', () => {
  const kinds = 1 << Kind.IRQ;
  const kretprobes = [{ symbol: 'entry_trivial', style: 'brk' }] as const;

  it('x30, by a kretprobe of the same function whose handler came first', () => {
    const probed: Scenario = {
      ...SCENARIOS.trivial,
      kretprobes,
      kprobes: [{ symbol: 'entry_trivial' }],
    };
    const { saved } = runSweep((parts = sweepParts('entry')), probed, {
      kinds,
      before: ({ machine: { memory, kernel } }) => {
        const table = kernel.symbol('kprobe_table') ?? 0;
        const size = kernel.symbol('KW_KPROBE_SIZE') ?? 0;
        for (const name of ['KW_KPROBE_PRE_HANDLER', 'KW_KPROBE_KRETPROBE']) {
          const at = table + (kernel.symbol(name) ?? 0);
          const [first = 0, second = 0] = [memory.readAddress(at), memory.readAddress(at + size)];
          expect(first).not.toBe(second);
          memory.writeAddress(at, second);
          memory.writeAddress(at + size, first);
        }
      },
    });
    expect(saved).toEqual([]);
  });

  it('the PC, at the trampoline of a kretprobe whose handler asks for a walk', () => {
    const probed: Scenario = { ...SCENARIOS.trivial, kretprobes };
    const { saved } = runSweep((parts = sweepParts('entry')), probed, {
      kinds,
      before: ({ machine: { memory, symbols, kernel } }) => {
        const handler = kernel.symbol('kretprobe_table') ?? 0;
        expect(memory.readAddress(handler)).toBe(symbols.byName('kretprobe_exit_handler')?.address);
        memory.writeAddress(handler, symbols.byName('kunwind_request_walk')?.address ?? 0);
      },
    });
    expect(saved).toEqual([]);
  });
});

describe('what the poison is', () => {
  it.each([
    ['entry', SCENARIOS.trivial],
    ['fgraph', SCENARIOS.fgraphLeaf],
    ['sdei', SCENARIOS.prologue],
  ] as const)('makes no difference to a verdict: %s', (family, which) => {
    const on = (parts = sweepParts(family));
    const [first, ...others] = [0, 1, 0x9abcdef].map((seed) => {
      on.driver.ptRegs.seed = seed;
      const run = runSweep(on, which);
      expect([run.problems, run.saved]).toEqual([[], []]);
      return cells(on, run);
    });
    expect(first?.length).toBeGreaterThan(10);
    expect(others).toEqual([first, first]);
  });
});
