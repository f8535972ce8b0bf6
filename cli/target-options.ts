/** Finds what to run: scenarios of the catalogue, or a function of the user's own ELF. */
import { resolve } from 'node:path';
import type { ElfImage } from '../elf/image.js';
import { nearestNames } from '../elf/symbol-names.js';
import { allTargets, FAMILIES, selectTargets } from '../targets/catalogue.js';
import { parseArguments } from '../targets/image-argument.js';
import { imageTarget } from '../targets/image-target.js';
import type { LabTarget } from '../lab/target.js';
import { once, type OptionText } from './option-values.js';
import { didYouMean, UsageError } from './usage-error.js';

/** The options that name a target. */
export interface TargetArguments {
  readonly scenario?: readonly string[] | undefined;
  readonly image?: OptionText;
  readonly function?: OptionText;
  readonly args?: readonly string[] | undefined;
}

/** The targets, checked before anything starts, and lines for standard error. @throws UsageError */
export function targetsOf(given: TargetArguments): {
  readonly targets: readonly LabTarget[];
  readonly notes: readonly string[];
  readonly elf?: ElfImage;
} {
  const file = once('image', given.image);
  const patterns = given.scenario ?? [];
  if (file === undefined) {
    for (const name of ['function', 'args'] as const) {
      if (given[name] !== undefined) throw new UsageError(`--${name} needs --image`);
    }
    return { targets: catalogueTargets(patterns), notes: [] };
  }
  const fn = once('function', given.function);
  if (fn === undefined) throw new UsageError('--image needs --function');
  if (patterns.length > 0) {
    throw new UsageError(`--image and the scenario '${patterns[0] ?? ''}' cannot be combined`);
  }
  const args = parseArguments(given.args ?? []);
  if (!args.ok) throw new UsageError(args.error);
  const called = given.args === undefined ? {} : { args: args.value };
  const made = imageTarget({ file, absolutePath: resolve(file), fn, ...called });
  if (!made.ok) throw new UsageError(made.error);
  const { target, image, lacksSFrame, note } = made.value;
  const notes = [
    ...(lacksSFrame
      ? [`warning: ${file} has no .sframe: no policy that uses SFrame can be exact in it`]
      : []),
    ...(note === undefined ? [] : [`warning: ${note}`]),
  ];
  return { targets: [target], notes, elf: image };
}

function catalogueTargets(patterns: readonly string[]): readonly LabTarget[] {
  const selected = selectTargets(patterns);
  if (!('unknown' in selected)) return selected;
  const { unknown } = selected;
  const known = [
    ...FAMILIES.map(({ name }) => name),
    ...allTargets().map(({ scenario }) => scenario.name),
  ];
  const near = didYouMean(nearestNames(unknown, known, 3));
  throw new UsageError(`no scenario '${unknown}'${near || '; `kunwind-lab list` names them'}`);
}
