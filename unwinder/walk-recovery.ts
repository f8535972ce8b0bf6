/**
 * Undoes the tracers: a PC in a trampoline stands for the return address that the trampoline
 * replaced (kunwind_recover_return_address, v7.3-rc7). Runs before every entry is reported,
 * including the first.
 */

import { findGraphReturn } from './graph-return-stack.js';
import { findKretprobeReturn } from './kretprobe-instances.js';
import { type Policy } from './policy.js';
import {
  GRAPH_UNRECOVERED,
  KRETPROBE_UNRECOVERED,
  SOURCE_FRAME,
  SOURCE_REGS_PC,
  STEP_OK,
  WARN_GRAPH_UNRECOVERED,
} from './walk-reason.js';
import { HOW_GRAPH, HOW_KRETPROBE } from './walk-result.js';
import { FP, PC, type UnwindTask, type WalkState } from './walk-state.js';

/** Replaces a trampoline's PC by the original. @returns STEP_OK, or why the walk cannot continue */
export function recoverReturnAddress(state: WalkState, task: UnwindTask, policy: Policy): number {
  const into = (state.at[PC] as number) - state.trampolineLow;
  if (into >= 0 && into < state.trampolineSize && (into === 0 || policy.anyGraphByte)) {
    if (policy.linkRegisterOncePopped && into >= state.trampolinePopped) {
      // When interrupted here, SFrame uses the saved x30. A frame record does not give x30.
      if (state.source !== SOURCE_REGS_PC) mark(state);
      return STEP_OK;
    }
    const error = recoverGraph(state, task, policy, into);
    if (error !== STEP_OK) return error;
  }
  const pc = state.at[PC] as number;
  if (pc === state.kretprobeTrampoline || pc === state.olderKretprobeTrampoline) {
    return recoverKretprobe(state, task, policy);
  }
  return STEP_OK;
}

function recoverGraph(state: WalkState, task: UnwindTask, policy: Policy, into: number): number {
  const { graph } = task;
  const { at } = state;
  if (graph.depth() < 0) {
    // The kernel leaves the PC unchanged when the task has no return stack.
    if (policy.anyGraphByte) mark(state);
    return STEP_OK;
  }
  const found = findGraphReturn(graph, state.graphIndex, at[FP] as number, state.trampolineLow);
  if (found < 0) {
    if (into !== 0) {
      mark(state);
      return STEP_OK;
    }
    if (task.isCurrent) state.warn(WARN_GRAPH_UNRECOVERED);
    return GRAPH_UNRECOVERED;
  }
  state.graphIndex = found;
  at[PC] = graph.ret(found);
  state.how |= HOW_GRAPH;
  if (policy.anyGraphByte && state.source === SOURCE_REGS_PC) {
    // The recovered function was in a call: continue by its frame record, not the trampoline's SP.
    state.source = SOURCE_FRAME;
    state.regsIndex = -1;
  }
  return STEP_OK;
}

function recoverKretprobe(state: WalkState, task: UnwindTask, policy: Policy): number {
  const { kretprobes } = task;
  const { at } = state;
  const found = findKretprobeReturn(
    kretprobes,
    state.kretprobeCursor,
    at[FP] as number,
    state.kretprobeTrampoline,
    state.olderKretprobeTrampoline,
  );
  if (found < 0) return KRETPROBE_UNRECOVERED;
  state.kretprobeCursor = found;
  at[PC] = kretprobes.ret(found);
  state.how |= HOW_KRETPROBE;
  if (policy.anyGraphByte) {
    const into = at[PC] - state.trampolineLow;
    if (into >= 0 && into < state.trampolineSize) mark(state);
  }
  return STEP_OK;
}

function mark(state: WalkState): void {
  if (state.mark === 0) state.mark = GRAPH_UNRECOVERED;
}
