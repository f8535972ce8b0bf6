/**
 * Groups findings that have one cause. A wrong row makes the rows after it wrong, and the return. A
 * macro or template repeats its mistake in every function made from it.
 */
import type { Finding, FindingKind } from './finding.js';

/** Findings with one cause. */
export interface Cause {
  readonly kind: FindingKind;
  /** One sentence. */
  readonly explanation: string;
  /** The first finding, which shows the mistake best. */
  readonly first: Finding;
  readonly findings: readonly Finding[];
  /** Names of the functions with this mistake, in address order. */
  readonly functions: readonly string[];
}

/** Kinds that follow from a wrong row, and so are no cause of their own after one. */
const CONSEQUENCES: ReadonlySet<FindingKind> = new Set(['return', 'tail-call']);
const IN_ROWS: ReadonlySet<FindingKind> = new Set(['cfa', 'ra', 'fp', 'mangled', 'not-mangled']);

/** Group findings by cause. @param findings sorted by function and address */
export function findCauses(findings: readonly Finding[]): Cause[] {
  const own: Finding[][] = [];
  // The groups of the current function begin here.
  let from = 0;
  for (const finding of findings) {
    if (own[from]?.[0]?.start !== finding.start) from = own.length;
    let at = own.length - 1;
    while (at >= from && !belongs(own[at]?.[0], finding)) at--;
    if (at < from) own.push([finding]);
    else own[at]?.push(finding);
  }
  const same = new Map<string, Finding[][]>();
  for (const group of own) {
    const key = group.map(signature).join('|');
    const known = same.get(key);
    if (known === undefined) same.set(key, [group]);
    else known.push(group);
  }
  const causes: Cause[] = [];
  for (const groups of same.values()) {
    const first = groups[0]?.[0];
    if (first === undefined) continue;
    causes.push({
      kind: first.kind,
      explanation: explain(first),
      first,
      findings: groups.flat(),
      functions: [...new Set(groups.flat().map(({ fn }) => fn))],
    });
  }
  return causes;
}

function belongs(first: Finding | undefined, next: Finding): boolean {
  if (first === undefined) return false;
  if (first.kind === next.kind) return true;
  if (!IN_ROWS.has(first.kind)) return false;
  return CONSEQUENCES.has(next.kind) || (IN_ROWS.has(next.kind) && next.row === first.row);
}

function signature({ kind, rule, detail, words }: Finding): string {
  return [kind, rule, detail, ...words].join();
}

/** What is wrong, in one sentence. */
export function explain({ kind, leaf, rule }: Finding): string {
  switch (kind) {
    case 'cfa':
      return leaf
        ? 'annotated as a leaf routine, with a single row, but it moves SP'
        : `the CFA of the row is not SP at the call (${rule.split(' ')[0] ?? ''})`;
    case 'ra':
      return leaf
        ? 'annotated as a leaf routine, but x30 is overwritten while it runs: the row needs to say where the return address is'
        : 'the return address is not where the row says';
    case 'fp':
      return "the caller's frame pointer is not where the row says";
    case 'mangled':
      return 'the return address is signed here, but the row does not say so: it would be used with its PAC';
    case 'not-mangled':
      return 'the row says that the return address is signed, but it is not';
    case 'pauth-key':
      return 'the return address is signed with the other key';
    case 'no-row':
      return 'no row is in force at instructions that are executed';
    case 'tail-call':
      return 'the function makes a tail call before it has restored the frame of its caller';
    case 'return':
      return 'the function returns without having restored SP, the frame pointer or the return address';
    case 'outermost-returns':
      return 'the table marks this as the outermost frame, but the function returns';
    case 'outermost-called':
      return 'the table marks this as the outermost frame, but the function has a caller';
    case 'sp-alignment':
      return 'SP is not a multiple of 16: an exception taken here has a misaligned stack';
    case 'dwarf':
      return 'DWARF call frame information is wrong here, SFrame is right: DWARF is the odd one out';
    case 'row-start-misaligned':
      return 'a row starts inside an instruction';
    case 'row-after-end':
      return 'a row starts after the end of its function';
    case 'rows-not-rising':
      return 'rows are not in ascending order: a binary search misses some';
    case 'function-outside-text':
      return 'the function lies outside the code of the file';
    case 'functions-overlap':
      return 'two functions of the table overlap';
    case 'functions-not-rising':
      return 'the header says that functions are sorted, but they are not: a binary search misses some';
    case 'no-such-symbol':
      return 'the function starts inside a symbol';
    case 'size-differs':
      return 'the function and its symbol have different sizes';
  }
}
