/** Ground truth over code assembled by hand, whose pending returns can be told by looking at it. */
import { describe, expect, it } from 'vitest';
import { Reg } from '../../emulator/registers.js';
import type * as TruthModule from '../../kernel-model/ground-truth.js';
import { EntryKind, type GroundTruth, ShadowStack } from '../../kernel-model/ground-truth.js';
import { type A64Text, branch, branchAndLink } from '../assembled.js';
import { closeCpus, CODE, DATA, STACK_TOP } from '../cpu-fixture.js';
import { PackageCopy } from '../defects/package-copy.js';
import { withSourceEdit } from '../defects/planted.js';
import type { SourceEdit } from '../defects/source-edit.js';
import { TRUTH_EDITS } from '../defects/source-edits.js';
import { Recorded, TASK } from './recorded-cpu.js';

closeCpus();

const OTHER_TASK = DATA + 0x1000;

describe('calls and returns', () => {
  it('BL pushes the address after it, RET there pops it', () => {
    const run = new Recorded([branchAndLink(12), 'nop', 'nop', 'ret']);
    expect(run.pending).toEqual([]);
    expect(run.step().pending).toEqual([1]);
    expect(run.step().pending).toEqual([]);
    expect(run.at).toBe(1);
  });

  it('BLR does the same, and calls nest', () => {
    const run = new Recorded([
      'blr x1', // 0
      'nop',
      'mov x9, x30', // 2: outer
      branchAndLink(16),
      'mov x30, x9',
      'ret',
      'nop',
      'ret', // 7: inner
    ]).set({ [Reg.X1]: CODE + 8 });
    expect(run.step().pending).toEqual([1]);
    expect(run.steps(2).pending).toEqual([4, 1]);
    expect(run.step().pending).toEqual([1]);
    expect(run.at).toBe(4);
    expect(run.steps(2).pending).toEqual([]);
  });

  it('a tail call by B keeps the caller and no more', () => {
    const run = new Recorded([branchAndLink(8), 'nop', branch(8), 'nop', 'ret']);
    expect(run.step().pending).toEqual([1]);
    expect(run.step().pending).toEqual([1]);
    expect(run.at).toBe(4);
    expect(run.step().pending).toEqual([]);
  });

  it('a tail call by BR does too', () => {
    const run = new Recorded([branchAndLink(8), 'nop', 'br x16', 'nop', 'ret']);
    run.set({ [Reg.X16]: CODE + 16 });
    expect(run.steps(2).pending).toEqual([1]);
    expect(run.at).toBe(4);
    expect(run.step().pending).toEqual([]);
  });

  it('a return by BR pops, and so does one through another register', () => {
    const byBranch = new Recorded([branchAndLink(8), 'nop', 'br x16']).set({ [Reg.X16]: CODE + 4 });
    expect(byBranch.steps(2).pending).toEqual([]);
    const byX9 = new Recorded([branchAndLink(8), 'nop', 'mov x9, x30', 'ret x9']);
    expect(byX9.steps(3).pending).toEqual([]);
  });

  it('RETAA pops as RET does', () => {
    const run = new Recorded([branchAndLink(8), 'nop', 'paciasp', 'retaa']);
    expect(run.steps(2).pending).toEqual([1]);
    expect(run.step().pending).toEqual([]);
  });

  it('recursion is told apart by SP', () => {
    // f: push x29, x30; count down in x0; call itself twice more; unwind.
    const run = new Recorded([
      branchAndLink(8),
      'nop',
      'stp x29, x30, [sp, #-0x10]!', // 2: f
      'sub x0, x0, #1',
      0xb4000040, // cbz x0, 6
      branchAndLink(-12),
      'ldp x29, x30, [sp], #0x10', // 6
      'ret',
    ]).set({ [Reg.X0]: 3 });
    run.steps(1 + 4 + 4 + 3);
    expect(run.pending).toEqual([6, 6, 1]);
    expect(run.at).toBe(6);
    // The PC has been at the pending address with another SP: only the return counts.
    expect(run.steps(2).pending).toEqual([6, 1]);
    expect(run.steps(2).pending).toEqual([1]);
    expect(run.steps(2).pending).toEqual([]);
  });

  it('arriving with another SP is no return', () => {
    const run = new Recorded([branchAndLink(8), 'nop', 'sub sp, sp, #0x140', 'ret']);
    expect(run.steps(3).pending).toEqual([1]);
    expect(run.at).toBe(1);
  });

  it('a return into a trampoline leaves the entry pending until control is there', () => {
    const run = new Recorded([
      branchAndLink(8),
      'nop', // 1: where the call returns to
      'mov x30, x9', // 2: the callee, whose return address is rewritten
      'ret',
      'sub sp, sp, #0x140', // 4: the trampoline
      branchAndLink(24),
      'add sp, sp, #0x140',
      'mov x30, x9',
      'br x16', // 8: back
      'nop',
      'nop',
      'ret', // 11: the trampoline's callee
    ]).set({ 9: CODE + 16, [Reg.X16]: CODE + 4 });
    expect(run.steps(2).pending).toEqual([1]);
    expect(run.step().pending).toEqual([1]);
    expect(run.at).toBe(4);
    expect(run.steps(2).pending).toEqual([6, 1]);
    expect(run.step().pending).toEqual([1]);
    expect(run.steps(2).pending).toEqual([1]);
    expect(run.step().pending).toEqual([]);
    expect(run.at).toBe(1);
  });
});

describe('tasks', () => {
  it('have a stack each, switched by MSR SP_EL0', () => {
    const run = new Recorded([
      branchAndLink(8),
      'nop',
      'msr sp_el0, x0', // 2
      branchAndLink(8),
      'nop',
      'mov x9, x30', // 5
      0xd5184101, // msr sp_el0, x1
      'br x16',
    ]).set({ [Reg.X0]: OTHER_TASK, [Reg.X1]: TASK, [Reg.X16]: CODE + 4 });
    expect(run.step().pending).toEqual([1]);
    expect(run.step().pending).toEqual([]);
    expect(run.truth.currentTask).toBe(OTHER_TASK);
    expect(run.step().pending).toEqual([4]);
    expect(run.truth.ofTask(TASK).depth).toBe(1);
    expect(run.steps(2).pending).toEqual([1]);
    expect(run.truth.currentTask).toBe(TASK);
    expect(run.truth.ofTask(OTHER_TASK).addresses[0]).toBe(CODE + 16);
    expect(run.step().pending).toEqual([]);
  });

  it('take XZR for no task', () => {
    const run = new Recorded(['msr sp_el0, xzr']).set({ 31: STACK_TOP });
    run.step();
    expect(run.truth.currentTask).toBe(0);
    expect(run.truth.ofTask(0)).toBe(run.truth.current);
    expect(run.truth.ofTask(TASK).depth).toBe(0);
  });
});

describe('a planted mistake in the record shows', () => {
  const copy = new PackageCopy();
  const planted = async (edit: SourceEdit): Promise<typeof GroundTruth> => {
    const module = await withSourceEdit(copy, edit, () =>
      copy.import<typeof TruthModule>('kernel-model/ground-truth.ts'),
    );
    return module.GroundTruth;
  };
  const cases: [keyof typeof TRUTH_EDITS, (A64Text | number)[], number[]][] = [
    ['call-not-recorded', [branchAndLink(8), 'nop', 'nop', 'nop', 'nop', 'nop'], []],
    ['tail-call-pops', [branchAndLink(8), 'nop', 'br x16', 'nop', 'nop', 'nop'], []],
  ];
  it.each(cases)('%s', async (defect, code, wrong) => {
    const registers = { [Reg.X16]: CODE + 16 };
    const Wrong = await planted(TRUTH_EDITS[defect]);
    expect(new Recorded(code).set(registers).steps(2).pending).toEqual([1]);
    expect(new Recorded(code, [], Wrong).set(registers).steps(2).pending).toEqual(wrong);
  });

  it('eret-not-recorded', async () => {
    const Wrong = await planted(TRUTH_EDITS['eret-not-recorded']);
    expect(new Recorded(['nop', 'nop'], ['eret'], Wrong).take().step().pending).toEqual([0]);
  });
});

describe('ShadowStack', () => {
  it('says when it is full instead of forgetting quietly', () => {
    const stack = new ShadowStack();
    for (let i = 0; i < 4096; i++) stack.push(i, 0, EntryKind.CALL);
    expect([stack.depth, stack.overflowed]).toEqual([4096, false]);
    stack.push(1, 0, EntryKind.CALL);
    expect([stack.depth, stack.overflowed]).toEqual([4096, true]);
  });

  it('copies another one', () => {
    const [from, to] = [new ShadowStack(), new ShadowStack()];
    from.push(CODE, STACK_TOP, EntryKind.CALL);
    from.push(CODE + 4, STACK_TOP - 16, EntryKind.EXCEPTION);
    to.push(1, 2, EntryKind.CALL);
    to.copyFrom(from);
    from.leaveException();
    expect([from.depth, to.depth]).toEqual([1, 2]);
    expect([...to.addresses.subarray(0, 2)]).toEqual([CODE, CODE + 4]);
    expect([...to.sps.subarray(0, 2)]).toEqual([STACK_TOP, STACK_TOP - 16]);
    expect([...to.kinds.subarray(0, 2)]).toEqual([EntryKind.CALL, EntryKind.EXCEPTION]);
    to.arrive(CODE + 4, STACK_TOP - 16);
    expect(to.depth).toBe(2);
    to.leaveException();
    to.arrive(CODE, STACK_TOP);
    expect(to.depth).toBe(0);
    to.arrive(CODE, STACK_TOP);
    to.leaveException();
    expect(to.depth).toBe(0);
  });
});
