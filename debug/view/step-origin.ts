/** Where the entries of a trace came from. */
import {
  HOW_FRAME_RECORD,
  HOW_KIND,
  HOW_PT_REGS,
  HOW_SFRAME_LOAD,
  HOW_SFRAME_REGISTER,
} from '../../unwinder/walk-result.js';

/**
 * Where an entry of a trace came from.
 * - `start`: the walk began there: the handler's caller, or a blocked task's saved PC.
 * - `frame-record`: LR of a frame record. - `pt-regs`: PC of the pt_regs around a metadata record.
 * - `sframe-load`: an SFrame rule (FDE and FRE for the PC) that loads the return address.
 * - `sframe-register`: an SFrame rule that finds the return address in a register of the pt_regs.
 */
export type StepOrigin = 'start' | 'frame-record' | 'pt-regs' | 'sframe-load' | 'sframe-register';

const ORIGINS: Readonly<Record<number, StepOrigin>> = {
  [HOW_FRAME_RECORD]: 'frame-record',
  [HOW_PT_REGS]: 'pt-regs',
  [HOW_SFRAME_LOAD]: 'sframe-load',
  [HOW_SFRAME_REGISTER]: 'sframe-register',
};

/** The origin that an element of `WalkResult.hows` names. */
export function originOf(how: number): StepOrigin {
  return ORIGINS[how & HOW_KIND] ?? 'start';
}
