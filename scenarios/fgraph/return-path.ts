/** How long the return paths of the two guest kernels are, and how long the address is nowhere. */

/** Why a walk in the window is unreliable. */
export const WINDOW =
  'transient window: the entry is popped, and x30 does not hold the address or is not asked';

/** Instructions of a return path, each executed once a call. */
export interface ReturnPath {
  /** Those of return_to_handler: in all, and from `bl` on while the address is nowhere. */
  readonly trampoline: number;
  readonly trampolineWindow: number;
  /** The same of its callee, and how many of the window are before its record is given up. */
  readonly callee: number;
  readonly calleeWindow: number;
  readonly calleeWindowFramed: number;
  /** Instructions of return_to_handler with CFI. */
  readonly annotated: number;
  /** Why an SDEI record in the trampoline's window is of no use. */
  readonly why: string;
}

/** That of the kernel that is as Linux is. */
export const LINUX: ReturnPath = {
  trampoline: 15,
  trampolineWindow: 7,
  callee: 66,
  calleeWindow: 9,
  calleeWindowFramed: 7,
  annotated: 0,
  why: WINDOW,
};

/** That of the other: the window is the last instruction, and that has CFI: x30 is the address. */
export const RECOVER: ReturnPath = {
  trampoline: 18,
  trampolineWindow: 1,
  callee: 65,
  calleeWindow: 0,
  calleeWindowFramed: 0,
  annotated: 1,
  why: 'SDEI right after the entry was popped: a plain record has no x30 with it',
};

/** Of the callee, without a record of its own: three of the prologue, two of the epilogue. */
export const UNFRAMED = 5;
/** The tracer's return handler. */
export const EXIT_HANDLER = 2;
