/**
 * The unwinder under test as a role (docs/design.md, "Kernel images and roles"): our model of it, or
 * the kernel image's own code called on the emulated CPU.
 */
import type { Address } from '../base/address.js';
import type { RegisterFile } from '../emulator/registers.js';
import type { WalkMode } from '../unwinder/kunwind.js';
import type { Policy } from '../unwinder/policy.js';
import type { WalkResult } from '../unwinder/walk-result.js';

/** Whose walks a sweep makes. */
export type UnwinderChoice =
  /** The model's. */
  | 'model'
  /** Those of the kernel image's own code. */
  | 'kernel'
  /** Both at every point; the verdict is on the kernel's answer, and a difference is a finding. */
  | 'both'
  /** The model's, and at a fixed part of the points the kernel's too: a difference is a finding. */
  | 'checked';

/** Every choice, the default for a user's kernel first. */
export const UNWINDER_CHOICES: readonly UnwinderChoice[] = ['both', 'kernel', 'model', 'checked'];

/** Walks stacks at walk requests. */
export interface StackWalker {
  /** Whether it can walk under a policy. */
  supports(policy: Policy): boolean;
  /**
   * Get ready to walk as the request says.
   * @param request registers at the walk request: x0 the task, x29 and x30 those of the caller
   * @returns the walked task, or undefined when the request names none that is known
   */
  prepare(request: RegisterFile): Address | undefined;
  /** Walk what was prepared. */
  walk(policy: Policy, mode: WalkMode, out: WalkResult): void;
  /** All walks of this request have been made. */
  finish(): void;
}

/** In what two answers to one request differ. */
export type WalkDifference = 'entries' | 'reliability' | 'warnings' | 'faults';

/** The first difference between two walks of one stack in one mode, or undefined. */
export function walkDifference(
  a: WalkResult,
  b: WalkResult,
  mode: WalkMode,
): WalkDifference | undefined {
  if ((a.fault !== 0) !== (b.fault !== 0)) return 'faults';
  if ((a.warned !== 0) !== (b.warned !== 0)) return 'warnings';
  // arch_stack_walk() returns nothing: only a reliable walk says what it is.
  if (mode === 'reliable' && (a.status !== 0) !== (b.status !== 0)) return 'reliability';
  if (a.count !== b.count) return 'entries';
  for (let i = 0; i < a.count; i++) if (a.entries[i] !== b.entries[i]) return 'entries';
  return undefined;
}
