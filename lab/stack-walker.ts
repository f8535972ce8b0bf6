/**
 * The unwinder under test (docs/design.md, "Kernel images and roles"): our model, or the kernel image's
 * own code, which is called on the emulated CPU.
 */
import type { Address } from '../base/address.js';
import type { RegisterFile } from '../emulator/registers.js';
import type { WalkMode } from '../unwinder/kunwind.js';
import type { Policy } from '../unwinder/policy.js';
import type { WalkResult } from '../unwinder/walk-result.js';

/** Which unwinder a sweep tests. */
export type UnwinderChoice =
  /** The model. */
  | 'model'
  /** The kernel image's own code. */
  | 'kernel'
  /** Both at every point. The kernel's answer is judged, and a difference is a finding. */
  | 'both'
  /** The model, and at a fixed share of the points the kernel too. A difference is a finding. */
  | 'checked';

/** All choices. The default for a user's kernel comes first. */
export const UNWINDER_CHOICES: readonly UnwinderChoice[] = ['both', 'kernel', 'model', 'checked'];

/** Walks stacks at walk requests. */
export interface StackWalker {
  /** Whether it can walk by a policy. */
  supports(policy: Policy): boolean;
  /**
   * Prepare the walks of a request.
   * @param request registers at the walk request: x0 is the task, x29 and x30 are those of the caller
   * @returns the task to walk, or undefined when it is unknown
   */
  prepare(request: RegisterFile): Address | undefined;
  /** Make a prepared walk. @param out receives the result */
  walk(policy: Policy, mode: WalkMode, out: WalkResult): void;
  /** End the request, after all its walks. */
  finish(): void;
}

/** How two answers to one request differ. */
export type WalkDifference = 'entries' | 'reliability' | 'warnings' | 'faults';

/** The first difference between two walks of one stack in one mode; undefined when they are equal. */
export function walkDifference(
  a: WalkResult,
  b: WalkResult,
  mode: WalkMode,
): WalkDifference | undefined {
  if ((a.fault !== 0) !== (b.fault !== 0)) return 'faults';
  if ((a.warned !== 0) !== (b.warned !== 0)) return 'warnings';
  // arch_stack_walk() returns no status, so that only reliable walks have one to compare.
  if (mode === 'reliable' && (a.status !== 0) !== (b.status !== 0)) return 'reliability';
  if (a.count !== b.count) return 'entries';
  for (let i = 0; i < a.count; i++) if (a.entries[i] !== b.entries[i]) return 'entries';
  return undefined;
}
