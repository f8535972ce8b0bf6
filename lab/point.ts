/**
 * Naming a point: `INDEX:KIND`, the dynamic instruction of the scenario (0 is the first of its entry
 * function) and the exception taken before it; at depth 2 `INDEX:KIND/INDEX:KIND`, the second pair
 * being an instruction of the first exception's entry, handler or exit code (0 is the vector's first).
 */
import { KIND_NAMES } from '../kernel-model/exception-kind.js';

/** One stop. */
export interface Point {
  /** Dynamic instruction of the scenario, from 0. */
  readonly index: number;
  /** Index of the kind in `KIND_NAMES`. */
  readonly kind: number;
  /** At depth 2: the same, inside the handling of the first exception. */
  readonly inner?: { readonly index: number; readonly kind: number };
}

/** `12:irq` or `12:irq/40:nmi`. */
export function formatPoint(point: Point): string {
  const outer = formatStop(point.index, point.kind);
  return point.inner === undefined
    ? outer
    : `${outer}/${formatStop(point.inner.index, point.inner.kind)}`;
}

function formatStop(index: number, kind: number): string {
  return `${index}:${KIND_NAMES[kind] ?? '?'}`;
}

/** The point of that name, or undefined when `text` names none. */
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
