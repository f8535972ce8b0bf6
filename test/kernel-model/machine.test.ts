import { WFI } from '../../aarch64/encodings.js';
import { afterEach, describe, expect, it } from 'vitest';
import { Permission, RegisterSet } from '../../emulator/engine.js';
import { classify, InstructionClass } from '../../aarch64/instruction.js';
import { Pstate, Reg, REGISTER_COUNT } from '../../emulator/registers.js';
import {
  ARGUMENT_AREA,
  ARGUMENT_AREA_SIZE,
  describeMachineError,
  Machine,
} from '../../kernel-model/machine.js';
import { A64, branchAndLink } from '../assembled.js';
import { WALK_RETURN } from '../../kernel-model/walk-stub.js';
import { backend, must } from '../cpu-fixture.js';
import { familyElf, guestKernel, SCENARIOS, setUp, stepTo } from '../machine-fixture.js';

let machine: Machine | undefined;
afterEach(() => {
  machine?.close();
  machine = undefined;
});

function create(): Machine {
  return (machine = must(Machine.create(backend(), guestKernel(), [familyElf('fgraph')])));
}

/** BRK (Arm ARM C6.2.45): all but the 16 bits of its operand are fixed. */
const isBreakpoint = (word: number): boolean => ((word ^ A64['brk #4']) & 0xffe0001f) === 0;

describe('Machine', () => {
  it('has the kernel, the scenario and the argument area in memory, where they were linked', () => {
    const { memory, kernel, images, symbols } = create();
    for (const image of [kernel.elf, ...images]) {
      for (const segment of image.segments) {
        const region = memory.regionAt(segment.address);
        const at = segment.address - (region?.low ?? 0);
        const bytes = region?.bytes.subarray(at, at + segment.data.length) ?? new Uint8Array();
        expect(Buffer.compare(bytes, segment.data)).toBe(0);
        const permissions = region?.permissions ?? 0;
        expect((permissions & Permission.WRITE) !== 0).toBe(segment.writable);
        expect((permissions & Permission.EXECUTE) !== 0).toBe(segment.executable);
      }
    }
    expect(memory.readWord(ARGUMENT_AREA + ARGUMENT_AREA_SIZE - 4)).toBe(0);
    expect(symbols.byName('fgraph_leaf')).toBeDefined();
    expect(symbols.byName('vectors')?.address).toBe(kernel.roles.vectors);
  });

  it('stops the running engine at and behind the walk request, at ERET, BRK and the hand-over', () => {
    const { memory, kernel } = create();
    const { walkRequest, sdeiComplete } = kernel.roles;
    const stops: number[] = [];
    const expected = [walkRequest, sdeiComplete];
    for (const { runBytes, words, low } of memory.regions) {
      if (runBytes === undefined) continue;
      const run = new Uint32Array(runBytes.buffer, runBytes.byteOffset, words.length);
      for (const [i, word] of run.entries()) {
        const original = words[i] ?? 0;
        if (original === A64.eret || original === WALK_RETURN || isBreakpoint(original)) {
          expected.push(low + 4 * i);
        }
        if (word === original) continue;
        expect(word).toBe(WFI);
        stops.push(low + 4 * i);
      }
    }
    expect(stops.sort((a, b) => a - b)).toEqual(expected.sort((a, b) => a - b));
    const words = stops.map((stop) => memory.readWord(stop) ?? 0);
    expect(words.filter((word) => word === A64.eret).length).toBeGreaterThan(0);
    // The one trampoline that is a breakpoint; probes are the scenarios' own.
    const breakpoints = stops.filter((_, i) => isBreakpoint(words[i] ?? 0));
    expect(breakpoints).toContain(kernel.symbol('__kretprobe_trampoline'));
  });

  it('refuses images that overlap', () => {
    const kernel = guestKernel();
    const twice = Machine.create(backend(), kernel, [kernel.elf]);
    expect(twice.ok).toBe(false);
    if (twice.ok) return;
    expect(twice.error.kind).toBe('overlap');
    expect(describeMachineError(twice.error)).toMatch(/vmlinux overlaps .*vmlinux at 0xffffa0008/);
  });

  it('is after a reset what it was after loading', () => {
    const at = create();
    const writable = () =>
      at.memory.regions
        .filter(({ permissions }) => (permissions & Permission.WRITE) !== 0)
        .map(({ bytes }) => Buffer.from(bytes));
    const fresh = writable();
    const registers = [...at.stepper.registers.words];
    setUp(at, SCENARIOS.fgraphLeaf);
    stepTo(at, at.kernel.roles.threadDone);
    const used = writable();
    expect(used.some((bytes, i) => Buffer.compare(bytes, fresh[i] ?? bytes) !== 0)).toBe(true);
    at.reset();
    for (const [i, bytes] of writable().entries()) {
      expect(Buffer.compare(bytes, fresh[i] ?? Buffer.alloc(0))).toBe(0);
    }
    at.stepper.readAll();
    // An engine that has not run has PSTATE as it comes up, and the rest 0.
    for (let i = 0; i < REGISTER_COUNT; i++) {
      if (i !== Reg.PSTATE) expect(at.stepper.registers.words[2 * i]).toBe(registers[2 * i]);
    }
  });

  it('patches code for all three engines, which may have executed it before', () => {
    const at = create();
    const { kernel, memory, runner, stepper, returner } = at;
    // A leaf of the guest, behind its landing pad: a return becomes an increment and a return.
    const fn = (at.symbols.byName('__kw_warn')?.address ?? 0) + 4;
    const original = memory.readWord(fn) ?? 0;
    expect(original).toBe(A64.ret);
    const results = (): number[] =>
      [stepper, returner].map((cpu) => {
        cpu.registers.set(Reg.X0, 100);
        cpu.registers.set(Reg.X30, kernel.roles.walkRequest);
        cpu.registers.set(Reg.PC, fn);
        cpu.registers.set(Reg.PSTATE, Pstate.EL1H);
        cpu.writeBack();
        cpu.step();
        return cpu.registers.get(Reg.X0);
      });
    const free = (): number => {
      const { registers } = stepper;
      registers.set(Reg.X0, 100);
      registers.set(Reg.PC, fn);
      runner.write(registers, RegisterSet.ALL);
      // The walk request, to which it returns, is a stop.
      expect(runner.run(fn)).toBe(0);
      runner.read(registers, RegisterSet.ALL);
      return registers.get(Reg.X0);
    };
    expect([...results(), free()]).toEqual([100, 100, 100]);
    const next = memory.readWord(fn + 4) ?? 0;
    at.patchCode([
      { address: fn, word: A64['add x0, x0, #1'] },
      { address: fn + 4, word: A64.ret },
    ]);
    expect([...results(), free()]).toEqual([101, 101, 101]);
    at.patchCode([
      { address: fn, word: original },
      { address: fn + 4, word: next },
    ]);
    expect([...results(), free()]).toEqual([100, 100, 100]);
  });

  it('puts a stop into the running copy of patched code as well', () => {
    const at = create();
    const fn = at.symbols.byName('__kw_warn')?.address ?? 0;
    at.patchCode([{ address: fn, word: A64.eret }]);
    const region = at.memory.regionAt(fn);
    const run = Buffer.from(region?.runBytes ?? []);
    expect(run.readUInt32LE(fn - (region?.low ?? 0))).toBe(WFI);
    expect(classify(at.memory.readWord(fn) ?? 0)).toBe(InstructionClass.ERET);
  });

  it('starts a thread as copy_thread() leaves one', () => {
    const at = create();
    const { roles } = at.kernel;
    at.startThread(roles.initTask, 0x1000, 0x1128, 0x2000, 0x3000);
    at.stepper.readAll();
    const { registers } = at.stepper;
    expect(at.stepper.pc).toBe(roles.retFromFork);
    const named = [Reg.X19, Reg.X20, Reg.X29, Reg.X30, Reg.SP, Reg.PSTATE, Reg.SP_EL0];
    expect(named.map((index) => registers.get(index))).toEqual([
      0x2000,
      0x3000,
      0x1128,
      0,
      0x1000,
      Pstate.EL1H,
      roles.initTask,
    ]);
    // The rest are told apart by their values.
    const rest = Array.from({ length: 29 }, (_, i) => registers.get(i));
    expect(new Set(rest).size).toBe(29);
  });

  it('reaches a traced function through an enabled patch site', () => {
    const at = create();
    setUp(at, SCENARIOS.fgraphLeaf);
    const leaf = at.symbols.byName('fgraph_leaf')?.address ?? 0;
    const tracer = at.symbols.byName('ftrace_caller')?.address ?? 0;
    const words = [0, 4, 8].map((offset) => at.memory.readWord(leaf + offset));
    const site = words.indexOf(A64['mov x9, x30']);
    expect(site).toBeGreaterThanOrEqual(0);
    expect(words[site + 1]).toBe(branchAndLink(tracer - (leaf + 4 * site + 4)));
    stepTo(at, leaf);
    stepTo(at, tracer);
  });
});
