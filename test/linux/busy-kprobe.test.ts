/** Breakpoints that meet a kernel which is busy with another kprobe; only where ../shared/kernels is present. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BUSY_KPROBE_REASONS, NOT_BUSY } from '../../kernel-model/busy-kprobe.js';
import { DriverStatus } from '../../kernel-model/exception-driver.js';
import { Kind } from '../../kernel-model/exception-kind.js';
import { Experiment } from '../../lab/experiment.js';
import { Lab } from '../../lab/lab.js';
import type { LabParts } from '../../lab/lab-parts.js';
import { kernelTargets } from '../../targets/kernel-target.js';
import { sweeper } from '../cli/kernel-sweep.js';
import { run, scratchFolder } from '../cli/run-cli.js';
import { backend, must } from '../cpu-fixture.js';
import { HAS_KERNELS, LEAF_KERNEL } from './kernels.js';

const folder = scratchFolder();
let lab: Lab;
let parts: LabParts;

beforeAll(() => {
  if (!HAS_KERNELS) return;
  lab = must(Lab.create(backend()));
  parts = must(lab.machineFor(undefined, undefined, { file: 'vmlinux', path: LEAF_KERNEL }));
});
afterAll(() => {
  folder.remove();
  if (HAS_KERNELS) lab.close();
});

/** An experiment at the first instruction of int_sqrt, where a breakpoint is possible. */
function atFunction(): Experiment {
  const source = { file: 'vmlinux', path: LEAF_KERNEL };
  const made = kernelTargets({ source, functions: ['int_sqrt'] });
  if (!made.ok) throw new Error(made.error);
  const [target] = made.value.targets;
  if (target === undefined) throw new Error('there is one target');
  const experiment = new Experiment(parts);
  const entry = experiment.setUp(target.scenario);
  while (parts.machine.stepper.pc !== entry) expect(experiment.cpu.step()).toBe(true);
  expect(experiment.possibleKinds() & (1 << Kind.BRK)).not.toBe(0);
  expect(experiment.busyKprobe()).toBe(NOT_BUSY);
  return experiment;
}

/** The address of a symbol that the kernel has. */
function symbol(name: string): number {
  const address = parts.machine.kernel.symbol(name);
  if (address === undefined) throw new Error(`the kernel has no ${name}`);
  return address;
}

describe.skipIf(!HAS_KERNELS)('a breakpoint while another kprobe is handled', () => {
  // What the kernel's own code then does is the proof that the reason is the right one.
  it.each([
    [0, 'kprobe-oops', /^die was called/],
    [1, 'kprobe-missed', /^the handler did not ask for a walk$/],
    [2, 'kprobe-missed', /^the handler did not ask for a walk$/],
    // "Failed to recover from reentered kprobes", and then a BUG.
    [4, 'kprobe-unrecoverable', /^_printk was called/],
    [8, 'kprobe-missed', /^the handler did not ask for a walk$/],
    [3, 'kprobe-oops', /^die was called/],
  ])('of status %i is %s', (status, reason, outcome) => {
    const experiment = atFunction();
    const { memory } = parts.machine;
    memory.writeAddress(symbol('current_kprobe'), symbol('kprobe_busy'));
    memory.writeWord(symbol('kprobe_ctlblk'), status);
    expect(experiment.possibleKinds() & (1 << Kind.BRK)).toBe(0);
    expect(BUSY_KPROBE_REASONS[experiment.busyKprobe()]).toBe(reason);
    experiment.interrupt();
    const entered = experiment.enter(Kind.BRK);
    expect(entered).toBe(DriverStatus.NO_REQUEST);
    expect(experiment.explain(entered).detail).toMatch(outcome);
  });

  it.each([
    ['kprobe_busy_begin', [], 6],
    // Called with registers of zeros it finds our kprobe, and calls our handler while it is busy.
    ['kprobe_brk_handler', ['--args', 'buf:512', 'buf:512'], 16],
  ])('in %s is counted, and no finding', async (fn, args, missed) => {
    const sweep = sweeper(folder.path, run);
    const policy = ['--policy', 'sframe-strict'];
    const { status, stdout, json } = await sweep(LEAF_KERNEL, '--function', fn, ...args, ...policy);
    expect(json?.scenarios[0]?.problems).toEqual([]);
    expect(json?.untaken).toEqual({ 'kprobe-missed': missed });
    expect(stdout).toMatch(new RegExp(`^ +${missed} {2}kprobe-missed: .*no handler$`, 'm'));
    expect(status).toBe(0);
  });
});
