/** All built-in scenarios, and the ELF files with their code. */
import { family as calls } from '../scenarios/calls/calls.js';
import { family as entry } from '../scenarios/entry/entry.js';
import { family as fgraph } from '../scenarios/fgraph/fgraph.js';
import { family as kretprobe } from '../scenarios/kretprobe/kretprobe.js';
import { family as kunit } from '../scenarios/kunit/kunit.js';
import { family as leaf } from '../scenarios/leaf/leaf.js';
import { family as review } from '../scenarios/review/review.js';
import { family as sdei } from '../scenarios/sdei/sdei.js';
import { family as tasks } from '../scenarios/tasks/tasks.js';
import type { GuestKernelName, ScenarioFamily } from '../scenarios/scenario.js';
import { matchesPattern } from '../base/name-pattern.js';
import { packagePath } from '../base/package-path.js';
import type { LabTarget } from '../lab/target.js';

/** All scenario families, in the order of reports. */
export const FAMILIES: readonly ScenarioFamily[] = [
  calls,
  leaf,
  entry,
  fgraph,
  tasks,
  sdei,
  kunit,
  kretprobe,
  review,
];

/** All scenarios, each with the ELF that has its code. */
export function allTargets(): LabTarget[] {
  return FAMILIES.flatMap(targetsOf);
}

function targetsOf(family: ScenarioFamily): LabTarget[] {
  return family.scenarios.map((scenario) => {
    const elf = scenarioElf(family, scenario.kernel ?? 'linux');
    return elf === undefined ? { scenario } : { scenario, elf };
  });
}

/** Path of the ELF with a family's code, linked against a guest kernel; undefined if it has none. */
export function scenarioElf(
  { name, elf }: ScenarioFamily,
  kernel: GuestKernelName,
): string | undefined {
  if (elf === undefined) return undefined;
  const file = kernel === 'linux' ? elf : elf.replace(/\.elf$/, '-recover.elf');
  return packagePath(`scenarios/${name}/${file}`);
}

/**
 * The scenarios that patterns match. A pattern is the name of a scenario or of a family, or has `*` for
 * any characters. Without patterns these are all scenarios.
 * @returns the targets in catalogue order, or the first pattern that matches none
 */
export function selectTargets(
  patterns: readonly string[],
): readonly LabTarget[] | { readonly unknown: string } {
  const targets = allTargets();
  if (patterns.length === 0) return targets;
  const chosen = new Set<LabTarget>();
  for (const pattern of patterns) {
    const matching = targets.filter(({ scenario }) => matchesName(pattern, scenario.name));
    if (matching.length === 0) return { unknown: pattern };
    for (const target of matching) chosen.add(target);
  }
  return targets.filter((target) => chosen.has(target));
}

function matchesName(pattern: string, name: string): boolean {
  return matchesPattern(pattern, name) || name.startsWith(`${pattern}/`);
}
