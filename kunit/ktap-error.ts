/** Why a text is not complete KTAP. */
import { plural } from '../base/number-text.js';

/** Each kind carries the line that shows it, from 1. */
export type KtapError =
  | { readonly kind: 'no-ktap'; readonly line: number }
  | { readonly kind: 'unsupported-version'; readonly line: number; readonly version: string }
  /** The file ends inside a group. `planned` is undefined when its plan was not reached either. */
  | {
      readonly kind: 'truncated';
      readonly line: number;
      readonly group: string;
      readonly results: number;
      readonly planned: number | undefined;
    }
  /** A group ended with a number of results other than its plan says. */
  | {
      readonly kind: 'plan-mismatch';
      readonly line: number;
      readonly group: string;
      readonly results: number;
      readonly planned: number;
    }
  | { readonly kind: 'repeated-plan'; readonly line: number; readonly group: string }
  /** Results are numbered from 1 without gaps. This one is not the next. */
  | {
      readonly kind: 'out-of-order';
      readonly line: number;
      readonly expected: number;
      readonly found: number;
    }
  /** A result or plan line whose indentation matches no open group. */
  | { readonly kind: 'misplaced'; readonly line: number; readonly text: string }
  /** The name in a group's result differs from its `# Subtest:` line. */
  | {
      readonly kind: 'name-mismatch';
      readonly line: number;
      readonly expected: string;
      readonly found: string;
    };

/** What is wrong, in one line without the file and line number. */
export function describeKtapError(error: KtapError): string {
  switch (error.kind) {
    case 'no-ktap':
      return 'no KTAP: there is no line "KTAP version 1"';
    case 'unsupported-version':
      return `KTAP version ${error.version} is not supported, only version 1`;
    case 'truncated':
      return truncatedText(error);
    case 'plan-mismatch':
      return `${error.group} planned ${plural(error.planned, 'result')} and has ${error.results}`;
    case 'repeated-plan':
      return `second plan of ${error.group}`;
    case 'out-of-order':
      return `result ${error.found} where ${error.expected} was expected`;
    case 'misplaced':
      return `indentation of no open test: ${error.text}`;
    case 'name-mismatch':
      return `result of ${error.found} where ${error.expected} was running`;
  }
}

function truncatedText({ group, results, planned }: KtapError & { kind: 'truncated' }): string {
  if (planned === undefined) return `truncated after ${plural(results, 'result')} of ${group}`;
  return results === planned
    ? `truncated: the result of ${group} itself is missing`
    : `truncated: ${results} of ${plural(planned, 'result')} of ${group}`;
}
