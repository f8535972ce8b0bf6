/**
 * Reads KTAP version 1 (Documentation/dev-tools/ktap.rst, v7.3-rc7) as tools/testing/kunit does.
 * Text before the first version line is skipped. A prefix in front of that line (a printk
 * timestamp) is stripped from every line after it. Nesting follows the indentation of version, plan
 * and result lines. Any other line may be indented in any way, because the kernel does not indent
 * the diagnostics of parameters, and prints warnings in between.
 */
import { fail, ok, type Result } from '../base/result.js';
import type { KtapDiagnostic, KtapDirective, KtapGroup, KtapTest } from './ktap.js';
import { groupName } from './ktap.js';
import type { KtapError } from './ktap-error.js';

const VERSION = /^(.*?)KTAP version (\d+)\s*$/;
const PLAN = /^1\.\.(\d+)\s*$/;
const RESULT = /^(ok|not ok) (\d+)(?: -)?(?=[\s#]|$)/;
const DIRECTIVE = /^# (\w+):?(?: (.*))?$/;

/** A result line, taken apart. */
interface ResultLine {
  readonly ok: boolean;
  readonly number: number;
  readonly name: string;
  readonly directive: KtapDirective | undefined;
}

/**
 * Parsed step by step, because a single expression for all of it takes cubic time on a line of many
 * spaces.
 */
function resultLine(text: string): ResultLine | undefined {
  const found = RESULT.exec(text);
  if (found === null) return undefined;
  const rest = text.slice(found[0].length).trim();
  const hash = rest.indexOf('#');
  const directive = hash < 0 ? undefined : directiveOf(rest.slice(hash));
  if (hash >= 0 && directive === undefined) return undefined;
  const name = hash < 0 ? rest : rest.slice(0, hash).trimEnd();
  return { ok: found[1] === 'ok', number: Number(found[2]), name, directive };
}

function directiveOf(text: string): KtapDirective | undefined {
  const found = DIRECTIVE.exec(text);
  return found === null ? undefined : { kind: found[1] ?? '', reason: found[2] ?? '' };
}

/** The documents of a log, in order. A kernel prints one for each module that it loads. */
export function parseKtap(text: string): Result<readonly KtapGroup[], KtapError> {
  const parser = new KtapParser();
  for (const line of text.split('\n')) {
    const error = parser.line(line.endsWith('\r') ? line.slice(0, -1) : line);
    if (error !== undefined) return fail(error);
  }
  const error = parser.end(text.endsWith('\n'));
  return error === undefined ? ok(parser.documents) : fail(error);
}

/** A group whose end has not been seen. */
class OpenGroup {
  header: KtapDiagnostic[] = [];
  plan: number | undefined;
  tests: KtapTest[] = [];
  /** Whether header lines may still come: they directly follow the version line. */
  inHeader = true;

  constructor(
    readonly line: number,
    readonly indent: number,
    /** Lines printed before the group was opened. They belong to the group's own result. */
    readonly leading: readonly KtapDiagnostic[],
  ) {}

  get name(): string {
    return groupName(this) ?? 'the document';
  }

  close(trailing: readonly KtapDiagnostic[]): KtapGroup {
    const { line, indent, header, plan, tests } = this;
    return { line, indent, header, plan, tests, trailing };
  }
}

class KtapParser {
  readonly documents: KtapGroup[] = [];
  private readonly open: OpenGroup[] = [];
  private pending: KtapDiagnostic[] = [];
  private prefix = 0;
  private number = 0;

  line(raw: string): KtapError | undefined {
    this.number++;
    if (this.open.length === 0) return this.start(raw);
    const cut = raw.slice(this.prefix);
    const text = cut.trimStart();
    const indent = cut.length - text.length;
    const version = VERSION.exec(text);
    if (version !== null && version[1] === '') return this.openGroup(indent, version[2] ?? '');
    const plan = PLAN.exec(text);
    if (plan !== null) return this.planned(indent, Number(plan[1]), text);
    const result = resultLine(text);
    if (result !== undefined) return this.result(indent, result, text);
    this.diagnostic({ line: this.number, indent, text });
    return undefined;
  }

  /** @param complete whether the last line had its newline */
  end(complete: boolean): KtapError | undefined {
    // Splitting at a final newline leaves an empty string that is not a line.
    const line = complete ? this.number - 1 : this.number;
    const group = this.open.at(-1);
    if (group !== undefined) {
      const { name, plan, tests } = group;
      return { kind: 'truncated', line, group: name, results: tests.length, planned: plan };
    }
    return this.documents.length === 0 ? { kind: 'no-ktap', line: Math.max(line, 1) } : undefined;
  }

  private start(raw: string): KtapError | undefined {
    const found = VERSION.exec(raw);
    if (found === null) return undefined;
    const before = found[1] ?? '';
    this.prefix = before.length;
    this.pending = [];
    return this.openGroup(0, found[2] ?? '');
  }

  private openGroup(indent: number, version: string): KtapError | undefined {
    if (version !== '1') {
      return { kind: 'unsupported-version', line: this.number, version };
    }
    const error = this.open.length === 0 ? undefined : this.leaveDeeper(indent - 1, 'KTAP version');
    if (error !== undefined) return error;
    this.open.push(new OpenGroup(this.number, indent, this.pending));
    this.pending = [];
    return undefined;
  }

  /** If the open group is deeper than this line may be, its own result is missing. */
  private leaveDeeper(indent: number, text: string): KtapError | undefined {
    const top = this.open.at(-1);
    return top !== undefined && top.indent > indent
      ? { kind: 'misplaced', line: this.number, text }
      : undefined;
  }

  private planned(indent: number, plan: number, text: string): KtapError | undefined {
    const group = this.open.at(-1);
    if (group?.indent !== indent) return { kind: 'misplaced', line: this.number, text };
    if (group.plan !== undefined || group.tests.length > 0) {
      return { kind: 'repeated-plan', line: this.number, group: group.name };
    }
    group.plan = plan;
    group.inHeader = false;
    this.endDocument();
    return undefined;
  }

  private result(indent: number, line: ResultLine, text: string): KtapError | undefined {
    const { number, name } = line;
    let inner: OpenGroup | undefined;
    let group = this.open.at(-1);
    if (group !== undefined && group.indent > indent) {
      inner = this.open.pop();
      group = this.open.at(-1);
    }
    if (group?.indent !== indent) return { kind: 'misplaced', line: this.number, text };
    if (inner !== undefined) {
      const error = this.checkClosed(inner, name);
      if (error !== undefined) return error;
    }
    const expected = group.tests.length + 1;
    if (number !== expected) {
      return { kind: 'out-of-order', line: this.number, expected, found: number };
    }
    if (group.plan !== undefined && number > group.plan) {
      return this.planError(group, number, group.plan);
    }
    group.inHeader = false;
    group.tests.push({
      line: this.number,
      ...line,
      leading: inner?.leading ?? [],
      subtests: inner?.close([]),
      diagnostics: this.pending,
    });
    this.pending = [];
    this.endDocument();
    return undefined;
  }

  private checkClosed(inner: OpenGroup, name: string): KtapError | undefined {
    if (inner.plan !== undefined && inner.plan !== inner.tests.length) {
      return this.planError(inner, inner.tests.length, inner.plan);
    }
    const expected = groupName(inner);
    return expected === undefined || expected === name
      ? undefined
      : { kind: 'name-mismatch', line: this.number, expected, found: name };
  }

  private planError(group: OpenGroup, results: number, planned: number): KtapError {
    return { kind: 'plan-mismatch', line: this.number, group: group.name, results, planned };
  }

  /** A document ends with the last result that it planned. */
  private endDocument(): void {
    const [root] = this.open;
    if (this.open.length !== 1 || root?.plan !== root?.tests.length || root === undefined) return;
    this.documents.push(root.close(this.pending));
    this.pending = [];
    this.open.length = 0;
    this.prefix = 0;
  }

  private diagnostic(diagnostic: KtapDiagnostic): void {
    const group = this.open.at(-1);
    if (group?.inHeader === true && group.indent === diagnostic.indent) {
      if (diagnostic.text.startsWith('# ')) {
        group.header.push(diagnostic);
        return;
      }
    }
    if (group !== undefined) group.inHeader = false;
    this.pending.push(diagnostic);
  }
}
