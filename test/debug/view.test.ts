/** The view model: what a debugger shows of a position. */
import { describe, expect, it } from 'vitest';
import { Evaluator } from '../../debug/evaluate.js';
import { goToInstruction, goToPoint } from '../../debug/point-stop.js';
import { Timeline } from '../../debug/timeline.js';
import { codeView } from '../../debug/view/code-view.js';
import { pointView, type PointView } from '../../debug/view/point-view.js';
import { pstateText } from '../../debug/view/register-view.js';
import { ruleNotation } from '../../debug/view/rule-notation.js';
import { PLAIN } from '../../debug/view/text-style.js';
import { pointLines } from '../../debug/view/text.js';
import { walkScene, type WalkView } from '../../debug/view/walk-view.js';
import { Kind } from '../../kernel-model/exception-kind.js';
import { kernelTargets } from '../../targets/kernel-target.js';
import type * as LabModule from '../../lab/lab.js';
import { Lab } from '../../lab/lab.js';
import { parsePoint } from '../../lab/point.js';
import { POLICIES } from '../../unwinder/policies/all.js';
import type { PolicyName } from '../../unwinder/policy.js';
import { CfaBase, emptyRule, RecoverKind } from '../../unwinder/unwind-rule.js';
import { backend, must } from '../cpu-fixture.js';
import { PackageCopy } from '../defects/package-copy.js';
import { withSourceEdit } from '../defects/planted.js';
import { UNWINDER_EDITS } from '../defects/source-edits.js';
import { repositoryPath } from '../machine-fixture.js';
import { timeline } from './timeline-fixture.js';

function at(name: string, point: string): Timeline {
  const line = timeline(name);
  const parsed = parsePoint(point);
  if (parsed === undefined) throw new Error(point);
  expect(goToPoint(line, parsed)).toBeUndefined();
  return line;
}

function view(line: Timeline, kind: number, policy: PolicyName): PointView {
  return pointView(new Evaluator(line), undefined, { asker: kind, policy: POLICIES[policy] });
}

function walkOf(line: Timeline, kind: number, policy: PolicyName): WalkView {
  const scene = walkScene(new Evaluator(line), kind, POLICIES[policy]);
  if ('problem' in scene) throw new Error(scene.problem);
  return scene.walk;
}

describe('the walk', () => {
  it('says which rule found an entry, what it read, and from which stack', () => {
    const line = at('calls/pac', '9:irq');
    const walk = walkOf(line, Kind.IRQ, 'sframe-strict');
    expect(walk.verdict).toBe('exact');
    expect(walk.explanation).toBe('');
    expect(walk.firstDifference).toBe(-1);
    const interrupted = walk.steps.findIndex(({ origin }) => origin === 'pt-regs');
    expect(walk.steps[interrupted]?.address).toBe(line.pc);
    const caller = walk.steps[interrupted + 1];
    expect(caller).toMatchObject({
      origin: 'sframe-register',
      rule: 'CFA=SP+0 FP=u RA=u [mangled]',
      reads: [
        { what: 'pt_regs.sp', stack: 'task' },
        { what: 'pt_regs.x30', stack: 'task' },
      ],
    });
    // What was read is what the entry is, with the signature that paciasp has put in.
    const read = caller?.reads[1]?.value ?? '';
    expect(read.slice(8)).toBe(BigInt.asUintN(32, BigInt(caller?.address ?? 0)).toString(16));
    expect(read.slice(0, 4)).not.toBe('ffff');
    expect(walk.steps[0]?.origin).toBe('start');
    const kinds = new Set(walk.steps.flatMap(({ reads }) => reads.map(({ stack }) => stack)));
    expect(kinds).toEqual(new Set(['irq', 'task']));
  });

  it('shows a return address that the graph return stack gave back', () => {
    const line = timeline('fgraph/leaf');
    const { start } = line.machine.kernel.returnToHandler;
    line.run({ here: () => line.pc === start });
    const walk = walkOf(line, Kind.IRQ, 'fgraph-detect');
    expect(walk.verdict).toBe('exact');
    const recovered = walk.steps.find(({ recoveredBy }) => recoveredBy === 'graph');
    expect(recovered?.reads.at(-1)?.what).toMatch(/^ret_stack\[\d\]\.ret$/);
    const value = BigInt.asIntN(64, BigInt(`0x${recovered?.reads.at(-1)?.value ?? '0'}`));
    expect(Number(value)).toBe(recovered?.address);
  });

  it('finds the first difference, and says why a walk is unreliable', () => {
    const line = timeline('fgraph/leaf');
    const { start } = line.machine.kernel.returnToHandler;
    line.run({ here: () => line.pc === start + 8 });
    const walk = walkOf(line, Kind.IRQ, 'sframe-strict');
    expect(walk.verdict).toBe('unreliable');
    expect(walk.mark).toBe('no-sframe-entry');
    expect(walk.explanation).toContain('marked unreliable: no-sframe-entry');
    const sdei = walkOf(at('leaf/strlen-nocfi', '70:sdei'), Kind.SDEI, 'sframe-strict');
    expect(sdei.verdict).toBe('missing');
    const pair = sdei.pairs[sdei.firstDifference];
    expect(pair).toMatchObject({ trace: -1, wrong: true });
    expect(sdei.truth[pair?.truth ?? -1]?.symbol).toMatch(/^leaf_strlen_nocfi_entry\+/);
    expect(sdei.explanation).toContain('is absent; the walk went on to kunwind_thread');
  });

  it('names the PC that each exception interrupted, also at the start of a function', () => {
    const line = at('leaf/strlen', '0:irq/20:sdei');
    const outer = walkOf(line, Kind.SDEI, 'sframe-strict');
    const names = outer.truth.filter(({ interrupted }) => interrupted).map(({ symbol }) => symbol);
    expect(names[0]).toBe(line.machine.symbols.format(line.pc));
    // As a return address it would be the end of whatever lies before it.
    expect(names[1]).toMatch(/^leaf_strlen_entry\+0x0\//);
    expect(names).toHaveLength(2);
    // SDEI pushes it as a plain record's return address: both columns name it alike.
    const plain = walkOf(at('leaf/strlen', '0:sdei'), Kind.SDEI, 'sframe-strict');
    const step = plain.steps.find(({ symbol }) => symbol.startsWith('leaf_strlen_entry+0x0/'));
    expect(step?.origin).toBe('frame-record');
  });

  it('is not there where no exception can ask for it', () => {
    const line = at('leaf/strlen', '1:irq/5:sdei');
    const shown = view(line, Kind.IRQ, 'sframe-strict');
    expect(shown.walk).toEqual({ problem: 'no irq is possible here' });
    expect(shown.stackInHandler).toBe(false);
    expect(shown.place).toBe('1:irq/5');
  });
});

describe('the stack', () => {
  it('has its records, pt_regs and metadata named, up to FINAL', () => {
    const shown = view(at('calls/pac', '9:irq'), Kind.IRQ, 'sframe-strict');
    expect(shown.stack.map(({ kind }) => kind)).toEqual(['irq', 'task']);
    const words = shown.stack.flatMap((section) => section.words);
    expect(words[0]?.markers).toContain('SP');
    const roles = words.map(({ role }) => role);
    expect(roles.filter((role) => role === 'metadata PT_REGS')).toHaveLength(1);
    expect(roles.at(-1)).toBe('metadata FINAL');
    const pc = words.find(({ role }) => role === 'pt_regs.pc');
    expect(pc?.symbol).toMatch(/^pac_frame_a\+0x4\//);
    expect(words.some(({ isSigned, role }) => isSigned && role === 'record.lr')).toBe(true);
    expect(words.filter(({ markers }) => markers.includes('interrupted SP'))).toHaveLength(1);
  });

  it('names a PC by itself, a return address by its call, and labels of assembly too', () => {
    const shown = view(at('leaf/strlen', '0:irq'), Kind.IRQ, 'sframe-strict');
    const words = shown.stack.flatMap((section) => section.words);
    const named = (role: string): string[] =>
      words.filter((word) => word.role === role).map(({ symbol }) => symbol);
    expect(named('pt_regs.pc')).toEqual([
      expect.stringMatching(/^leaf_strlen_entry\+0x0\//) as unknown,
    ]);
    const returns = named('record.lr');
    expect(returns).not.toContain('');
    expect(returns).toContainEqual(expect.stringMatching(/^el1h_64_irq\+/));
    expect(returns.at(-1)).toMatch(/^ret_from_fork\+/);
  });

  it('ends where x29 leads nowhere or in a circle', () => {
    const line = at('leaf/strlen', '20:irq');
    const sp = line.registers().get(31);
    const low = sp - 256;
    const bytes = new Uint8Array(new BigInt64Array([BigInt(low), 1n]).buffer);
    line.edit({ kind: 'memory', address: low, bytes });
    line.edit({ kind: 'register', index: 29, low, high: Math.floor(low / 2 ** 32) });
    const shown = view(line, Kind.IRQ, 'sframe-strict');
    expect(shown.stack.length).toBeGreaterThan(0);
    line.edit({ kind: 'register', index: 29, low: 0xfff, high: 0 });
    expect(
      [...pointLines(view(line, Kind.IRQ, 'frame-pointer'), { paint: PLAIN, width: 80 })].length,
    ).toBeGreaterThan(20);
  });
});

describe('registers and code', () => {
  it('mark what the last step changed, whichever way the position was reached', () => {
    const line = at('calls/pac', '9:irq');
    const changed = (): string[] =>
      view(line, Kind.IRQ, 'sframe-strict')
        .registers.filter((register) => register.changed)
        .map(({ name }) => name);
    expect(changed()).toEqual(['x30']);
    line.stepForward(40);
    line.goBack(40);
    expect(changed()).toEqual(['x30']);
    line.step();
    expect(changed()).toEqual(['sp']);
  });

  it('decode PSTATE', () => {
    expect(pstateText(0x600003c5)).toBe('nZCv DAIF EL1h');
    expect(pstateText(0x80000084)).toBe('Nzcv daIf EL1t');
  });

  it('stop at the ends of a region of code', () => {
    const line = timeline('calls/pac');
    const region = line.machine.memory.regionAt(line.pc);
    const first = region?.low ?? 0;
    expect(codeView(line.parts, undefined, first, { before: 3, after: 2 })).toHaveLength(3);
    expect(codeView(line.parts, undefined, 0x1000, { before: 3, after: 2 })).toEqual([]);
  });

  it('write rules as readelf does', () => {
    const rule = emptyRule();
    expect(ruleNotation(rule)).toBe('CFA=SP+0 FP=u RA=u');
    const load = {
      raKind: RecoverKind.LOAD_CFA,
      raOffset: -8,
      fpKind: RecoverKind.LOAD_CFA,
      fpOffset: -16,
    };
    const framed = { ...rule, cfaBase: CfaBase.FP, cfaOffset: 16, ...load, mangled: true };
    expect(ruleNotation(framed)).toBe('CFA=FP+16 FP=c-16 RA=c-8 [mangled]');
    const flexible = { cfaBase: CfaBase.REG, cfaRegister: 9, cfaDeref: true, cfaOffset: -8 };
    expect(ruleNotation({ ...rule, ...flexible })).toBe('CFA=(x9-8) FP=u RA=u');
    expect(ruleNotation({ ...rule, raKind: RecoverKind.UNDEFINED })).toBe('RA undefined');
  });
});

describe("a real kernel's own unwinder", () => {
  const copy = new PackageCopy();
  const file = repositoryPath('kernel-model/guest/vmlinux');
  const answer = (Maker: typeof Lab): string | undefined => {
    const lab = must(Maker.create(backend()));
    const source = { file, path: file };
    const made = must(kernelTargets({ source, functions: ['unregister_kprobe'] }));
    const [target] = made.targets;
    if (target === undefined) throw new Error('no target');
    const parts = must(lab.machineFor(undefined, target.scenario.kernel, target.vmlinux));
    const line = must(Timeline.start(parts, target.scenario));
    expect(goToInstruction(line, 3)).toBeUndefined();
    const before = line.fingerprint();
    const { kernel } = walkOf(line, Kind.IRQ, 'sframe-strict');
    expect(line.fingerprint()).toBe(before);
    lab.close();
    return kernel;
  };

  it('is asked as well, and a different answer is told', async () => {
    const planted = await withSourceEdit(copy, UNWINDER_EDITS['no-pac-strip'], () =>
      copy.import<typeof LabModule>('lab/lab.ts'),
    );
    expect(answer(Lab)).toBe("the kernel's own unwinder: the same answer");
    expect(answer(planted.Lab)).toMatch(/^the kernel's own unwinder: exact, differs in \w+/);
  });

  it('is not asked of the built-in kernel, which a sweep compares', () => {
    expect(walkOf(at('calls/pac', '9:irq'), Kind.IRQ, 'sframe-strict').kernel).toBeUndefined();
  });
});
