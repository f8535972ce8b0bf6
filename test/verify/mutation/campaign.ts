/** How many planted mistakes verification finds, and what became of the others. */
import { ruleAt } from '../../../unwinder/unwind-rule.js';
import type { Finding } from '../../../verify/finding.js';
import type { FunctionEntry } from '../../../verify/function-list.js';
import { FunctionTrace } from '../../../verify/function-trace.js';
import type { Verifier } from '../../../verify/verify.js';
import { CODE_KINDS, placesOf } from './code-mutation.js';
import { randomIntegers } from '../../../base/random.js';
import { valueOf } from './rule-value.js';
import { mutateTable, sameRule, TABLE_KINDS, type TableMutation } from './table-mutation.js';

/** What became of a mutation. */
export type Outcome =
  | 'reported'
  /** Every instruction has the same rule as before. */
  | 'same-rules'
  /** Where the rule differs, it finds the same CFA, return address and FP in every state. */
  | 'same-values'
  /** The rule differs only at instructions that are never executed. */
  | 'never-executed'
  /** The rule differs where it matters, and nothing was reported. */
  | 'missed';

/** A mutation that was not reported. */
export interface Survivor {
  readonly kind: string;
  readonly outcome: Outcome;
  readonly fn: string;
  readonly what: string;
}

/** Numbers of mutations by kind and outcome, and all that were not reported. */
export interface Campaign {
  readonly counts: ReadonlyMap<string, Record<Outcome, number>>;
  readonly survivors: readonly Survivor[];
}

/** Attempts for each mutation that is wanted: some functions have none of a kind. */
const ATTEMPTS = 100;

/** Plants mistakes in one program, one at a time. */
export class MutationRunner {
  private readonly groupOf: (readonly FunctionEntry[])[] = [];
  private readonly counts = new Map<string, Record<Outcome, number>>();
  private readonly survivors: Survivor[] = [];
  private readonly random: (limit: number) => number;

  constructor(
    private readonly verifier: Verifier,
    seed: number,
    /** See {@link mutateTable}. */
    private readonly all = false,
  ) {
    this.random = randomIntegers(seed);
    for (const group of verifier.list.groups()) {
      for (const { index } of group) this.groupOf[index] = group;
    }
  }

  /** Change rows, `wanted` times, each kind as often as the others. */
  tables(wanted: number): this {
    const { all } = this.verifier.list;
    for (let done = 0, attempt = 0; done < wanted && attempt < wanted * ATTEMPTS; attempt++) {
      const kind = TABLE_KINDS[done % TABLE_KINDS.length] ?? 'offset';
      const entry = all[this.random(all.length)];
      const mutation = entry && mutateTable(entry, kind, this.random, this.fetch, this.all);
      if (entry === undefined || mutation === undefined) continue;
      this.judgeTable(entry, mutation);
      done++;
    }
    return this;
  }

  /** Change instructions, `wanted` times, each kind as often as the others where it occurs. */
  code(wanted: number): this {
    const { verifier } = this;
    const kinds = CODE_KINDS.map((kind) => ({ kind, places: placesOf(verifier, kind) }));
    const present = kinds.filter(({ places }) => places.length > 0);
    for (let done = 0, attempt = 0; done < wanted && attempt < wanted * ATTEMPTS; attempt++) {
      const chosen = present[done % present.length];
      const place = chosen?.places[this.random(chosen.places.length)];
      if (chosen === undefined || place === undefined) break;
      const { entry, pc, word } = place;
      const group = this.groupOf[entry.index] ?? [entry];
      const before = verifier.run(group);
      const trace = before.traces.find((one) => one.entry === entry);
      if (trace?.reached[(pc - entry.start) >>> 2] !== 1) continue;
      verifier.stepper.patch(pc, chosen.kind.change(word));
      const after = verifier.run(group);
      verifier.stepper.patch(pc, word);
      const outcome = differ(before.findings, after.findings) ? 'reported' : 'missed';
      const at = `+0x${(pc - entry.start).toString(16)}`;
      this.note({ kind: chosen.kind.name, outcome, fn: entry.name, what: at });
      done++;
    }
    return this;
  }

  private readonly fetch = (pc: number): number | undefined => this.verifier.stepper.fetch(pc);

  get report(): Campaign {
    return { counts: this.counts, survivors: this.survivors };
  }

  private judgeTable(entry: FunctionEntry, { kind, entry: changed, what }: TableMutation): void {
    const { verifier } = this;
    const group = this.groupOf[entry.index] ?? [entry];
    const difference = this.difference(entry, changed, group);
    const after = verifier.run(group.map((one) => (one === entry ? changed : one)));
    const reported = differ(difference.findings, after.findings);
    this.note({ kind, outcome: reported ? 'reported' : difference.outcome, fn: entry.name, what });
  }

  /** Execute the unchanged function, and ask both tables in each of its states. */
  private difference(
    entry: FunctionEntry,
    changed: FunctionEntry,
    group: readonly FunctionEntry[],
  ): { findings: readonly Finding[]; outcome: Outcome } {
    const { verifier } = this;
    const [old, other] = [new FunctionTrace(entry), new FunctionTrace(changed)];
    const differs = [...old.rowAt.keys()].map((i) => {
      const pc = entry.start + 4 * i;
      const [a, b] = [ruleIn(old, pc), ruleIn(other, pc)];
      return a === undefined || b === undefined ? a !== b : !sameRule(a, b);
    });
    const seen = { executed: false, matters: false };
    verifier.observe((trace, pc) => {
      if (seen.matters || trace.entry !== entry || differs[(pc - entry.start) >>> 2] !== true)
        return;
      seen.executed = true;
      const [a, b] = [ruleIn(old, pc), ruleIn(other, pc)];
      const { registers, frame } = verifier.stepper;
      seen.matters =
        a === undefined ||
        b === undefined ||
        valueOf(a, registers, frame) !== valueOf(b, registers, frame);
    });
    const { findings } = verifier.run(group);
    verifier.observe(undefined);
    const outcome = !differs.includes(true)
      ? 'same-rules'
      : !seen.executed
        ? 'never-executed'
        : seen.matters
          ? 'missed'
          : 'same-values';
    return { findings, outcome };
  }

  private note(result: Survivor): void {
    const { kind, outcome } = result;
    let counts = this.counts.get(kind);
    if (counts === undefined) {
      counts = { reported: 0, 'same-rules': 0, 'same-values': 0, 'never-executed': 0, missed: 0 };
      this.counts.set(kind, counts);
    }
    counts[outcome]++;
    if (outcome !== 'reported') this.survivors.push(result);
  }
}

function ruleIn(trace: FunctionTrace, pc: number): ReturnType<typeof ruleAt> | undefined {
  const rule = trace.ruleAt(pc);
  return rule < 0 ? undefined : ruleAt(trace.entry.table.rules, rule);
}

/** Whether something is reported now that was not before. */
function differ(before: readonly Finding[], after: readonly Finding[]): boolean {
  const key = ({ kind, start, pc }: Finding): string => `${kind} ${start} ${pc}`;
  const known = new Set(before.map(key));
  return after.some((finding) => !known.has(key(finding)));
}
