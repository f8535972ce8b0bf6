/**
 * The moves of a debugger, in both directions, as stop tests of the timeline. Calls are told by ground
 * truth: what a step pushed or popped there, exceptions included, is what it called or returned from.
 */
import type { Address } from '../../base/address.js';
import { classify, InstructionClass } from '../../aarch64/instruction.js';
import type { Stop, StopTest } from '../stop.js';
import type { Timeline } from '../timeline.js';

/** Which way in time. */
export type Direction = 'forward' | 'back';

/** One step made at once, and what is then to be run for, if anything. */
export interface Move {
  readonly stop: Stop;
  readonly rest: StopTest | undefined;
}

/** One step. */
export function oneStep(line: Timeline, direction: Direction): Stop {
  return direction === 'forward' ? line.step() : line.stepBack();
}

/**
 * Step over: one step, and when that entered a call or an exception, on to where it has returned.
 * Backwards: when the step undone was a return, back to the call.
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
 * Where the innermost pending call or exception has returned; backwards, the instruction that made it.
 * Undefined where none is pending.
 */
export function leaveFrame(line: Timeline): StopTest | undefined {
  const { currentTask, current } = line.truth;
  const { depth } = current;
  return depth === 0 ? undefined : { here: () => isAt(line, currentTask, depth - 1) };
}

function isAt({ truth }: Timeline, task: Address, depth: number): boolean {
  return truth.currentTask === task && truth.current.depth <= depth;
}

/** An instruction that calls. */
export function atCall(line: Timeline): StopTest {
  const { memory } = line.machine;
  return {
    here: () => {
      const kind = classify(memory.readWord(line.pc) ?? 0);
      return kind === InstructionClass.BL || kind === InstructionClass.BLR;
    },
  };
}

/** One address. */
export function atAddress(line: Timeline, address: Address): StopTest {
  return { here: () => line.pc === address };
}
