/** Why a log cannot be used as a log of the suite `reliable_stacktrace`. */
import { describeKtapError, type KtapError } from './ktap-error.js';

export type SuiteLogError =
  | { readonly kind: 'ktap'; readonly line: number; readonly error: KtapError }
  | { readonly kind: 'unreadable'; readonly line: 0; readonly reason: string }
  /** Complete KTAP, of other suites. */
  | { readonly kind: 'other-suite'; readonly line: number; readonly found: readonly string[] }
  | { readonly kind: 'repeated-suite'; readonly line: number; readonly first: number }
  | { readonly kind: 'unknown-case'; readonly line: number; readonly name: string }
  | { readonly kind: 'repeated-case'; readonly line: number; readonly name: string }
  /** A printed walk has missing or misordered entries. */
  | {
      readonly kind: 'incomplete-trace';
      readonly line: number;
      readonly name: string;
      readonly listed: number;
      readonly length: number;
    }
  /** A walk is marked unreliable, but its length is not negative; or the other way round. */
  | { readonly kind: 'contradictory-walk'; readonly line: number; readonly name: string }
  /** A printed summary differs from the sum of the results. */
  | {
      readonly kind: 'wrong-totals';
      readonly line: number;
      readonly printed: string;
      readonly counted: string;
    };

/** One line: file, line number, and what is wrong. */
export function describeSuiteLogError(path: string, error: SuiteLogError): string {
  const place = error.line > 0 ? `${path}:${error.line}` : path;
  return `${place}: ${explain(error)}`;
}

function explain(error: SuiteLogError): string {
  switch (error.kind) {
    case 'ktap':
      return describeKtapError(error.error);
    case 'unreadable':
      return error.reason;
    case 'other-suite':
      return `a log of ${error.found.join(', ') || 'no suite'}, not of reliable_stacktrace`;
    case 'repeated-suite':
      return `reliable_stacktrace appears a second time (first at line ${error.first})`;
    case 'unknown-case':
      return `reliable_stacktrace has no case ${error.name}`;
    case 'repeated-case':
      return `second result of ${error.name}`;
    case 'incomplete-trace':
      return `${error.name}: ${error.listed} entries of a walk of ${error.length}`;
    case 'contradictory-walk':
      return `${error.name}: the walk's length contradicts its mark`;
    case 'wrong-totals':
      return `the log says ${error.printed}, but its results add up to ${error.counted}`;
  }
}
