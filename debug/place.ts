/** Where in a scenario a position of the timeline is, in the terms of the sweep's points. */
import { KIND_NAMES } from '../kernel-model/exception-kind.js';

/** An exception that is being handled at a position. */
export interface PlaceLevel {
  /** Index in `KIND_NAMES`. */
  readonly kind: number;
  /** Instruction of its entry, handler or exit code, 0 being the vector's first. */
  readonly index: number;
}

/** A position in the sweep's terms. */
export interface Place {
  /**
   * Dynamic instruction of the scenario, 0 being the first of its entry function. Undefined before
   * that instruction, and after the entry function has returned.
   */
  readonly index: number | undefined;
  /** Exceptions that the user has taken and that have not returned, outermost first. */
  readonly levels: readonly PlaceLevel[];
}

/**
 * A place as text: `12`, `12:irq/40`, `12:irq/40:sdei/3`. The instruction is `-` outside the
 * scenario. With a kind, the text is a point: `12:irq/40:sdei`.
 */
export function formatPlace({ index, levels }: Place, kind?: number): string {
  let text = index === undefined ? '-' : String(index);
  for (const level of levels) text += `:${KIND_NAMES[level.kind] ?? '?'}/${level.index}`;
  return kind === undefined ? text : `${text}:${KIND_NAMES[kind] ?? '?'}`;
}
