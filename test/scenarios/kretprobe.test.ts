import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Address } from '../../base/address.js';
import { Kind } from '../../kernel-model/exception-kind.js';
import { family } from '../../scenarios/kretprobe/kretprobe.js';
import type { Scenario } from '../../scenarios/scenario.js';
import type { PointContext } from '../../sweep/sweep-observer.js';
import type { LabParts } from '../../lab/lab-parts.js';
import { VerdictCode } from '../../scenarios/verdict.js';
import type { PolicyName } from '../../unwinder/policy.js';
import { WALK_REASONS } from '../../unwinder/walk-reason.js';
import { sample } from '../exhaustive.js';
import { sweepParts } from '../machine-fixture.js';
import { problemText, runSweep } from '../sweep/sweep-run.js';
import { familyElf } from './family-elf.js';

const elf = familyElf(family);
const CAREFUL: readonly PolicyName[] = ['sframe-strict', 'fgraph-detect', 'fgraph-recover'];
/** Of these, whatever SDEI interrupts is refused for that alone. */
const distrusts = (policy: PolicyName): boolean => policy.startsWith('fgraph-');

describe('the kretprobe family', () => {
  it('names functions of its ELF, each scenario once', () => {
    const names = family.scenarios.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    for (const { name, entry, traced, kretprobes } of family.scenarios) {
      expect(name).toMatch(/^kretprobe\/(recover-)?(brk|regs)-[a-z]+(-[a-z]+)*$/);
      const used = [entry, ...(traced ?? []), ...(kretprobes ?? []).map(({ symbol }) => symbol)];
      for (const symbol of used) expect(elf.functions.has(symbol), symbol).toBe(true);
    }
  });

  it('has every scenario in both styles', () => {
    const of = (style: string): string[] =>
      family.scenarios
        .filter(({ kretprobes }) => kretprobes?.every((site) => site.style === style))
        .map(({ name }) => name.replace(style, 'STYLE'));
    expect(of('brk')).toEqual(of('regs'));
    expect(of('brk')).toHaveLength(family.scenarios.length / 2);
  });

  it('annotates every function', () => {
    for (const name of elf.functions.keys()) expect(elf.rules(name), name).not.toContain('none');
  });
});

let parts: LabParts;
beforeAll(() => {
  parts = sweepParts('kretprobe');
});
afterAll(() => {
  parts.machine.close();
});

interface Walked extends Pick<PointContext, 'pc' | 'verdict'> {
  readonly policy: PolicyName;
  readonly sdei: boolean;
  readonly reason: string;
  /** The address that the probed function returns to is in the trace. */
  readonly listed: boolean;
  /** Control is in the probed call: the address is pending. */
  readonly pending: boolean;
}

/** Every reliable walk of a scenario. */
function walksOf(name: string, caller: string): Walked[] {
  const which = family.scenarios.find((one) => one.name === name) as Scenario;
  // What the entry function calls is called at +0xc in all of them.
  const original = (parts.machine.symbols.byName(caller)?.address ?? 0) + 0x10;
  const walks: Walked[] = [];
  const run = runSweep(parts, which, {
    walked: (point, { mode, pc, policy, verdict, walk, truth }) => {
      if (mode !== 'reliable') return;
      walks.push({
        pc,
        verdict,
        policy: policy.name,
        sdei: point.kind === Kind.SDEI,
        reason: WALK_REASONS[walk.status] ?? '',
        listed: walk.entries.subarray(0, walk.count).includes(original),
        pending: truth.addresses.subarray(0, truth.count).includes(original),
      });
    },
  });
  expect(problemText(run)).toEqual([]);
  expect(run.end.result).toBe(which.result);
  return walks;
}

/** Instructions as `function+first..last`, in the order of addresses. */
function ranges(walks: readonly Walked[]): string[] {
  const pcs = [...new Set(walks.map(({ pc }) => pc))].sort((a, b) => a - b);
  const found: { from: Address; to: Address }[] = [];
  for (const pc of pcs) {
    const last = found[found.length - 1];
    if (last?.to === pc - 4 && nameOf(last.from) === nameOf(pc)) last.to = pc;
    else found.push({ from: pc, to: pc });
  }
  return found.map(({ from, to }) => `${nameOf(from)}+${offsetOf(from)}..${offsetOf(to)}`);
}

function nameOf(address: Address): string {
  return parts.machine.symbols.at(address)?.symbol.name ?? '?';
}

function offsetOf(address: Address): string {
  return `0x${(parts.machine.symbols.at(address)?.offset ?? 0).toString(16)}`;
}

const isWrong = ({ verdict }: Walked): boolean =>
  verdict !== VerdictCode.EXACT && verdict !== VerdictCode.UNRELIABLE;
const losesIt = (walk: Walked): boolean =>
  walk.verdict === VerdictCode.MISSING && walk.pending && !walk.listed;
const isRefused = ({ reason }: Walked): boolean => reason === 'kretprobe-unrecovered';

const ENTRY_WINDOW = 'pre_handler_kretprobe+0x3c..0x4c';
/** From the store that unlinks the instance to the end of the trampoline. */
const RETURN_WINDOW = [
  '__kretprobe_trampoline_handler+0xc4..0xec',
  'trampoline_probe_handler+0x14..0x1c',
];
const FORGOTTEN = '__kretprobe_trampoline_regs+0x6c..0xb4';
/** x29 is the interrupted context's: SDEI hides the interrupted PC, or its caller. */
const ENTERING = ['vectors+0x200..0x218', 'el1h_64_sync+0x0..0x5c', 'ret_to_kernel+0x58..0x60'];

const CALLS = sample(
  [
    ['leaf', 'kretprobe_leaf_entry'],
    ['callee', 'kretprobe_callee_entry'],
    ['nested', 'kretprobe_outer_entry'],
    ['recurse', 'kretprobe_recurse_entry'],
    ['tail', 'kretprobe_tail_entry'],
    ['tail-called', 'kretprobe_tail_entry'],
    ['tail-calling', 'kretprobe_tail_entry'],
  ] as const,
  4,
);

describe.each(CALLS)('the breakpoint style: %s', (name, caller) => {
  let walks: Walked[];
  beforeAll(() => {
    walks = walksOf(`kretprobe/brk-${name}`, caller);
  });

  it('is walked right under every policy wherever the boundary is known', () => {
    expect(ranges(walks.filter((walk) => !walk.sdei && isWrong(walk)))).toEqual([]);
  });

  it('is refused for a kretprobe nowhere but on the way in, and there by SDEI only', () => {
    const refused = walks.filter(isRefused);
    expect(ranges(refused)).toEqual([ENTRY_WINDOW]);
    expect(refused.every(({ sdei }) => sdei)).toBe(true);
    expect(new Set(refused.map(({ policy }) => policy))).toEqual(new Set(['sframe-strict']));
  });

  it('is refused for SDEI throughout, by the policies that know of it, and by no others', () => {
    for (const { policy, sdei, reason } of walks) {
      expect(reason === 'sdei-record', `${policy} ${reason}`).toBe(sdei && distrusts(policy));
    }
  });

  it('loses the address in no code of kretprobes but there, if errors are dropped', () => {
    for (const policy of [...CAREFUL, 'frame-pointer', 'sframe-v5'] as const) {
      const lost = ranges(walks.filter((walk) => walk.policy === policy && losesIt(walk)));
      const own = lost.filter((range) =>
        /kretprobe_(trampoline|brk|exit)|^pre_handler/.test(range),
      );
      expect(own, policy).toEqual(policy === 'sframe-v5' ? [ENTRY_WINDOW] : []);
      if (distrusts(policy)) expect(lost, policy).toEqual([]);
      else expect(lost, policy).toEqual(expect.arrayContaining(ENTERING));
    }
  });
});

describe.each(CALLS)('the older style: %s', (name, caller) => {
  let walks: Walked[];
  beforeAll(() => {
    walks = walksOf(`kretprobe/regs-${name}`, caller);
  });

  it("is refused from the unlinking of the instance until x29 is the caller's again", () => {
    for (const policy of CAREFUL) {
      const refused = walks.filter((walk) => walk.policy === policy && isRefused(walk));
      const known = new Set(refused.filter(({ sdei }) => !sdei).map(({ pc }) => nameOf(pc)));
      const bySdei = distrusts(policy) ? [] : [ENTRY_WINDOW, FORGOTTEN];
      expect(ranges(refused).sort(), policy).toEqual([...bySdei, ...RETURN_WINDOW].sort());
      expect([...known].sort(), policy).toEqual(
        [
          '__kretprobe_trampoline_handler',
          ...(policy === 'sframe-strict' ? ['__kretprobe_trampoline_regs'] : []),
          'trampoline_probe_handler',
        ].sort(),
      );
    }
  });

  it('is walked wrong there, boundary known, by the policies that drop errors', () => {
    const wrong = walks.filter((walk) => !walk.sdei && losesIt(walk));
    expect(new Set(wrong.map(({ policy }) => policy))).toEqual(new Set(['sframe-v5', 'sframe-v6']));
    const at = (policy: PolicyName): string[] =>
      ranges(wrong.filter((walk) => walk.policy === policy)).sort();
    expect(at('sframe-v5')).toEqual([...RETURN_WINDOW].sort());
    expect(at('sframe-v6')).toContain(FORGOTTEN);
  });

  it("hides the address from SDEI where x29 is the caller's, but from those that refuse it", () => {
    const own = walks.filter(({ sdei, pc }) => sdei && nameOf(pc).endsWith('trampoline_regs'));
    for (const policy of [...CAREFUL, 'frame-pointer'] as const) {
      const lost = own.filter((walk) => walk.policy === policy && losesIt(walk));
      const hidden = ['0x4..0x60', '0xb8..0xbc'].map((at) => `__kretprobe_trampoline_regs+${at}`);
      expect(ranges(lost), policy).toEqual(distrusts(policy) ? [] : hidden);
    }
  });
});

describe.each(['brk', 'regs'])('%s under function graph as well', (style) => {
  it('is recovered wherever only one order is possible', () => {
    for (const name of ['leaf-fgraph', 'probe-then-graph']) {
      const entry = name.startsWith('leaf') ? 'kretprobe_leaf_entry' : 'kretprobe_tail_entry';
      const walks = walksOf(`kretprobe/${style}-${name}`, entry);
      const wrong = walks.filter((walk) => !walk.sdei && losesIt(walk));
      const careful = wrong.filter(({ policy }) => policy.startsWith('fgraph'));
      expect(ranges(careful), name).toEqual([]);
      // What the others lose is function graph's, see the fgraph family.
      const strict = wrong.filter(({ policy }) => policy === 'sframe-strict');
      expect(new Set(strict.map(({ pc }) => nameOf(pc)))).toEqual(
        new Set(['ftrace_return_to_handler', 'fgraph_exit_handler']),
      );
    }
  });

  it('is walked wrong throughout a probed function that a traced one tail-calls', () => {
    const walks = walksOf(`kretprobe/${style}-graph-then-probe`, 'kretprobe_tail_entry').filter(
      ({ sdei, pc }) => !sdei && nameOf(pc) === 'kretprobe_leaf' && offsetOf(pc) !== '0x0',
    );
    const wrong = new Set(walks.filter(losesIt).map(({ policy }) => policy));
    expect(wrong).toEqual(new Set(['sframe-v5', 'sframe-v6', 'sframe-strict']));
    for (const policy of ['fgraph-detect', 'fgraph-recover'] as const) {
      const marked = walks.filter((walk) => walk.policy === policy);
      expect(marked.every(({ reason }) => reason === 'graph-unrecovered')).toBe(true);
    }
  });

  it('is walked wrong there while blocked, by frame records alone', () => {
    const walks = walksOf(`kretprobe/${style}-graph-then-probe-blocked`, 'kretprobe_blocked_entry');
    const after = walks.filter(({ pc }) => nameOf(pc) === 'kretprobe_plain');
    expect(after.length).toBeGreaterThan(0);
    for (const { policy, verdict } of after) {
      const expected = policy.startsWith('fgraph') ? VerdictCode.UNRELIABLE : VerdictCode.MISSING;
      expect(verdict, policy).toBe(expected);
    }
  });
});
