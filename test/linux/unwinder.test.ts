/** A real kernel's own C unwinder, called where its interrupt handler asks for a walk. */
import { expect, it } from 'vitest';
import { highWord, lowWord } from '../../base/address.js';
import { DriverStatus } from '../../kernel-model/exception-driver.js';
import { Kind } from '../../kernel-model/exception-kind.js';
import { finalRecordOf } from '../../kernel-model/thread-call.js';
import { SELF_ARGUMENTS } from '../../targets/arm64-routines.js';
import { kernelTarget } from '../../targets/kernel-target.js';
import { Lab } from '../../lab/lab.js';
import { setUpScenario } from '../../lab/scenario-setup.js';
import { walkDifference } from '../../lab/stack-walker.js';
import { POLICIES } from '../../unwinder/policies/all.js';
import type { PolicyName } from '../../unwinder/policy.js';
import { WalkResult } from '../../unwinder/walk-result.js';
import { backend, must } from '../cpu-fixture.js';
import { stepTo } from '../machine-fixture.js';
import { HAS_KERNELS, LEAF_KERNEL } from './kernels.js';

const VARIANTS: readonly PolicyName[] = [
  'frame-pointer',
  'sframe-v5',
  'sframe-v6',
  'sframe-strict',
];

/** At the entry of a function of the kernel. */
function inStrlen() {
  const source = { file: 'vmlinux', path: LEAF_KERNEL };
  const lab = must(Lab.create(backend()));
  const parts = must(lab.machineFor(undefined, 'linux', source));
  const { machine, driver, stacks, kernelUnwinder: kernel, model } = parts;
  const { scenario } = kernelTarget(source, { name: '__pi_strlen', args: SELF_ARGUMENTS });
  const entry = setUpScenario(machine, scenario);
  if (typeof entry !== 'number' || kernel === undefined) throw new Error('no set-up');
  const { initTask } = machine.kernel.roles;
  stacks.switchTo(initTask);
  stepTo(machine, entry);
  return { lab, machine, driver, stacks, kernel, model, initTask };
}

it.skipIf(!HAS_KERNELS)('drops the error of a walk in variants 5 and 6 only', () => {
  const { lab, machine, driver, stacks, kernel, model, initTask } = inStrlen();
  const walk = new WalkResult();
  const modelled = new WalkResult();
  const answers = (): string[] => {
    driver.interruptAt(machine.stepper.registers);
    expect(driver.enter(Kind.IRQ)).toBe(DriverStatus.DONE);
    model.prepare(driver.request);
    kernel.prepare(driver.request);
    const found = VARIANTS.map((name) => {
      kernel.walk(POLICIES[name], 'reliable', walk);
      model.walk(POLICIES[name], 'reliable', modelled);
      expect(walkDifference(walk, modelled, 'reliable')).toBe(undefined);
      return `${name} ${walk.status === 0 ? 'reliable' : 'refused'} ${walk.count}`;
    });
    kernel.finish();
    expect(driver.leave()).toBe(DriverStatus.DONE);
    return found;
  };
  expect(answers()).toEqual([
    'frame-pointer refused 6',
    'sframe-v5 reliable 9',
    'sframe-v6 reliable 9',
    'sframe-strict reliable 9',
  ]);
  // The end of the stack leads nowhere: what should be the final record is an ordinary one.
  machine.memory.writeAddress(finalRecordOf(stacks.ofTask(initTask)?.low ?? 0), 0x10);
  expect(answers()).toEqual([
    'frame-pointer refused 6',
    'sframe-v5 reliable 10',
    'sframe-v6 reliable 10',
    'sframe-strict refused 10',
  ]);
  lab.close();
});

it.skipIf(!HAS_KERNELS)('warns at every walk, also by WARN_ONCE()', () => {
  const { lab, machine, driver, kernel } = inStrlen();
  const address = (name: string): number => machine.kernel.symbol(name) ?? NaN;
  const fn = address('arch_stack_walk_reliable');
  const once = address('__start_once');
  const code = [
    0x58000104, // ldr x4, .+32
    0x39400085, // ldrb w5, [x4]
    0x35000085, // cbnz w5, .+16
    0x52800025, // mov w5, #1
    0x39000085, // strb w5, [x4]
    0xd4210000, // brk #0x800
    0xd2800000, // mov x0, #0
    0xd65f03c0, // ret
    lowWord(once),
    highWord(once),
  ];
  machine.patchCode(code.map((word, i) => ({ address: fn + 4 * i, word })));
  driver.interruptAt(machine.stepper.registers);
  expect(driver.enter(Kind.IRQ)).toBe(DriverStatus.DONE);
  kernel.prepare(driver.request);
  const walk = new WalkResult();
  const warned = [1, 2, 3].map(() => {
    kernel.walk(POLICIES['sframe-strict'], 'reliable', walk);
    return walk.warned !== 0;
  });
  expect(warned).toEqual([true, true, true]);
  kernel.finish();
  expect(driver.leave()).toBe(DriverStatus.DONE);
  lab.close();
});
