/** A real kernel's own C unwinder, called where its interrupt handler asks for a walk. */
import { existsSync } from 'node:fs';
import { expect, it } from 'vitest';
import { DriverStatus } from '../../kernel-model/exception-driver.js';
import { Kind } from '../../kernel-model/exception-kind.js';
import { finalRecordOf } from '../../kernel-model/thread-call.js';
import { kernelTarget, SELF_ARGUMENTS } from '../../sweep/kernel-target.js';
import { Lab } from '../../sweep/lab.js';
import { setUpScenario } from '../../sweep/scenario-setup.js';
import { walkDifference } from '../../sweep/stack-walker.js';
import { POLICIES } from '../../unwinder/policies/all.js';
import type { PolicyName } from '../../unwinder/policy.js';
import { WalkResult } from '../../unwinder/walk-result.js';
import { backend, must } from '../cpu-fixture.js';
import { repositoryPath, stepTo } from '../machine-fixture.js';

const KERNEL = repositoryPath('../shared/kernels/vmlinux-7.3-rc7-leaf.gz');
const VARIANTS: readonly PolicyName[] = [
  'frame-pointer',
  'sframe-v5',
  'sframe-v6',
  'sframe-strict',
];

it.skipIf(!existsSync(KERNEL))('drops the error of a walk in variants 5 and 6 only', () => {
  const source = { file: 'vmlinux', path: KERNEL };
  const lab = must(Lab.create(backend()));
  const { machine, driver, stacks, guest, walker } = must(
    lab.machineFor(undefined, 'linux', source),
  );
  const { scenario } = kernelTarget(source, { name: '__pi_strlen', args: SELF_ARGUMENTS });
  const entry = setUpScenario(machine, scenario);
  if (typeof entry !== 'number' || guest === undefined) throw new Error('no set-up');
  const { initTask } = machine.kernel.roles;
  stacks.switchTo(initTask);
  stepTo(machine, entry);
  const walk = new WalkResult();
  const model = new WalkResult();
  const answers = (): string[] => {
    driver.interruptAt(machine.stepper.registers);
    expect(driver.enter(Kind.IRQ)).toBe(DriverStatus.DONE);
    walker.prepare(driver.request);
    guest.prepare(driver.request);
    const found = VARIANTS.map((name) => {
      guest.walk(POLICIES[name], 'reliable', walk);
      walker.walk(POLICIES[name], 'reliable', model);
      expect(walkDifference(walk, model, 'reliable')).toBe(undefined);
      return `${name} ${walk.status === 0 ? 'reliable' : 'refused'} ${walk.count}`;
    });
    guest.finish();
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
