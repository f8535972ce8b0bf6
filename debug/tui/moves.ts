/**
 * The moves of a debugger, in both directions, as stop tests of the timeline. Ground truth tells
 * what is a call or a return, including exceptions: a step calls when it pushes an entry there, and
 * returns when it pops one.
 */
import type { Address } from '../../base/address.js';
import { classify, InstructionClass } from '../../aarch64/instruction.js';
import type { Stop, StopTest } from '../stop.js';
import type { Timeline } from '../timeline.js';

/** Which way in time. */
export type Direction = 'forward' | 'back';

/** A step that has been made, and the test to run on to, if any. */
export interface Move {
  readonly stop: Stop;
  readonly rest: StopTest | undefined;
}

/** One step. */
export function oneStep(line: Timeline, direction: Direction): Stop {
  return direction === 'forward' ? line.step() : line.stepBack();
}

/**
 * Step over: make one step, and if that entered a call or an exception, go on until it has
 * returned. Backwards: if the step that is undone was a return, go back to the call.
 */
export function stepOver(line: Timeline, direction: Direction): Move {
  const { currentTask, current } = line.truth;
  const { depth } = current;
  const stop = oneStep(line, direction);
  const entered = line.truth.currentTask === currentTask && line.truth.current.depth > depth;
  if (!entered) return { stop, rest: undefined };
  return { stop, rest: { here: () => isAt(line, currentTask, depth) } };
}

/**
 * Stops where the innermost pending call or exception has returned; backwards, at the instruction
 * that made it. Undefined when none is pending.
 */
export function leaveFrame(line: Timeline): StopTest | undefined {
  const { currentTask, current } = line.truth;
  const { depth } = current;
  return depth === 0 ? undefined : { here: () => isAt(line, currentTask, depth - 1) };
}

function isAt({ truth }: Timeline, task: Address, depth: number): boolean {
  return truth.currentTask === task && truth.current.depth <= depth;
}

/** Stops at an instruction that calls. */
export function atCall(line: Timeline): StopTest {
  const { memory } = line.machine;
  return {
    here: () => {
      const kind = classify(memory.readWord(line.pc) ?? 0);
      return kind === InstructionClass.BL || kind === InstructionClass.BLR;
    },
  };
}

/** Stops at an address. */
export function atAddress(line: Timeline, address: Address): StopTest {
  return { here: () => line.pc === address };
}
