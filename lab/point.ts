/**
 * The names of points. `INDEX:KIND` is an instruction, counted as executed from the first of the
 * scenario's entry function, which is 0, and the exception that is taken before it. At depth 2 the form
 * is `INDEX:KIND/INDEX:KIND`. The second pair is in the code of the first exception, counted from the
 * first instruction of its vector.
 */
import { KIND_NAMES } from '../kernel-model/exception-kind.js';

/** One stop: before which instruction, and with which exception. */
export interface Point {
  /** Index of the scenario's instruction, as executed, from 0. */
  readonly index: number;
  /** Index of the kind in `KIND_NAMES`. */
  readonly kind: number;
  /** At depth 2: the stop in the entry, handler or exit code of the first exception. */
  readonly inner?: { readonly index: number; readonly kind: number };
}

/** The name of a point, such as `12:irq` or `12:irq/40:nmi`. */
export function formatPoint(point: Point): string {
  const outer = formatStop(point.index, point.kind);
  return point.inner === undefined
    ? outer
    : `${outer}/${formatStop(point.inner.index, point.inner.kind)}`;
}

function formatStop(index: number, kind: number): string {
  return `${index}:${KIND_NAMES[kind] ?? '?'}`;
}

/** The point that `text` names, or undefined when it is no name. The point may not exist. */
export function parsePoint(text: string): Point | undefined {
  const [outer, inner, ...rest] = text.split('/').map(parseStop);
  if (outer === undefined || rest.length > 0) return undefined;
  if (!text.includes('/')) return outer;
  return inner === undefined ? undefined : { ...outer, inner };
}

function parseStop(text: string): { index: number; kind: number } | undefined {
  const match = /^(\d{1,9}):([a-z]+)$/.exec(text);
  if (match === null) return undefined;
  const kind = KIND_NAMES.findIndex((name) => name === match[2]);
  return kind < 0 ? undefined : { index: Number(match[1]), kind };
}
