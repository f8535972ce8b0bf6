import { describe, expect, it } from 'vitest';
import type { ElfImage } from '../../elf/image.js';
import { resolveKernel } from '../../kernel-model/kernel-image.js';
import { must } from '../cpu-fixture.js';
import { guestKernel, recoverKernel } from '../machine-fixture.js';

const { elf } = guestKernel();
const without = (...names: string[]): ElfImage => ({
  ...elf,
  applyRelocations: (bias) => elf.applyRelocations(bias),
  symbols: elf.symbols.filter(({ name }) => !names.includes(name)),
});
const symbolAt = (address: number): string[] =>
  elf.symbols.filter((symbol) => symbol.address === address).map(({ name }) => name);

describe('resolveKernel', () => {
  it('gives every role the address of its symbol', () => {
    const { roles } = must(resolveKernel(elf));
    const expected: Readonly<Record<keyof typeof roles, string>> = {
      vectors: 'vectors',
      initTask: 'init_task',
      retFromFork: 'ret_from_fork',
      walkRequest: 'walk_request',
      irqStackPointer: 'irq_stack_ptr',
      overflowStack: 'overflow_stack',
      sdeiNormalStackPointer: 'sdei_stack_normal_ptr',
      sdeiCriticalStackPointer: 'sdei_stack_critical_ptr',
      sdeiHandler: '__sdei_asm_handler',
      sdeiComplete: 'sdei_complete',
      sdeiNormalEvent: 'kw_sdei_event_normal',
      sdeiCriticalEvent: 'kw_sdei_event_critical',
      gicIar: 'gic_iar',
      gicPmr: 'gic_pmr',
      walkTask: 'walk_task',
      kthread: 'kthread',
      thread: 'kunwind_thread',
      threadDone: 'kunwind_done',
    };
    for (const [role, address] of Object.entries(roles) as [keyof typeof roles, number][]) {
      expect(symbolAt(address), role).toContain(expected[role]);
    }
  });

  it('has the layout of return_to_handler, and of the trampolines', () => {
    const { returnToHandler, returnToHandlerPopped, trampolines, kretprobeTrampolines } = must(
      resolveKernel(elf),
    );
    // 15 instructions (docs/kernel-facts.md, "The return stack"), and none from which x30 is the
    // address.
    expect(returnToHandler.end - returnToHandler.start).toBe(15 * 4);
    expect(returnToHandlerPopped).toBeUndefined();
    expect(trampolines[0]).toEqual(returnToHandler);
    expect(trampolines.flatMap(({ start }) => symbolAt(start))).toEqual(
      expect.arrayContaining(['return_to_handler', 'ftrace_caller']),
    );
    expect(kretprobeTrampolines.flatMap(({ start }) => symbolAt(start))).toEqual(
      expect.arrayContaining(['__kretprobe_trampoline', '__kretprobe_trampoline_regs']),
    );
    expect(trampolines).toEqual(expect.arrayContaining([...kretprobeTrampolines]));
  });

  it('knows where the other kernel has popped the entry: at the last instruction', () => {
    const { returnToHandler, returnToHandlerPopped, trampolines } = recoverKernel();
    expect(returnToHandler.end - returnToHandler.start).toBe(18 * 4);
    expect(returnToHandlerPopped).toBe(returnToHandler.end - 4);
    expect(trampolines[0]).toEqual(returnToHandler);
  });

  it('refuses kprobes in the entry code, and not in ordinary text', () => {
    const { kprobeBlacklist } = must(resolveKernel(elf));
    expect(kprobeBlacklist.length).toBeGreaterThanOrEqual(3);
    const refused = (name: string): boolean => {
      const at = elf.symbols.find((symbol) => symbol.name === name)?.address ?? NaN;
      return kprobeBlacklist.some(({ start, end }) => at >= start && at < end);
    };
    for (const name of ['vectors', 'el1h_64_irq', 'irqentry_nmi_enter', 'do_el1_brk64']) {
      expect([name, refused(name)]).toEqual([name, true]);
    }
    for (const name of ['kthread', 'generic_handle_irq']) {
      expect([name, refused(name)]).toEqual([name, false]);
    }
  });

  it('has the NMI mask of v7.3-rc7, and plausible offsets', () => {
    const { offsets } = must(resolveKernel(elf));
    const { nmiMask, kretprobeNext, kretprobeRetAddr, kretprobeFp, ...task } = offsets;
    expect(nmiMask >>> 0).toBe(0xf0000000);
    // Two structures: what is different is different within each.
    for (const structure of [task, { kretprobeNext, kretprobeRetAddr, kretprobeFp }]) {
      const values = Object.values(structure);
      expect(new Set(values).size).toBe(values.length);
      for (const value of values) expect(value >= 0 && value < 4096).toBe(true);
    }
    expect(Object.keys(task)).toHaveLength(Object.keys(offsets).length - 4);
  });

  it('names all symbols that are missing', () => {
    const refused = resolveKernel(without('vectors', 'gic_pmr', 'TSK_STACK', 'return_to_handler'));
    expect(refused.ok).toBe(false);
    if (refused.ok) return;
    expect(refused.error).toMatchObject({ kind: 'missing-symbol', path: elf.path });
    expect([...refused.error.names].sort()).toEqual(
      ['vectors', 'gic_pmr', 'TSK_STACK', 'return_to_handler'].sort(),
    );
  });

  it('does without the trampolines that a kernel may lack', () => {
    const kernel = must(resolveKernel(without('ftrace_caller', '__kprobes_text_end')));
    expect(kernel.trampolines).not.toContainEqual(undefined);
    expect(kernel.symbol('ftrace_caller')).toBeUndefined();
    expect(kernel.symbol('init_task')).toBe(kernel.roles.initTask);
  });
});
