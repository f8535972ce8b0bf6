/** What a planted defect is, and the ways to write one down. */
import type { Disassembler } from '../../aarch64/disassembler.js';
import type { ElfImage } from '../../elf/image.js';
import type { TruthDefect } from '../../kernel-model/ground-truth.js';
import type { GuestKernelName } from '../../scenarios/scenario.js';
import { selectTargets } from '../../targets/catalogue.js';
import type { LabTarget } from '../../lab/target.js';
import type { UnwindDefect } from '../../unwinder/walk-defect.js';
import { type CodePatch, patchCode } from './code-patch.js';
import type { Planted, Slice } from './defect-sweep.js';
import { type FunctionPatch, patchSFrame } from './sframe-patch.js';

/** One defect, and the fewest slices of the default sweep that show it. */
export interface Defect {
  /** What is wrong. */
  readonly name: string;
  /** Which part of the harness has it. */
  readonly where: string;
  readonly slices: readonly Slice[];
  /** Changes to images are made on top of the slice's own. */
  readonly plant: (disassembler: Disassembler) => Planted;
}

/** A change that makes no difference to any answer, and why. */
export interface Equivalent extends Defect {
  readonly reason: string;
}

const KERNELS: Readonly<Record<GuestKernelName, RegExp>> = {
  linux: /kernel-model\/guest\/vmlinux$/,
  'fgraph-recover': /kernel-model\/guest\/vmlinux-recover$/,
};

/** A scenario of the catalogue. */
export function scenario(name: string): LabTarget {
  const found = selectTargets([name]);
  if ('unknown' in found || found[0] === undefined) throw new Error(`no scenario ${name}`);
  return found[0];
}

/** Scenarios as a sweep of depth 1 runs them. */
export function slices(...names: readonly string[]): Slice[] {
  return names.map((name) => ({ target: scenario(name), depth: 1 }));
}

/** Instructions `[from, to)` of a scenario at depth 2, and those around them that make up units. */
export function nested(name: string, from: number, to: number): Slice {
  return { target: scenario(name), depth: 2, from, to, budget: NESTED_BUDGET };
}

/** Enough for a handler, its handler, and the longest scenario that is swept so. */
const NESTED_BUDGET = 2000;

/** A defect in the `.sframe` section of a family's ELF. */
export function sframeDefect(
  name: string,
  family: string,
  fn: string,
  on: readonly Slice[],
  change: (patch: FunctionPatch) => void,
): Defect {
  const isTarget = (image: ElfImage): boolean =>
    family === 'guest' ? KERNELS.linux.test(image.path) : image.path.endsWith(`/${family}.elf`);
  return {
    name,
    where: `.sframe of ${fn}`,
    slices: on,
    plant: () => ({
      image: (image) => (isTarget(image) ? patchSFrame(image, fn, change) : image),
    }),
  };
}

/** A defect in a guest kernel's code. */
export function guestDefect(
  name: string,
  fn: string,
  on: readonly Slice[],
  change: (patch: CodePatch) => void,
  kernel: GuestKernelName = 'linux',
): Defect {
  return {
    name,
    where: `guest ${fn}`,
    slices: on,
    plant: (disassembler) => ({
      image: (image) =>
        KERNELS[kernel].test(image.path) ? patchCode(image, disassembler, fn, change) : image,
    }),
  };
}

/** A defect in what the host takes for a guest symbol's value or size. */
export function roleDefect(
  name: string,
  symbol: string,
  on: readonly Slice[],
  change: { readonly address?: number; readonly size?: number },
  kernel: GuestKernelName = 'linux',
): Defect {
  return {
    name,
    where: `role ${symbol}`,
    slices: on,
    plant: () => ({
      image: (image) => {
        if (!KERNELS[kernel].test(image.path)) return image;
        const symbols = image.symbols.map((candidate) =>
          candidate.name === symbol ? { ...candidate, ...change } : candidate,
        );
        return { ...image, symbols };
      },
    }),
  };
}

export function unwinderDefect(unwinder: UnwindDefect, on: readonly Slice[]): Defect {
  return { name: unwinder, where: 'unwinder', slices: on, plant: () => ({ unwinder }) };
}

export function truthDefect(truth: TruthDefect, on: readonly Slice[]): Defect {
  return { name: truth, where: 'ground truth', slices: on, plant: () => ({ truth }) };
}
