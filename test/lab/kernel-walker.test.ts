/**
 * The guest kernel's own unwinder beside the model: they answer alike in every family, a defect in
 * either shows, and a call leaves nothing behind.
 */
import { describe, expect, it } from 'vitest';
import { Disassembler } from '../../aarch64/disassembler.js';
import { ALL_KINDS, Kind } from '../../kernel-model/exception-kind.js';
import { DriverStatus } from '../../kernel-model/exception-driver.js';
import { setUpScenario } from '../../lab/scenario-setup.js';
import { allTargets } from '../../targets/catalogue.js';
import type * as LabModule from '../../lab/lab.js';
import { Lab } from '../../lab/lab.js';
import type * as RunUnitModule from '../../sweep/run-unit.js';
import { UnitRunner } from '../../sweep/run-unit.js';
import type { UnwinderChoice } from '../../lab/stack-walker.js';
import type { UnitRequest, UnitResult } from '../../sweep/unit.js';
import type { LabTarget } from '../../lab/target.js';
import { POLICIES } from '../../unwinder/policies/all.js';
import type { PolicyName } from '../../unwinder/policy.js';
import { WalkResult } from '../../unwinder/walk-result.js';
import { backend, must } from '../cpu-fixture.js';
import { stepTo } from '../machine-fixture.js';
import { guestEdit } from '../defects/defect.js';
import type { ElfEdit } from '../defects/elf-edit.js';
import { Planter } from '../defects/planted.js';
import type { SourceEdit } from '../defects/source-edit.js';
import { UNWINDER_EDITS } from '../defects/source-edits.js';

const ALL_POLICIES = Object.keys(POLICIES) as PolicyName[];

function target(name: string): LabTarget {
  const found = allTargets().find(({ scenario }) => scenario.name === name);
  if (found === undefined) throw new Error(`no scenario ${name}`);
  return found;
}

interface Asked {
  readonly unwinder?: UnwinderChoice;
  readonly policies?: readonly PolicyName[];
  readonly stepped?: boolean;
  readonly to?: number;
  readonly inner?: boolean;
}

/** What executes a unit: ours, or that of a copy of the package. */
interface Harness {
  readonly Lab: typeof Lab;
  readonly UnitRunner: typeof UnitRunner;
}

/** Take exceptions at the first instructions of a scenario. */
async function ask(
  name: string,
  asked: Asked = {},
  harness: Harness = { Lab, UnitRunner },
): Promise<UnitResult> {
  const lab = must(harness.Lab.create(backend()));
  const request: UnitRequest = {
    id: 0,
    target: target(name),
    policies: asked.policies ?? ALL_POLICIES,
    unwinder: asked.unwinder ?? 'both',
    stepped: asked.stepped === true,
    range: {
      from: 0,
      to: asked.to ?? 40,
      kinds: asked.inner === true ? 0 : ALL_KINDS,
      outerKinds: asked.inner === true ? 1 << Kind.NMI : 0,
      innerKinds: asked.inner === true ? ALL_KINDS : 0,
      innerFrom: 0,
      innerTo: Infinity,
      budget: 100_000,
    },
  };
  try {
    return await new harness.UnitRunner(lab).run(request);
  } finally {
    lab.close();
  }
}

const planter = new Planter(must(await Disassembler.create()));

/** As {@link ask}, with a defect planted. */
function askPlanted(
  edit: SourceEdit | ElfEdit,
  name: string,
  asked: Asked = {},
): Promise<UnitResult> {
  const { copy } = planter;
  return planter.planted(edit, async () => {
    const lab = await copy.import<typeof LabModule>('lab/lab.ts');
    const runUnit = await copy.import<typeof RunUnitModule>('sweep/run-unit.ts');
    return ask(name, asked, { Lab: lab.Lab, UnitRunner: runUnit.UnitRunner });
  });
}

/** In what the two differ, and under which policies, sorted. */
function differences({ disagreements }: UnitResult): string[] {
  const found = disagreements.map(({ difference, example }) => `${difference} ${example.policy}`);
  return [...new Set(found)].sort();
}

describe('the guest kernel and the model answer alike', () => {
  it.each([
    'calls/compiled-top',
    'calls/compiled-pac-a',
    'calls/dynamic-sp',
    'calls/lr-in-register',
    'leaf/memset',
    'fgraph/tail',
    'fgraph/recover-tail',
    'kretprobe/brk-tail-fgraph',
    'kretprobe/recover-regs-graph-then-probe',
    'tasks/blocked',
    'sdei/leaf',
    'review/frame-address-not-sp',
    'review/tracked-sp-alloca',
    'review/cfa-bit4-set',
  ])('in %s', async (name) => {
    // Before the other task has run, there is nothing of it to walk.
    const result = await ask(name, { to: name.startsWith('tasks/') ? 400 : 40 });
    expect(result.problems).toEqual([]);
    expect(differences(result)).toEqual([]);
    expect(result.points).toBeGreaterThan(20);
  });

  it('inside another exception', async () => {
    const result = await ask('calls/leaf', { inner: true, to: 1 });
    expect(differences(result)).toEqual([]);
    expect(result.points).toBeGreaterThan(200);
  });

  it('when the call is executed step by step, with signed return addresses', async () => {
    const asked: Asked = { policies: ['sframe-strict'], to: 6 };
    const stepped = await ask('calls/compiled-pac-a', { ...asked, stepped: true });
    const free = await ask('calls/compiled-pac-a', asked);
    expect(differences(stepped)).toEqual([]);
    expect(stepped.cells).toEqual(free.cells);
  });
});

describe('a defect shows as a disagreement', () => {
  it('in the model', async () => {
    const result = await askPlanted(UNWINDER_EDITS['wrong-alignment-mask'], 'calls/compiled-top');
    expect(differences(result)).toContain('reliability sframe-strict');
    expect(differences(result)).not.toContain('reliability frame-pointer');
    const [first] = result.disagreements;
    expect(first?.model.reason).toBe('cfa-misaligned');
    expect(first?.example.reason).toBe('');
  });

  it('in the guest: a WARN that is gone', async () => {
    const edit = guestEdit('next_metadata_record', (code) => {
      code.drop(/^brk/);
    });
    const result = await askPlanted(edit, 'calls/lr-in-register');
    expect(differences(result)).toEqual(['warnings sframe-v5']);
  });

  it('in the guest: a return address keeps its signature', async () => {
    const edit = guestEdit('next_frame_record', (code) => {
      // ORR X2, X3, #0xffff000000000000 becomes MOV X2, X3.
      code.words[code.find(/^orr x2, x3, #0xffff000000000000/)] = 0xaa0303e2;
    });
    const asked: Asked = { policies: ['sframe-strict'] };
    const result = await askPlanted(edit, 'calls/compiled-pac-a', asked);
    expect(differences(result)).toEqual(['entries sframe-strict']);
  });

  it('in the guest: an error, with its name and the function that returned it first', async () => {
    const edit = guestEdit('next_frame_record', (code) => {
      code.words[0] = 0x128002a0; // mov w0, #-22
      code.words[1] = 0xd65f03c0; // ret
    });
    const result = await askPlanted(edit, 'calls/leaf', { policies: ['frame-pointer'] });
    const reliable = result.disagreements.filter(({ example }) => example.mode === 'reliable');
    expect(new Set(reliable.map(({ example }) => example.reason))).toEqual(
      new Set(['kernel-error: -EINVAL returned by next_frame_record']),
    );
  });

  const stops = guestEdit('kunwind_walk_reliable', (code) => {
    code.words[0] = 0xd4200020; // brk #1
  });

  it('in the guest: a stop that is no return is a fault', async () => {
    const result = await askPlanted(stops, 'calls/leaf', { policies: ['frame-pointer'] });
    expect(differences(result)).toEqual(['faults frame-pointer']);
    const verdicts = result.cells.filter(({ mode }) => mode === 'reliable');
    expect(verdicts.every(({ verdict }) => verdict === 'fault')).toBe(true);
  });

  it('only where the kernel is asked', async () => {
    const model = await askPlanted(stops, 'calls/leaf', { unwinder: 'model' });
    expect(model.disagreements).toEqual([]);
    const checked = await askPlanted(stops, 'calls/leaf', { unwinder: 'checked' });
    expect(checked.disagreements.length).toBeGreaterThan(0);
    expect(checked.cells).toEqual(model.cells);
  });
});

describe('a walk by the kernel', () => {
  it('cannot say in best-effort mode that it stopped early', async () => {
    const result = await ask('calls/leaf', { unwinder: 'kernel', policies: ['frame-pointer'] });
    const counted = result.cells.filter(({ mode }) => mode === 'best-effort');
    expect(new Set(counted.map(({ verdict }) => verdict))).toEqual(new Set(['exact', 'missing']));
  });

  it('leaves registers, stacks and all other memory as they were, also when an error is explained', () => {
    const lab = must(Lab.create(backend()));
    const { elf, scenario } = target('calls/compiled-top');
    const { machine, driver, stacks, kernelUnwinder: kernel } = must(lab.machineFor(elf));
    const entry = setUpScenario(machine, scenario);
    if (typeof entry !== 'number' || kernel === undefined) throw new Error('no set-up');
    stacks.switchTo(machine.kernel.roles.initTask);
    stepTo(machine, entry);
    const walk = new WalkResult();
    // The first time a path is learned step by step; the second time it is run freely.
    for (let time = 0; time < 2; time++) {
      driver.interruptAt(machine.stepper.registers);
      expect(driver.enter(Kind.IRQ)).toBe(DriverStatus.DONE);
      const before = machine.memory.regions.map(({ bytes }) => Buffer.from(bytes));
      kernel.prepare(driver.request);
      kernel.walk(POLICIES['sframe-strict'], 'reliable', walk);
      expect(walk.status).toBe(0);
      expect(walk.count).toBeGreaterThan(8);
      kernel.walk(POLICIES['sframe-strict'], 'best-effort', walk);
      kernel.walk(POLICIES['frame-pointer'], 'reliable', walk);
      kernel.findOrigin(walk);
      expect(walk.errno).toBe(-22);
      expect(machine.symbols.at(walk.failedAt)?.symbol.name).toBe('kunwind_walk_reliable');
      kernel.finish();
      const touched = machine.memory.regions.flatMap(({ bytes, low }, region) =>
        Array.from(bytes.keys())
          .filter((i) => bytes[i] !== before[region]?.[i])
          .map((i) => low + i),
      );
      const own = ['stub_trace', 'kunwind_variant', 'kw_sframe_sections'].map(
        (name) => machine.symbols.byName(name)?.address ?? 0,
      );
      const foreign = touched.filter((at) => !own.some((low) => at >= low && at < low + 24 + 4096));
      expect(foreign).toEqual([]);
      expect(driver.leave()).toBe(DriverStatus.DONE);
    }
    lab.close();
  });
});
