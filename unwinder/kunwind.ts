/**
 * A model of the arm64 kernel unwinder (arch/arm64/kernel/stacktrace.c, v7.3-rc7), for every
 * policy.
 *
 * Construct one walker per kernel and call {@link Kunwind.walk} as often as needed: it reads guest
 * memory through live views, and allocates nothing.
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
 * - `best-effort`: arch_stack_walk, for oops traces: lists whatever it can.
 */
export type WalkMode = 'reliable' | 'best-effort';

/**
 * Steps after which a walk counts as looped. A step that consumes takes at least 8 bytes of at most
 * 68 KiB of stacks, and of two steps in a row at least one consumes.
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
   * In reliable mode `out.status` is 0 exactly when arch_stack_walk_reliable would return 0 under
   * that policy. A walk of more than 512 entries is `trace-full` under every policy.
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
   * Turns the result of a reliable walk into that of the same walk in best-effort mode, which saves
   * a second walk. The modes differ only in the return code, and in that a reliable walk stops
   * where it must refuse; so a walk that was not refused has done all that best-effort mode would
   * do.
   *
   * @returns false when the walk was refused: `out` is unchanged, and a second walk is needed
   */
  static toBestEffort(out: WalkResult): boolean {
    if (out.end === END_REFUSED) return false;
    if (out.status !== LOOPED && out.status !== TRACE_FULL) out.status = out.error;
    return true;
  }

  /** kunwind_next: one step, without the recovery of the return address after it. */
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
      // The reference kernel drops the registers even when this step has just found new ones.
      state.regsIndex = -1;
      return error;
    }
    const error = stepFrameRecord(state, task);
    return error > 0 && policy.sframeAfterRecord ? stepSFrame(state, task, policy) : error;
  }

  /** {@link WalkResult.status}: what the return code of the walk would say. */
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
