/**
 * Timelines for tests. One machine is kept for each ELF as long as the process lives, whatever test file
 * asks for it: so the last timeline made is the live one.
 */
import type { ReplayOptions } from '../../debug/replay.js';
import { Timeline } from '../../debug/timeline.js';
import { allTargets } from '../../targets/catalogue.js';
import { Lab } from '../../lab/lab.js';
import type { LabTarget } from '../../lab/target.js';
import { backend, must } from '../cpu-fixture.js';

let lab: Lab | undefined;

/** A target of the catalogue by its scenario's name. */
export function targetNamed(name: string): LabTarget {
  const target = allTargets().find(({ scenario }) => scenario.name === name);
  if (target === undefined) throw new Error(`no scenario ${name}`);
  return target;
}

/** A timeline at the first instruction of a target's thread. */
export function timelineOf(target: LabTarget, options: ReplayOptions = {}): Timeline {
  lab ??= must(Lab.create(backend()));
  const parts = must(lab.machineFor(target.elf, target.scenario.kernel, target.vmlinux));
  return must(Timeline.start(parts, target.scenario, options));
}

/** The same by name. */
export function timeline(name: string, options: ReplayOptions = {}): Timeline {
  return timelineOf(targetNamed(name), options);
}
