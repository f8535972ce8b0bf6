/** Machines for tests: the guest kernel with a scenario ELF beside it, and a sweep over one. */
import { fileURLToPath } from 'node:url';
import { type ElfImage, loadElf } from '../elf/image.js';
import { StepStatus } from '../emulator/stepping-cpu.js';
import { ExceptionDriver } from '../kernel-model/exception-driver.js';
import { type KernelImage, resolveKernel } from '../kernel-model/kernel-image.js';
import { Machine } from '../kernel-model/machine.js';
import { KernelStacks } from '../kernel-model/stacks.js';
import type { Scenario } from '../scenarios/scenario.js';
import { FunctionIndex } from '../lab/function-index.js';
import { ModelWalker } from '../lab/model-walker.js';
import { buildRules } from '../lab/rules.js';
import { describeSetupError, setUpScenario } from '../lab/scenario-setup.js';
import type { LabParts } from '../lab/lab-parts.js';
import { Judge } from '../lab/judge.js';
import type { UnwindDefect } from '../unwinder/walk-defect.js';
import { backend, must } from './cpu-fixture.js';

/** A file of the repository. */
export function repositoryPath(path: string): string {
  return fileURLToPath(new URL(`../${path}`, import.meta.url));
}

export type FamilyName =
  'calls' | 'leaf' | 'fgraph' | 'tasks' | 'sdei' | 'entry' | 'kunit' | 'kretprobe' | 'review';

const images = new Map<string, ElfImage>();

function image(path: string): ElfImage {
  const known = images.get(path);
  if (known !== undefined) return known;
  const loaded = must(loadElf(repositoryPath(path)));
  images.set(path, loaded);
  return loaded;
}

/** The built-in guest kernel. */
export function guestKernel(): KernelImage {
  return must(resolveKernel(image('kernel-model/guest/vmlinux')));
}

/** The one with the reordered return path of function graph. */
export function recoverKernel(): KernelImage {
  return must(resolveKernel(image('kernel-model/guest/vmlinux-recover')));
}

/** A family's code under test. */
export function familyElf(family: FamilyName): ElfImage {
  return image(`scenarios/${family}/${family}.elf`);
}

/** Everything that a sweep of a family needs. */
export function sweepParts(family: FamilyName, defect?: UnwindDefect): LabParts {
  const kernel = guestKernel();
  const elf = familyElf(family);
  const machine = must(Machine.create(backend(), kernel, [elf]));
  const stacks = must(KernelStacks.create(kernel, machine.memory, kernel.roles.initTask));
  const rules = must(buildRules([kernel.elf, elf]));
  return {
    machine,
    stacks,
    rules,
    driver: new ExceptionDriver(machine, stacks),
    model: new ModelWalker(machine, stacks, rules, defect),
    judge: new Judge(kernel.trampolines),
    functions: new FunctionIndex(machine),
  };
}

/** A scenario as a test needs one. */
export function scenario(entry: string, args: readonly number[], traced?: string[]): Scenario {
  return {
    name: `test/${entry}`,
    summary: entry,
    entry,
    args: args.map((number) => ({ number })),
    ...(traced === undefined ? {} : { traced }),
  };
}

export const SCENARIOS = {
  trivial: scenario('entry_trivial', [5]),
  irqsOff: scenario('entry_irqs_off', [5]),
  fgraphLeaf: scenario('fgraph_leaf_entry', [10], ['fgraph_leaf']),
  fgraphTail: scenario(
    'fgraph_tail_entry',
    [10],
    ['fgraph_tail_first', 'fgraph_tail_second', 'fgraph_tail_third'],
  ),
  tasks: scenario('tasks_switch_entry', [3, 7]),
  prologue: scenario('sdei_prologue_entry', [5]),
  pac: scenario('pac_entry', [100]),
  indirect: scenario('indirect_entry', [12]),
};

/** Set a scenario up; the address of its entry function. */
export function setUp(machine: Machine, which: Scenario): number {
  const entry = setUpScenario(machine, which);
  if (typeof entry !== 'number') throw new Error(describeSetupError(entry));
  return entry;
}

/** Step until an address; throws with the reason when that fails. */
export function stepTo(machine: Machine, address: number, budget = 20_000): void {
  const cpu = machine.stepper;
  const status = cpu.runTo(address, budget);
  if (status !== StepStatus.DONE || cpu.pc !== address) throw new Error(cpu.describe(status));
}
