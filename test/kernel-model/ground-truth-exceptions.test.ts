/** Ground truth across exceptions, in code assembled by hand. */
import { describe, expect, it } from 'vitest';
import { Reg } from '../../emulator/registers.js';
import { EntryKind } from '../../kernel-model/ground-truth.js';
import { branchAndLink } from '../assembled.js';
import { closeCpus, CODE, STACK_TOP } from '../cpu-fixture.js';
import { Recorded, VECTOR_AT } from './recorded-cpu.js';

closeCpus();

describe('exceptions', () => {
  it('push the interrupted PC, and ERET pops it', () => {
    const run = new Recorded([branchAndLink(8), 'nop', 'nop', 'ret'], ['nop', 'eret']);
    run.step().take();
    expect(run.pending).toEqual([2, 1]);
    const { kinds, depth } = run.truth.current;
    expect(kinds[depth - 1]).toBe(EntryKind.EXCEPTION);
    expect(run.step().pending).toEqual([2, 1]);
    expect(run.step().pending).toEqual([1]);
    expect(run.at).toBe(2);
    expect(run.steps(2).pending).toEqual([]);
  });

  it('never end by a plain return to the interrupted PC', () => {
    const run = new Recorded(['nop', 'nop'], ['br x16']).set({ [Reg.X16]: CODE });
    run.take();
    expect(run.step().at).toBe(0);
    expect(run.pending).toEqual([0]);
  });

  it('take with them what the handler still had pending', () => {
    const run = new Recorded(['nop', 'nop'], [branchAndLink(8), 'nop', 'eret']);
    run.take();
    expect(run.step().pending).toEqual([VECTOR_AT + 1, 0]);
    expect(run.step().pending).toEqual([]);
  });

  it('end wherever ERET goes', () => {
    const run = new Recorded(['nop', 'nop', 'nop', 'nop'], ['msr elr_el1, x0', 'eret']);
    run.set({ [Reg.X0]: CODE + 12 }).take();
    expect(run.steps(2).pending).toEqual([]);
    expect(run.at).toBe(3);
  });

  it('that return to a pending return address end that call as well, as a kretprobe does', () => {
    const msrElrX30 = 0xd518403e;
    const run = new Recorded([branchAndLink(8), 'nop', 'nop', 'ret'], [msrElrX30, 'eret']);
    run.step().take();
    expect(run.pending).toEqual([2, 1]);
    expect(run.steps(2).pending).toEqual([]);
    expect(run.at).toBe(1);
  });

  it('nest', () => {
    const run = new Recorded(['nop', 'nop'], ['nop', 'nop', 'eret']);
    run.take().step().take();
    expect(run.pending).toEqual([VECTOR_AT + 1, 0]);
    expect(run.steps(3).pending).toEqual([0]);
    expect(run.at).toBe(VECTOR_AT + 1);
  });

  it('of firmware end by its word', () => {
    const run = new Recorded([branchAndLink(8), 'nop', 'nop', branchAndLink(8), 'nop', 'nop']);
    run.step();
    run.truth.exceptionTaken(CODE + 8, STACK_TOP);
    expect(run.steps(2).pending).toEqual([4, 2, 1]);
    run.truth.exceptionReturned();
    expect(run.pending).toEqual([1]);
    run.truth.exceptionReturned();
    expect(run.pending).toEqual([1]);
  });
});
