/** Goes to a point of the sweep on a timeline. */
import { plural } from '../base/number-text.js';
import { KIND_NAMES } from '../kernel-model/exception-kind.js';
import type { Point } from '../lab/point.js';
import type { Timeline } from './timeline.js';

/**
 * Go to a dynamic instruction of the scenario, taking no exception.
 * @returns why it does not exist, in one line; undefined when it does
 */
export function goToInstruction(line: Timeline, index: number): string | undefined {
  line.goTo(0);
  const reached = (): boolean => line.place.index === index;
  const stop = reached() ? undefined : line.run({ here: reached });
  if (stop === undefined || stop.reason === 'hit') return undefined;
  if (stop.detail !== '') return stop.detail;
  return `${line.scenario.name} executes ${plural(countInstructions(line), 'instruction')}: there is no instruction ${index}`;
}

/** Count the instructions of the scenario. Leaves the timeline at its end. */
function countInstructions(line: Timeline): number {
  line.goTo(0);
  let count = 0;
  line.run({
    here: () => {
      if (line.place.index !== undefined) count = line.place.index + 1;
      return false;
    },
  });
  return count;
}

/**
 * Go to the instruction before which a point's exception is taken. At depth 2, the outer exception
 * is taken and its code is executed up to the inner instruction.
 * @returns why it does not exist, in one line; undefined when it does
 */
export function goToPoint(line: Timeline, { index, kind, inner }: Point): string | undefined {
  const missing = goToInstruction(line, index);
  if (missing !== undefined) return missing;
  const name = line.scenario.name;
  if (inner === undefined) {
    return (line.possibleKinds() & (1 << kind)) === 0
      ? `${name}: no ${KIND_NAMES[kind] ?? '?'} is possible at instruction ${index}`
      : undefined;
  }
  const taken = line.interrupt(kind);
  if (taken.reason !== 'moved') {
    return `${name}: no ${KIND_NAMES[kind] ?? '?'} is possible at instruction ${index}`;
  }
  for (let i = 0; i < inner.index; i++) {
    const stop = line.step();
    if (stop.detail !== '') return stop.detail;
    if (line.place.levels.length === 0) {
      return `${name}: the ${KIND_NAMES[kind] ?? '?'} at instruction ${index} returns after ${plural(i + 1, 'instruction')}: there is no inner ${inner.index}`;
    }
  }
  return (line.possibleKinds() & (1 << inner.kind)) === 0
    ? `${name}: no ${KIND_NAMES[inner.kind] ?? '?'} is possible at that inner instruction`
    : undefined;
}
