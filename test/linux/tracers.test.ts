/** Function graph and kretprobes of a real kernel, by its own code; only where ../shared/kernels is present. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Reg } from '../../emulator/registers.js';
import { ScenarioCpu } from '../../kernel-model/scenario-cpu.js';
import { threadResult } from '../../kernel-model/thread-call.js';
import type { RealTracer, ScenarioArgument } from '../../scenarios/scenario.js';
import { kernelTargets } from '../../targets/kernel-target.js';
import { Lab } from '../../lab/lab.js';
import { UnitRunner } from '../../sweep/run-unit.js';
import { describeSetupError, setUpScenario } from '../../lab/scenario-setup.js';
import { DEFAULT_BUDGET } from '../../sweep/sweep.js';
import type { UnitResult, WalkExample } from '../../sweep/unit.js';
import { NO_LIMIT } from '../../sweep/range.js';
import type { PolicyName } from '../../unwinder/policy.js';
import { backend, must } from '../cpu-fixture.js';
import { HAS_KERNELS, LEAF_KERNEL } from './kernels.js';

/** irq and brk. */
const KINDS = 1 | 8;

let lab: Lab;
let runner: UnitRunner;

beforeAll(() => {
  if (!HAS_KERNELS) return;
  lab = must(Lab.create(backend()));
  runner = new UnitRunner(lab);
});
afterAll(() => {
  if (HAS_KERNELS) lab.close();
});

const SQRT: readonly ScenarioArgument[] = [{ number: 1000 }];

async function unit(
  fn: string,
  policies: readonly PolicyName[],
  unwinder: 'model' | 'both',
  args?: readonly ScenarioArgument[],
): Promise<UnitResult> {
  const made = kernelTargets({
    source: { file: 'vmlinux', path: LEAF_KERNEL },
    functions: [fn],
    ...(args === undefined ? {} : { args }),
  });
  if (!made.ok) throw new Error(made.error);
  const [target] = made.value.targets;
  if (target === undefined) throw new Error('there is one target');
  const result = await runner.run({
    id: 0,
    target,
    policies,
    unwinder,
    verbose: true,
    range: {
      from: 0,
      to: NO_LIMIT,
      kinds: KINDS,
      outerKinds: 0,
      innerKinds: 0,
      innerFrom: 0,
      innerTo: NO_LIMIT,
      budget: DEFAULT_BUDGET,
    },
  });
  // That there is no disagreement says something where both were asked.
  expect(result.compared).toBe(unwinder === 'both' ? 2 * policies.length * result.points : 0);
  return result;
}

/** The reliable walks of a policy at interrupts, by `function+offset`. */
function verdictsAt(walks: readonly WalkExample[], policy: PolicyName): Map<string, string> {
  const reliable = walks.filter(
    (walk) => walk.policy === policy && walk.mode === 'reliable' && walk.point.endsWith(':irq'),
  );
  return new Map(reliable.map(({ at, verdict }) => [at.replace(/\/.*/, ''), verdict]));
}

describe.skipIf(!HAS_KERNELS)('a real function graph tracer', () => {
  it('skips the caller, and hides it even from a detecting unwinder once it is popped', async () => {
    const result = await unit('fgraph:int_sqrt', ['sframe-strict', 'fgraph-detect'], 'model', SQRT);
    expect(result.problems).toEqual([]);
    // isqrt(1000): the function ran, and its result survived return_to_handler.
    expect([result.finished, result.result]).toEqual([true, 31]);
    const strict = verdictsAt(result.walks, 'sframe-strict');
    const detect = verdictsAt(result.walks, 'fgraph-detect');
    const handler = [...strict].filter(([at]) => at.startsWith('ftrace_return_to_handler+'));
    expect(handler.length).toBeGreaterThan(50);
    expect(new Set(handler.map(([, verdict]) => verdict))).toEqual(new Set(['missing']));
    // Exact as long as the entry is on the return stack; then the window, up to the end of the function.
    const detected = [...detect].filter(([at]) => at.startsWith('ftrace_return_to_handler+'));
    const first = detected.findIndex(([, verdict]) => verdict !== 'exact');
    expect(first).toBeGreaterThan(40);
    const window = detected.slice(first);
    expect(window.map(([, verdict]) => verdict)).toEqual(window.map(() => 'unreliable'));
    const store = lowering();
    expect(window[0]?.[0]).toBe(`ftrace_return_to_handler+0x${(store + 4).toString(16)}`);
    expect(window.at(-1)?.[0]).toBe('ftrace_return_to_handler+0x1b8');
  });

  it('is unwound by the kernel as by the model', async () => {
    const policies: PolicyName[] = ['frame-pointer', 'sframe-v5', 'sframe-v6', 'sframe-strict'];
    const result = await unit('fgraph:int_sqrt', policies, 'both', SQRT);
    expect(result.disagreements).toEqual([]);
    const warned = result.walks.find(({ verdict }) => verdict === 'warned');
    expect(warned?.policy).toBe('sframe-v5');
    expect(warned?.reason).toMatch(/^WARN bad-metadata at arch\/arm64\/kernel\/stacktrace\.c:\d+$/);
  });
});

describe.skipIf(!HAS_KERNELS)('a traced function that a function with rows has called', () => {
  it('is recovered at the first instruction of return_to_handler, in a nested call', async () => {
    const nested = 'fgraph:*bio_*poll@iocb_bio_iopoll';
    const result = await unit(nested, ['sframe-strict'], 'both');
    expect([result.problems, result.disagreements]).toEqual([[], []]);
    const first = result.walks.filter(
      ({ at, mode, policy, point }) =>
        at.startsWith('return_to_handler+0x0/') &&
        mode === 'reliable' &&
        policy === 'sframe-strict' &&
        point.endsWith(':irq'),
    );
    // bio_poll was called by the kernel's code, iocb_bio_iopoll by ours, which has no rows.
    expect(first.map(({ verdict }) => verdict)).toEqual(['exact', 'unreliable']);
  });

  it('is never in doubt with a kretprobe', async () => {
    const result = await unit('kretprobe:bio_poll@iocb_bio_iopoll', ['sframe-strict'], 'both');
    expect([result.problems, result.disagreements]).toEqual([[], []]);
    const reliable = result.walks.filter(({ mode }) => mode === 'reliable');
    expect(reliable.some(({ at }) => at.startsWith('__kretprobe_trampoline+0x0/'))).toBe(true);
    expect(new Set(reliable.map(({ verdict }) => verdict))).toEqual(new Set(['exact']));
  });
});

/** Offset of the last store to curr_ret_stack in ftrace_return_to_handler. */
function lowering(): number {
  const parts = lab.machineFor(undefined, undefined, { file: 'vmlinux', path: LEAF_KERNEL });
  if (!parts.ok) throw new Error(parts.error.message);
  const { memory, kernel, symbols } = parts.value.machine;
  const { address = 0, size = 0 } = symbols.byName('ftrace_return_to_handler') ?? {};
  const scaled = kernel.offsets.taskCurrRetStack / 4;
  for (let offset = size - 4; offset > 0; offset -= 4) {
    const word = memory.readWord(address + offset) ?? 0;
    // STR Wt, [Xn, #curr_ret_stack]
    if ((word & 0xfffffc00) >>> 0 === (0xb9000000 | (scaled << 10)) >>> 0) return offset;
  }
  throw new Error('nothing stores curr_ret_stack');
}

/** What a traced function's own execution passes through. */
interface TracedRun {
  /** Functions in the order of their first instructions, as often as these are executed. */
  readonly entered: readonly string[];
  /** Those of which an instruction was executed with any of PSTATE.DAIF clear. */
  readonly unmasked: ReadonlySet<string>;
  readonly result: number | undefined;
  /** task_struct.kretprobe_instances at the end. */
  readonly instances: number | undefined;
}

/** Execute a traced function without interrupting it. */
function runTraced(entry: string, by: RealTracer, args: ScenarioArgument[]): TracedRun {
  const parts = lab.machineFor(undefined, undefined, { file: 'vmlinux', path: LEAF_KERNEL });
  if (!parts.ok) throw new Error(parts.error.message);
  const { machine, stacks } = parts.value;
  const { kernel, stepper, symbols, memory } = machine;
  const tracing = { by };
  const set = setUpScenario(machine, { name: entry, summary: '', entry, tracing, args });
  if (typeof set !== 'number') throw new Error(describeSetupError(set));
  stacks.switchTo(kernel.roles.initTask);
  const cpu = new ScenarioCpu(machine, stacks);
  const entered: string[] = [];
  const unmasked = new Set<string>();
  for (let i = 0; stepper.pc !== kernel.roles.threadDone; i++) {
    const found = symbols.at(stepper.pc);
    const name = found?.symbol.name ?? 'slot';
    if ((found?.offset ?? 0) === 0) entered.push(name);
    const pstate = stepper.registers.words[2 * Reg.PSTATE] ?? 0;
    if ((pstate & DAIF) !== DAIF) unmasked.add(name);
    if (i === DEFAULT_BUDGET || !cpu.step()) throw new Error(`${cpu.problem} in ${name}`);
  }
  return {
    entered,
    unmasked,
    result: threadResult(machine),
    instances: memory.readAddress(kernel.roles.initTask + kernel.offsets.taskKretprobes),
  };
}

/** PSTATE.{D, A, I, F}. */
const DAIF = 0x3c0;

describe.skipIf(!HAS_KERNELS)("a real kretprobe's entry", () => {
  const ENTRY = ['kprobe_brk_handler', 'pre_handler_kretprobe', 'stub_handler'].concat(
    ['arch_prepare_kretprobe', 'slot', 'slot', 'kprobe_ss_brk_handler', 'post_kprobe_handler'],
    ['__kretprobe_trampoline', 'kretprobe_brk_handler', '__kretprobe_trampoline_handler'],
    ['stub_handler', 'arch_kretprobe_fixup_return', 'objpool_push.isra.0'],
  );
  const onPath = ({ entered }: TracedRun) => entered.filter((name) => ENTRY.includes(name));

  it('is run by the kernel from the breakpoint to the pool, all of it masked', () => {
    const run = runTraced('int_sqrt', 'kretprobe', [{ number: 1000 }]);
    expect(onPath(run)).toEqual(ENTRY);
    expect(run.result).toBe(31);
    expect(run.instances).toBe(0);
    // Whatever is executed between a breakpoint and its ERET, also the instruction in the slot.
    const mine = [
      'stub_thread',
      'stub_done',
      'ret_from_fork',
      'int_sqrt',
      '__kretprobe_trampoline',
    ];
    expect([...run.unmasked].filter((name) => !mine.includes(name))).toEqual([]);
  });

  it('simulates an instruction that cannot be stepped, and takes a probe inside of itself', () => {
    // Begins with CBZ, and is called by the pre-handler: its own breakpoint there counts as missed.
    const run = runTraced('_find_first_bit', 'kretprobe', [
      { buffer: { size: 8 } },
      { number: 64 },
    ]);
    const simulated = run.entered.filter((name) => name.startsWith('simulate_'));
    expect(simulated).toEqual(['simulate_cbz_cbnz']);
    expect(run.entered).not.toContain('kprobe_ss_brk_handler');
    expect([run.result, run.instances]).toEqual([64, 0]);
    const nested = runTraced('_find_next_bit', 'kretprobe', [
      ...[{ buffer: { size: 8 } }, { number: 64 }, { number: 0 }],
    ]);
    const missed = nested.entered.filter((name) => name === 'kprobes_inc_nmissed_count');
    expect(missed).toHaveLength(1);
    expect([nested.result, nested.instances]).toEqual([64, 0]);
  });

  it('is refused where the kernel refuses a kprobe', () => {
    expect(() => runTraced('get_kprobe', 'kretprobe', [])).toThrow(
      /no kprobe at get_kprobe: blacklisted/,
    );
  });
});

describe.skipIf(!HAS_KERNELS)('a real kretprobe', () => {
  it('returns through the trampoline, and cannot be interrupted in its handler', async () => {
    const result = await unit('kretprobe:int_sqrt', ['sframe-strict'], 'both', SQRT);
    expect(result.problems).toEqual([]);
    expect(result.disagreements).toEqual([]);
    expect([result.finished, result.result]).toEqual([true, 31]);
    // The breakpoint, and what handles it: far more instructions than the function has.
    expect(result.instructions).toBeGreaterThan(300);
    const verdicts = verdictsAt(result.walks, 'sframe-strict');
    expect(verdicts.get('__kretprobe_trampoline+0x0')).toBe('unreliable');
    expect([...verdicts.values()].filter((verdict) => verdict === 'missing')).toEqual([]);
  });
});
