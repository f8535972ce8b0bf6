/** The dispatcher of return-address recovery, and where x30 takes over from the return stack. */

import { describe, expect, it } from 'vitest';
import { type GraphReturnStack } from '../../unwinder/graph-return-stack.js';
import { type KretprobeInstances } from '../../unwinder/kretprobe-instances.js';
import { POLICIES } from '../../unwinder/policies/all.js';
import { type PolicyName } from '../../unwinder/policy.js';
import { recoverReturnAddress } from '../../unwinder/walk-recovery.js';
import {
  GRAPH_UNRECOVERED,
  KRETPROBE_UNRECOVERED,
  SOURCE_FRAME,
  SOURCE_REGS_PC,
  STEP_OK,
  WARN_GRAPH_UNRECOVERED,
} from '../../unwinder/walk-reason.js';
import { HOW_GRAPH, HOW_KRETPROBE } from '../../unwinder/walk-result.js';
import { FP, PC, WalkState } from '../../unwinder/walk-state.js';
import { emptyRule } from '../../unwinder/unwind-rule.js';
import { RuleSet } from '../../unwinder/rule-set.js';
import {
  ALL,
  ENTRY,
  FINAL,
  Guest,
  type Interrupted,
  KRETPROBE_TRAMPOLINE as T,
  RETURN_TO_HANDLER as R,
  interrupted,
  on,
  text,
} from './kunwind-fixture.js';

const OLDER = T + 0x400;
const A = text(0x1004);
const B = text(0x2004);
const F = on('task', 0x3000);
const SIZE = 60;
const POPPED = R + 56;
const FIRST_BYTE: readonly PolicyName[] = [
  'frame-pointer',
  'sframe-v5',
  'sframe-v6',
  'sframe-strict',
];
const ANY_BYTE: readonly PolicyName[] = ['fgraph-detect', 'fgraph-recover'];

describe('the dispatcher', () => {
  interface Options {
    readonly pc: number;
    readonly entries?: readonly (readonly [ret: number, retp: number])[];
    /** No return stack at all. */
    readonly untraced?: boolean;
    readonly instances?: readonly (readonly [ret: number, fp: number])[];
    readonly fromRegs?: boolean;
    readonly isCurrent?: boolean;
  }

  function recover(policy: PolicyName, options: Options) {
    const { pc, entries = [], instances = [], untraced = false, fromRegs = false } = options;
    const rules = new RuleSet();
    rules.intern(emptyRule());
    const state = new WalkState({
      stacks: [],
      rules: { ...rules.seal(), find: () => -1 },
      returnToHandler: { low: R, high: R + SIZE, popped: POPPED },
      kretprobeTrampolines: [T, OLDER],
    });
    const graph: GraphReturnStack = {
      depth: () => (untraced ? -1 : entries.length),
      ret: (i) => entries[i]?.[0] ?? NaN,
      retp: (i) => entries[i]?.[1] ?? NaN,
    };
    const kretprobes: KretprobeInstances = {
      count: () => instances.length,
      ret: (i) => instances[i]?.[0] ?? NaN,
      fp: (i) => instances[i]?.[1] ?? NaN,
    };
    const { isCurrent = true } = options;
    const task = { isCurrent, inNmi: false, finalRecord: FINAL, graph, kretprobes };
    state.at[PC] = pc;
    state.at[FP] = F;
    state.how = 0;
    state.source = fromRegs ? SOURCE_REGS_PC : SOURCE_FRAME;
    state.regsIndex = fromRegs ? 0 : -1;
    const answer = recoverReturnAddress(state, task, POLICIES[policy]);
    const { mark, warned, source, regsIndex, how } = state;
    return { answer, pc: state.at[PC], mark, warned, source, regsIndex, how };
  }

  it.each(ALL)('%s leaves an ordinary address alone, whatever the tracers keep', (policy) => {
    for (const pc of [A, R - 4, R + SIZE, T - 4, T + 4, OLDER + 4]) {
      expect(recover(policy, { pc, entries: [[B, F]], instances: [[B, F]] })).toEqual({
        answer: STEP_OK,
        pc,
        mark: 0,
        warned: 0,
        source: SOURCE_FRAME,
        regsIndex: -1,
        how: 0,
      });
    }
  });

  it.each(ALL)('%s undoes function graph, then a kretprobe, of either style', (policy) => {
    const graph = { pc: R, entries: [[A, F]] as const };
    expect(recover(policy, graph)).toMatchObject({ answer: STEP_OK, pc: A, how: HOW_GRAPH });
    for (const trampoline of [T, OLDER]) {
      const both = { pc: R, entries: [[trampoline, F]] as const, instances: [[A, F]] as const };
      expect(recover(policy, both)).toMatchObject({
        answer: STEP_OK,
        pc: A,
        how: HOW_GRAPH | HOW_KRETPROBE,
        mark: 0,
      });
    }
  });

  it.each(ALL)('%s gives up on a kretprobe that is not listed', (policy) => {
    const answer = KRETPROBE_UNRECOVERED;
    expect(recover(policy, { pc: T, instances: [[A, F + 16]] })).toMatchObject({ answer, pc: T });
  });

  it.each(ALL)(
    '%s gives up on return_to_handler without an entry, and WARNs of current',
    (policy) => {
      for (const isCurrent of [true, false]) {
        expect(recover(policy, { pc: R, entries: [[A, F + 16]], isCurrent })).toMatchObject({
          answer: GRAPH_UNRECOVERED,
          pc: R,
          mark: 0,
          warned: isCurrent ? WARN_GRAPH_UNRECOVERED : 0,
        });
      }
    },
  );

  it.each(FIRST_BYTE)('%s knows the first byte of return_to_handler only', (policy) => {
    const entries = [[A, F]] as const;
    expect(recover(policy, { pc: R + 4, entries })).toMatchObject({ pc: R + 4, how: 0, mark: 0 });
    expect(recover(policy, { pc: R, untraced: true })).toMatchObject({ pc: R, mark: 0 });
    const order = recover(policy, { pc: T, instances: [[R, F]] });
    expect(order).toMatchObject({ answer: STEP_OK, pc: R, mark: 0 });
    const fromRegs = recover(policy, { pc: R, entries, fromRegs: true });
    expect(fromRegs).toMatchObject({ pc: A, source: SOURCE_REGS_PC, regsIndex: 0 });
  });

  it.each(ANY_BYTE)('%s knows every byte up to the store that pops the entry', (policy) => {
    for (let pc = R; pc < POPPED; pc += 4) {
      expect(recover(policy, { pc, entries: [[A, F]] })).toMatchObject({ pc: A, mark: 0 });
    }
  });

  it.each(ANY_BYTE)('%s marks what it cannot place, and goes on', (policy) => {
    const mark = GRAPH_UNRECOVERED;
    const answer = STEP_OK;
    const none = recover(policy, { pc: R + 4, entries: [[A, F + 16]] });
    expect(none).toMatchObject({ answer, mark, pc: R + 4, warned: 0 });
    expect(recover(policy, { pc: R, untraced: true })).toMatchObject({ answer, mark, pc: R });
    expect(recover(policy, { pc: T, instances: [[R + 4, F]] })).toMatchObject({ answer, mark });
    expect(recover(policy, { pc: T, instances: [[R + SIZE, F]] })).toMatchObject({
      answer,
      mark: 0,
    });
  });

  it.each(ANY_BYTE)('%s is a caller from there on, not an interrupted function', (policy) => {
    const found = recover(policy, { pc: R + 8, entries: [[A, F]], fromRegs: true });
    expect(found).toMatchObject({ pc: A, source: SOURCE_FRAME, regsIndex: -1 });
  });
});

describe('return_to_handler_popped', () => {
  /** Interrupted `pc`, with the row that the label's code has and x30 as given. */
  function at(pc: number, lr: number, popped: number | undefined = POPPED): Interrupted {
    const made = interrupted({ pc, lr });
    made.guest.popped = popped;
    made.guest.sframe(POPPED, {});
    return made;
  }

  it('hands over to x30: the entry is gone, and the walk is right', () => {
    const { guest, handler, caller, outer } = at(POPPED, text(0x2020));
    guest.graph();
    expect(guest.walk('fgraph-recover')).toMatchObject({
      trace: [handler, ENTRY, POPPED, caller, outer],
      status: 'none',
      sources: ['caller', 'frame', 'regs-pc', 'regs-lr', 'frame'],
    });
    expect(guest.walk('fgraph-detect')).toMatchObject({ status: 'graph-unrecovered' });
  });

  it('asks the return stack no more: an older entry of that frame belongs to another function', () => {
    const { guest, handler, caller, outer } = at(POPPED, text(0x2020));
    guest.graph([text(0x7004), F]);
    expect(guest.walk('fgraph-recover').trace).toEqual([handler, ENTRY, POPPED, caller, outer]);
    expect(guest.walk('fgraph-detect').trace).toEqual([handler, ENTRY, text(0x7004), outer]);
  });

  it('finds the entry of a tail-caller when x30 is the trampoline once more', () => {
    const { guest, handler, outer } = at(POPPED, R);
    guest.graph([A, F]);
    expect(guest.walk('fgraph-recover')).toMatchObject({
      trace: [handler, ENTRY, POPPED, A, outer],
      status: 'none',
    });
  });

  it('still asks the return stack one instruction earlier, whatever is in x30', () => {
    const { guest, handler, outer } = at(POPPED - 4, text(0x6060));
    guest.graph([A, F]);
    expect(guest.walk('fgraph-recover')).toMatchObject({
      trace: [handler, ENTRY, A, outer],
      status: 'none',
    });
    guest.graph();
    expect(guest.walk('fgraph-recover')).toMatchObject({ status: 'graph-unrecovered' });
  });

  it('has no x30 to go by in a frame record: the walk is unreliable', () => {
    const guest = new Guest();
    guest.popped = POPPED;
    guest.record(F, FINAL, B);
    guest.start.fromCaller(text(0x3004), guest.record(on('task', 0x2f80), F, POPPED), 0);
    guest.graph([A, F]);
    expect(guest.walk('fgraph-recover')).toMatchObject({
      status: 'graph-unrecovered',
      warned: 'none',
    });
  });

  it('is nowhere in a kernel without the label: fgraph-recover is fgraph-detect', () => {
    const { guest } = at(POPPED, text(0x2020));
    guest.popped = undefined;
    guest.graph();
    expect(guest.walk('fgraph-recover')).toEqual(guest.walk('fgraph-detect'));
    expect(guest.walk('fgraph-recover').status).toBe('graph-unrecovered');
  });
});
