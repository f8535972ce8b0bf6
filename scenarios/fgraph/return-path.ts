/**
 * The lengths of the return paths of the two guest kernels, and of the windows in which the address
 * is nowhere.
 */

/** Numbers of instructions of a return path. Each is executed once per call. */
export interface ReturnPath {
  /** In return_to_handler: all, and those from `bl` on while the address is nowhere. */
  readonly trampoline: number;
  readonly trampolineWindow: number;
  /** The same for its callee. */
  readonly callee: number;
  readonly calleeWindow: number;
  /** Instructions of return_to_handler with CFI. */
  readonly annotated: number;
}

/** The return path of the kernel that is like Linux. */
export const LINUX: ReturnPath = {
  trampoline: 15,
  trampolineWindow: 7,
  callee: 66,
  calleeWindow: 9,
  annotated: 0,
};

/**
 * The return path of the other kernel. The window is the last instruction, and its CFI says that
 * x30 is the address.
 */
export const RECOVER: ReturnPath = {
  trampoline: 18,
  trampolineWindow: 1,
  callee: 65,
  calleeWindow: 0,
  annotated: 1,
};

/** Instructions of the tracer's return handler. */
export const EXIT_HANDLER = 2;
