/**
 * The frame-pointer step: from a frame record to the next, or across a metadata record
 * (kunwind_next_frame_record and _meta, kunwind_next_regs_pc; v7.3-rc7).
 */

import {
  FRAME_RECORD_SIZE,
  METADATA_FINAL,
  METADATA_PT_REGS,
  METADATA_RECORD_SIZE,
  METADATA_TYPE,
  PT_REGS_PC,
  PT_REGS_SIZE,
  PT_REGS_STACKFRAME,
} from './frame-record.js';
import {
  BAD_METADATA,
  FP_MISALIGNED,
  METADATA_NOT_ACCESSIBLE,
  MISPLACED_FINAL,
  PT_REGS_NOT_ACCESSIBLE,
  SOURCE_FRAME,
  STACK_NOT_ACCESSIBLE,
  STEP_FINAL,
  STEP_OK,
  WARN_BAD_METADATA,
  WARN_MISPLACED_FINAL,
} from './walk-reason.js';
import { HOW_FRAME_RECORD } from './walk-result.js';
import { FP, SLOT, SP, type UnwindTask, type WalkState } from './walk-state.js';

/**
 * Steps from the record at fp.
 * @returns STEP_OK, STEP_FINAL or a reason code; after an error, fp and pc are unchanged
 */
export function stepFrameRecord(state: WalkState, task: UnwindTask): number {
  if ((state.fpLow & 7) !== 0) return FP_MISALIGNED;
  const { at, stacks } = state;
  const fp = at[FP] as number;
  // Nearly every record is on the current stack. That part of find() is repeated here so that no
  // double has to be passed to a call.
  let stack = stacks.current;
  if (
    stack < 0 ||
    fp < (stacks.low[stack] as number) ||
    fp + FRAME_RECORD_SIZE > (stacks.high[stack] as number)
  ) {
    stack = stacks.find(fp, FRAME_RECORD_SIZE);
    if (stack < 0) return STACK_NOT_ACCESSIBLE;
  }

  const words = stacks.words[stack] as Uint32Array;
  const i = (fp - (stacks.base[stack] as number)) >>> 2;
  const fpLo = (words[i] as number) | 0;
  const fpHi = (words[i + 1] as number) | 0;
  const lrLo = (words[i + 2] as number) | 0;
  const lrHi = (words[i + 3] as number) | 0;
  if ((fpLo | fpHi | lrLo | lrHi) === 0) return stepMetadataRecord(state, task);

  if (stacks.current !== stack) stacks.moveTo(stack);
  stacks.low[stack] = fp + FRAME_RECORD_SIZE;
  at[SP] = fp;
  at[SLOT] = fp + FRAME_RECORD_SIZE / 2;
  state.spLow = state.fpLow;
  state.setFp(fpHi, fpLo);
  state.setPc(lrHi, lrLo);
  state.source = SOURCE_FRAME;
  state.how = HOW_FRAME_RECORD;
  return STEP_OK;
}

/**
 * Steps across the metadata record at fp, which must be 8-byte aligned. The caller is responsible
 * for checking that there is one.
 * @returns STEP_OK, STEP_FINAL or a reason code
 */
export function stepMetadataRecord(state: WalkState, task: UnwindTask): number {
  const { stacks } = state;
  const fp = state.at[FP] as number;
  let stack = stacks.find(fp, METADATA_RECORD_SIZE);
  if (stack < 0) return METADATA_NOT_ACCESSIBLE;

  const words = stacks.words[stack] as Uint32Array;
  const i = (fp - (stacks.base[stack] as number)) >>> 2;
  const type = words[i + METADATA_TYPE / 4] as number;
  const typeHi = words[i + METADATA_TYPE / 4 + 1] as number;

  if (typeHi === 0 && type === METADATA_PT_REGS) {
    const regs = fp - PT_REGS_STACKFRAME;
    stack = stacks.find(regs, PT_REGS_SIZE);
    if (stack < 0) return PT_REGS_NOT_ACCESSIBLE;
    if (stacks.current !== stack) stacks.moveTo(stack);
    stacks.low[stack] = regs + PT_REGS_SIZE;
    state.setRegs(words, i - PT_REGS_STACKFRAME / 4);
    state.at[SLOT] = regs + 8 * PT_REGS_PC;
    return STEP_OK;
  }
  if (typeHi === 0 && type === METADATA_FINAL) {
    if (fp === task.finalRecord) return STEP_FINAL;
    if (task.isCurrent) state.warn(WARN_MISPLACED_FINAL);
    return MISPLACED_FINAL;
  }
  if (task.isCurrent) state.warn(WARN_BAD_METADATA);
  return BAD_METADATA;
}
