/**
 * Prints KTAP version 1 line by line, nested as the kernel's own runner nests it (lib/kunit/test.c,
 * v7.3-rc7).
 */
import type { KtapDiagnostic, KtapGroup, KtapTest } from './ktap.js';

/** The lines of a document, without newlines. */
export function* ktapLines(group: KtapGroup): Generator<string> {
  const margin = ' '.repeat(group.indent);
  yield `${margin}KTAP version 1`;
  yield* diagnosticLines(group.header);
  if (group.plan !== undefined) yield `${margin}1..${group.plan}`;
  for (const test of group.tests) yield* testLines(test, margin);
  yield* diagnosticLines(group.trailing);
}

function* testLines(test: KtapTest, margin: string): Generator<string> {
  yield* diagnosticLines(test.leading);
  if (test.subtests !== undefined) yield* ktapLines(test.subtests);
  yield* diagnosticLines(test.diagnostics);
  const { directive } = test;
  const after = directive === undefined ? '' : ` # ${directive.kind} ${directive.reason}`.trimEnd();
  yield `${margin}${test.ok ? 'ok' : 'not ok'} ${test.number} ${test.name}${after}`;
}

function* diagnosticLines(diagnostics: readonly KtapDiagnostic[]): Generator<string> {
  for (const { indent, text } of diagnostics) yield `${' '.repeat(indent)}${text}`;
}
