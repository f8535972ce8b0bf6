/** A function of a real kernel as a user names it, and what is traced while it runs. */
import type { RealTracer, Tracing } from '../scenarios/scenario.js';

/** What is called; either name may be a pattern. */
export interface NamedFunction {
  readonly entry: string;
  readonly tracing?: Tracing;
}

const TRACERS: readonly RealTracer[] = ['fgraph', 'kretprobe'];

/**
 * `NAME`; `TRACER:NAME`, which is called and traced; or `TRACER:NAMES@CALLER`, where CALLER is called and what is
 * traced are the functions of those names.
 */
export function parseFunction(text: string): NamedFunction {
  const by = TRACERS.find((tracer) => text.startsWith(`${tracer}:`));
  if (by === undefined) return { entry: text };
  const [functions = '', ...caller] = text.slice(by.length + 1).split('@');
  return caller.length === 0
    ? { entry: functions, tracing: { by } }
    : { entry: caller.join('@'), tracing: { by, functions } };
}

/** As {@link parseFunction} takes it. */
export function formatFunction({ entry, tracing }: NamedFunction): string {
  if (tracing === undefined) return entry;
  const { by, functions } = tracing;
  return functions === undefined ? `${by}:${entry}` : `${by}:${functions}@${entry}`;
}
