/** Names a function of a real kernel on the command line, and what is traced while it runs. */
import type { RealTracer, Tracing } from '../scenarios/scenario.js';

/** A function to call. Its name, and those of traced functions, may be patterns. */
export interface NamedFunction {
  readonly entry: string;
  readonly tracing?: Tracing;
}

const TRACERS: readonly RealTracer[] = ['fgraph', 'kretprobe'];

/**
 * Parse `NAME`, `TRACER:NAME` or `TRACER:NAMES@CALLER`. The second form calls NAME and traces it; the third
 * calls CALLER and traces the functions that NAMES matches.
 */
export function parseFunction(text: string): NamedFunction {
  const by = TRACERS.find((tracer) => text.startsWith(`${tracer}:`));
  if (by === undefined) return { entry: text };
  const [functions = '', ...caller] = text.slice(by.length + 1).split('@');
  return caller.length === 0
    ? { entry: functions, tracing: { by } }
    : { entry: caller.join('@'), tracing: { by, functions } };
}

/** The text from which {@link parseFunction} makes this function. */
export function formatFunction({ entry, tracing }: NamedFunction): string {
  if (tracing === undefined) return entry;
  const { by, functions } = tracing;
  return functions === undefined ? `${by}:${entry}` : `${by}:${functions}@${entry}`;
}
