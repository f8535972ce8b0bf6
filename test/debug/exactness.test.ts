/** Going back and forth on scenarios of every family: a position is one machine state. */
import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Timeline } from '../../debug/timeline.js';
import { Reg, SYSTEM_REGISTERS } from '../../emulator/registers.js';
import { KIND_COUNT } from '../../kernel-model/exception-kind.js';
import { allTargets } from '../../targets/catalogue.js';
import { kernelTargets } from '../../targets/kernel-target.js';
import type { LabTarget } from '../../lab/target.js';
import { must } from '../cpu-fixture.js';
import { sample } from '../exhaustive.js';
import { repositoryPath } from '../machine-fixture.js';
import { newSeed, randomIntegers } from '../random.js';
import { timelineOf } from './timeline-fixture.js';

/** Positions of a scenario that the test goes to. */
const CAP = 1500;
const ROUNDS = 3;
const FPCR = SYSTEM_REGISTERS.indexOf('fpcr');

const seed = newSeed();
const random = randomIntegers(seed);

/** Functions of kernels that run by themselves: the built-in one's, and a real one's where it is there. */
function kernelFunctions(): LabTarget[] {
  const of = (file: string, functions: readonly string[]): readonly LabTarget[] => {
    const path = repositoryPath(file);
    if (!existsSync(path)) return [];
    return must(kernelTargets({ source: { file, path }, functions })).targets;
  };
  return [
    ...of('kernel-model/guest/vmlinux', ['unregister_kprobe']),
    ...of('../shared/kernels/vmlinux-7.3-rc7-leaf.gz', ['fgraph:int_sqrt', 'kretprobe:int_sqrt']),
  ];
}

/** Scenarios of each ELF in the catalogue, which come one after the other, so each machine is built once. */
function scenariosOfEachElf(): LabTarget[] {
  const all = allTargets();
  const elfs = new Set(all.map(({ elf }) => elf));
  return [...elfs].flatMap((elf) => {
    const of = all.filter((target) => target.elf === elf);
    return sample(of, Math.max(2, Math.ceil(of.length / 6)));
  });
}

/** Back `n` and forward `n` from here is the same state; so is the state in between, seen twice. */
function backAndForth(line: Timeline, n: number): void {
  const { position } = line;
  const here = line.fingerprint();
  line.goBack(n);
  expect(line.position).toBe(Math.max(0, position - n));
  const there = line.fingerprint();
  line.goTo(position);
  expect(line.position, 'forward again').toBe(position);
  expect(line.fingerprint(), `back ${n} and forward again`).toBe(here);
  line.goBack(n);
  expect(line.fingerprint(), `back ${n} twice`).toBe(there);
  line.goTo(position);
}

/** Take a random possible exception here. */
function interruptSomehow(line: Timeline): void {
  const possible = line.possibleKinds();
  const kinds = Array.from({ length: KIND_COUNT }, (_, kind) => kind);
  const choice = kinds.filter((kind) => (possible & (1 << kind)) !== 0);
  const kind = choice[random(choice.length)];
  if (kind !== undefined) expect(line.interrupt(kind).reason).toBe('moved');
}

describe(`reverse execution (KUNWIND_SEED=${seed})`, () => {
  const targets = [...scenariosOfEachElf(), ...kernelFunctions()];
  it.each(targets.map((target) => [target.scenario.name, target] as const))(
    'is exact in %s',
    (_, target) => {
      const line = timelineOf(target, { interval: 64 });
      for (let round = 0; round < ROUNDS; round++) {
        line.goTo(random(CAP));
        backAndForth(line, 1 + random(200));
      }
      line.goTo(random(CAP));
      if (line.isAtEnd) line.stepBack();
      const before = line.position;
      const untouched = line.fingerprint();
      // An exception inside an exception, and a changed register and stack word inside both.
      interruptSomehow(line);
      line.stepForward(1 + random(60));
      interruptSomehow(line);
      line.stepForward(1 + random(60));
      const sp = line.registers().get(Reg.SP);
      line.edit({ kind: 'register', index: 9, low: random(1 << 30), high: 0 });
      line.edit({ kind: 'memory', address: sp - 64, bytes: Uint8Array.of(1, 2, 3, 4) });
      line.edit({ kind: 'vector', index: 3, bytes: new Uint8Array(16).fill(random(256)) });
      line.edit({ kind: 'system', index: FPCR, low: 1 << (22 + random(4)), high: 0 });
      line.stepForward(random(1200));
      backAndForth(line, 1 + random(1200));
      backAndForth(line, line.position - before);
      backAndForth(line, 1);
      line.goTo(before);
      expect(line.fingerprint(), 'before the first input').toBe(untouched);
    },
  );
});
