/** What a planted defect is, and the ways to write one down. */
import type { ExceptionKind, GuestKernelName } from '../../scenarios/scenario.js';
import type { CodePatch } from './code-patch.js';
import type { ElfEdit } from './elf-edit.js';
import type { Slice } from './slice.js';
import type { SourceEdit } from './source-edit.js';
import type { FunctionPatch } from './sframe-patch.js';

/** A sweep that shows a defect. */
export interface Sight {
  readonly slice: Slice;
  /** What is red in it, among other things: part of a line of `redsOf`. */
  readonly red: string;
}

/** One defect, and the fewest slices of the default sweep that show it. */
export interface Defect {
  /** What is wrong. */
  readonly name: string;
  /** Which part of the harness has it. */
  readonly where: string;
  readonly edit: SourceEdit | ElfEdit;
  readonly shownBy: readonly Sight[];
  /** Slices that look as if they would show it, and stay green. */
  readonly missedBy?: readonly Slice[];
}

/** A change that makes no difference to any answer, and why. */
export interface Equivalent extends Defect {
  readonly shownBy: readonly [];
  readonly missedBy: readonly Slice[];
  readonly reason: string;
}

const KERNELS: Readonly<Record<GuestKernelName, string>> = {
  linux: 'kernel-model/guest/vmlinux',
  'fgraph-recover': 'kernel-model/guest/vmlinux-recover',
};

/** A scenario as a sweep of depth 1 runs it. */
export function whole(scenario: string): Slice {
  return { scenario, depth: 1 };
}

/** Instructions `[from, to)` of a scenario. */
export function part(scenario: string, from: number, to: number): Slice {
  return { scenario, depth: 1, part: { from, to } };
}

/** The same at depth 2. */
export function nested(
  scenario: string,
  from: number,
  to: number,
  kinds?: readonly ExceptionKind[],
): Slice {
  const slice: Slice = { scenario, depth: 2, part: { from, to } };
  return kinds === undefined ? slice : { ...slice, kinds };
}

/** A slice in which a defect is red so. */
export function seen(slice: Slice, red: string): Sight {
  return { slice, red };
}

/** A defect in the `.sframe` section of a family's ELF, or of the `guest` kernel. */
export function sframeDefect(
  name: string,
  family: string,
  fn: string,
  sight: Sight,
  change: (patch: FunctionPatch) => void,
): Defect {
  return {
    name,
    where: `.sframe of ${fn}`,
    edit: {
      elf: family === 'guest' ? KERNELS.linux : `scenarios/${family}/${family}.elf`,
      change: (bytes) => {
        bytes.sframe(fn, change);
      },
    },
    shownBy: [sight],
  };
}

/** A defect in a guest kernel's code. */
export function guestDefect(
  name: string,
  fn: string,
  sight: Sight,
  change: (patch: CodePatch) => void,
  kernel: GuestKernelName = 'linux',
): Defect {
  return { name, where: `guest ${fn}`, edit: guestEdit(fn, change, kernel), shownBy: [sight] };
}

/** A change of a guest kernel's code. */
export function guestEdit(
  fn: string,
  change: (patch: CodePatch) => void,
  kernel: GuestKernelName = 'linux',
): ElfEdit {
  return {
    elf: KERNELS[kernel],
    change: (bytes) => {
      bytes.code(fn, change);
    },
  };
}

/** A defect in what the host takes for a guest symbol's value or size. */
export function roleDefect(
  name: string,
  symbol: string,
  sight: Sight,
  change: { readonly address?: number; readonly size?: number },
  kernel: GuestKernelName = 'linux',
): Defect {
  return {
    name,
    where: `role ${symbol}`,
    edit: {
      elf: KERNELS[kernel],
      change: (bytes) => {
        bytes.symbolEntry(symbol, change);
      },
    },
    shownBy: [sight],
  };
}
