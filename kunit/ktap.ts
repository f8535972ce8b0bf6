/**
 * KTAP version 1 as data (Documentation/dev-tools/ktap.rst, v7.3-rc7): what ktap-parse.ts reads and
 * ktap-write.ts prints. Every line of a document is kept, so that a log that is read and written
 * again does not change.
 */

/**
 * A line that is neither a plan nor a result: a diagnostic, or what the kernel printed in between.
 */
export interface KtapDiagnostic {
  /** Number of the line in the file, from 1; 0 for one that was not read from a file. */
  readonly line: number;
  /**
   * Spaces before the text. The kernel indents diagnostics of parameters like those of the case.
   */
  readonly indent: number;
  /** The line without its indentation, including its `# ` if it has one. */
  readonly text: string;
}

/** What follows a result after ` # `: `SKIP` and the like. */
export interface KtapDirective {
  readonly kind: string;
  readonly reason: string;
}

/** One result line, and what was printed between the previous result and it. */
export interface KtapTest {
  readonly line: number;
  /** Counts from 1 within a group, without gaps. */
  readonly number: number;
  readonly name: string;
  readonly ok: boolean;
  readonly directive: KtapDirective | undefined;
  /** Printed before the subtests, if there are any. */
  readonly leading: readonly KtapDiagnostic[];
  readonly subtests: KtapGroup | undefined;
  readonly diagnostics: readonly KtapDiagnostic[];
}

/** What a version line opens: a whole document, a suite, or the parameters of a case. */
export interface KtapGroup {
  readonly line: number;
  readonly indent: number;
  /** `# Subtest: name` and other attributes, printed right below the version line. */
  readonly header: readonly KtapDiagnostic[];
  /** N of `1..N`; undefined for parameters, which the kernel does not count beforehand. */
  readonly plan: number | undefined;
  readonly tests: readonly KtapTest[];
  /** Printed after the last result. */
  readonly trailing: readonly KtapDiagnostic[];
}

/** Spaces of one level of nesting. */
export const KTAP_INDENT = 4;

const SUBTEST = /^# Subtest: (.*)$/;

/** The name that a group's `# Subtest:` line gives. */
export function groupName(group: Pick<KtapGroup, 'header'>): string | undefined {
  for (const { text } of group.header) {
    const found = SUBTEST.exec(text);
    if (found !== null) return found[1];
  }
  return undefined;
}
