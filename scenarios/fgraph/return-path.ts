/** How long the return paths of the two guest kernels are, and how long the address is nowhere. */

/** Instructions of a return path, each executed once a call. */
export interface ReturnPath {
  /** Those of return_to_handler: in all, and from `bl` on while the address is nowhere. */
  readonly trampoline: number;
  readonly trampolineWindow: number;
  /** The same of its callee. */
  readonly callee: number;
  readonly calleeWindow: number;
  /** Instructions of return_to_handler with CFI. */
  readonly annotated: number;
}

/** That of the kernel that is as Linux is. */
export const LINUX: ReturnPath = {
  trampoline: 15,
  trampolineWindow: 7,
  callee: 66,
  calleeWindow: 9,
  annotated: 0,
};

/** That of the other: the window is the last instruction, and that has CFI: x30 is the address. */
export const RECOVER: ReturnPath = {
  trampoline: 18,
  trampolineWindow: 1,
  callee: 65,
  calleeWindow: 0,
  annotated: 1,
};

/** The tracer's return handler. */
export const EXIT_HANDLER = 2;
