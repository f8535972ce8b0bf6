/**
 * The arm64 kernel unwinder (arch/arm64/kernel/stacktrace.c, v7.3-rc7), for every policy.
 *
 * Construct one walker per kernel, and call {@link Kunwind.walk} as often as wanted: it reads
 * guest memory through the live views it was given, and creates no objects.
 */

import { type Policy } from './policy.js';
import { recoverReturnAddress } from './walk-recovery.js';
import { stepFrameRecord } from './walk-record-step.js';
import {
  END_ERROR,
  END_FINAL,
  END_OUTERMOST,
  END_REFUSED,
  FAULT_LOOPED,
  LOOPED,
  REGS_PC,
  SOURCE_REGS_PC,
  STEP_FINAL,
  STEP_OK,
  TRACE_FULL,
} from './walk-reason.js';
import { HOW_FALLBACK, MAX_ENTRIES, type WalkResult } from './walk-result.js';
import { stepSFrame } from './walk-sframe-step.js';
import { type WalkStart } from './walk-start.js';
import { FP, PC, SLOT, type UnwindEnvironment, type UnwindTask, WalkState } from './walk-state.js';

/**
 * - `reliable`: arch_stack_walk_reliable, for livepatch: all or nothing.
 * - `best-effort`: arch_stack_walk, for oops traces: everything that can be listed.
 */
export type WalkMode = 'reliable' | 'best-effort';

/**
 * Steps after which a walk has looped. One that consumes takes 8 bytes or more of at most 68 KiB,
 * and never two in a row do not.
 */
const STEP_BUDGET = (2 * 68 * 1024) / 8;

export class Kunwind {
  private readonly state: WalkState;

  constructor(environment: UnwindEnvironment) {
    this.state = new WalkState(environment);
  }

  /**
   * Walks the stack of `task` from `start` and fills `out`.
   *
   * In reliable mode `out.status` is 0 exactly when arch_stack_walk_reliable under that policy
   * would return 0. A walk of more than 512 entries is `trace-full`, whatever the policy.
   */
  walk(policy: Policy, mode: WalkMode, start: WalkStart, task: UnwindTask, out: WalkResult): void {
    const { state } = this;
    const { at } = state;
    const reliable = mode === 'reliable';
    state.begin(start, task);
    out.fault = 0;

    let count = 0;
    let steps = 0;
    let end = END_ERROR;
    let error = recoverReturnAddress(state, task, policy);
    while (error === STEP_OK) {
      if (
        reliable &&
        (state.mark !== 0 || (policy.giveUpAtBoundary && state.source === SOURCE_REGS_PC))
      ) {
        end = END_REFUSED;
        break;
      }
      if (count < MAX_ENTRIES) {
        out.entries[count] = at[PC] as number;
        out.fps[count] = at[FP] as number;
        out.slots[count] = at[SLOT] as number;
        out.sources[count] = state.source;
        out.rules[count] = state.rule;
        out.hows[count] = state.how;
        count++;
      }
      if (++steps > STEP_BUDGET) {
        out.fault = FAULT_LOOPED;
        error = LOOPED;
        break;
      }
      state.rule = -1;
      error = this.next(policy, task);
      if (error === STEP_OK) error = recoverReturnAddress(state, task, policy);
    }

    if (error < 0) {
      end = error === STEP_FINAL ? END_FINAL : END_OUTERMOST;
      error = 0;
    }
    out.count = count;
    out.end = end;
    out.error = error;
    out.mark = state.mark;
    out.warned = state.warned;
    out.status = this.status(policy, reliable, end, error, steps);
  }

  /**
   * Makes the result of a walk in reliable mode that of the same walk in best-effort mode. The two
   * differ in that reliable mode stops where it must refuse, and in the return code; a walk that was
   * not refused has therefore done all that best-effort mode would do.
   *
   * @returns false when the walk was refused: `out` is unchanged, and the walk has to be made
   */
  static toBestEffort(out: WalkResult): boolean {
    if (out.end === END_REFUSED) return false;
    if (out.status !== LOOPED && out.status !== TRACE_FULL) out.status = out.error;
    return true;
  }

  /** kunwind_next: one step, without the recovery that follows it. */
  private next(policy: Policy, task: UnwindTask): number {
    const { state } = this;
    if (policy.distrustsSdei) state.leaveSdei();
    if (policy.sframeAtBoundary && state.source === SOURCE_REGS_PC) {
      let error = stepSFrame(state, task, policy);
      if (error > 0) {
        if (state.mark === 0) state.mark = error;
        error = stepFrameRecord(state, task);
        state.how |= HOW_FALLBACK;
      }
      // The reference forgets the registers even when the step has just found new ones.
      state.regsIndex = -1;
      return error;
    }
    const error = stepFrameRecord(state, task);
    return error > 0 && policy.sframeAfterRecord ? stepSFrame(state, task, policy) : error;
  }

  /** What the return code of the walk says. */
  private status(
    policy: Policy,
    reliable: boolean,
    end: number,
    error: number,
    steps: number,
  ): number {
    const { state } = this;
    if (error === LOOPED) return LOOPED;
    if (steps > MAX_ENTRIES) return TRACE_FULL;
    if (!reliable) return error;
    if (end === END_REFUSED) return state.mark !== 0 ? state.mark : REGS_PC;
    if (policy.honoursMarkAtEnd && state.mark !== 0) return state.mark;
    return policy.dropsErrors ? 0 : error;
  }
}
