/** Why a point cannot be judged: the guest crashes, or an exception does not return as it should. */
import type { Address } from '../base/address.js';
import { registerName } from '../emulator/registers.js';
import { DriverStatus } from '../kernel-model/exception-driver.js';
import type { KernelImage } from '../kernel-model/kernel-image.js';
import type { Point } from './point.js';

/**
 * - `engine`: the engine stopped with an error in entry, handler or exit code.
 * - `no-request`: the handler did not ask for a walk.
 * - `runaway`: guest code exceeded its instruction budget.
 * - `truth-path`: the calls between vector and walk request differ from those learned before.
 * - `no-return`: the exception did not end with its ERET.
 * - `not-restored`: registers, stack or kernel state differ after the return.
 * - `scenario`: the scenario itself cannot be executed, or exceeds a limit of what is recorded.
 * - `unbooted`: a real kernel called a function that only works once it has booted.
 * - `warned`: a real kernel reached a WARN.
 * - `bug`: a real kernel reached a BUG.
 */
export type ProblemKind =
  | 'engine'
  | 'no-request'
  | 'runaway'
  | 'truth-path'
  | 'no-return'
  | 'not-restored'
  | 'scenario'
  | 'unbooted'
  | 'warned'
  | 'bug';

/** One problem. */
export interface Problem {
  readonly kind: ProblemKind;
  /** Undefined when the problem is in the scenario itself. */
  readonly point: Point | undefined;
  /** PC of the scenario. */
  readonly pc: Address;
  readonly detail: string;
}

/** The kind and description of a problem, without its place. */
export interface Explanation {
  readonly kind: ProblemKind;
  readonly detail: string;
}

/**
 * Explains a driver's status.
 * @param status a `DriverStatus` other than DONE
 * @param register the register that differs, for REGISTER_CHANGED
 */
export function explainDriverStatus(status: number, register: number): Explanation {
  switch (status) {
    case DriverStatus.ENGINE_ERROR:
      return { kind: 'engine', detail: 'the engine stopped in entry, handler or exit code' };
    case DriverStatus.NO_REQUEST:
      return { kind: 'no-request', detail: 'the handler did not ask for a walk' };
    case DriverStatus.RUNAWAY:
      return { kind: 'runaway', detail: 'the handler exceeded its instruction budget' };
    case DriverStatus.PATH_CHANGED:
      return { kind: 'truth-path', detail: 'the call path to the handler is not the one learned' };
    case DriverStatus.NO_RETURN:
      return { kind: 'no-return', detail: 'the exception did not end in its ERET' };
    case DriverStatus.REGISTER_CHANGED:
      return { kind: 'not-restored', detail: registerChanged(register) };
    case DriverStatus.STACK_CHANGED:
      return { kind: 'not-restored', detail: 'the interrupted stack was written above SP' };
    default:
      return { kind: 'not-restored', detail: 'preempt_count or the priority mask changed' };
  }
}

/**
 * Explains a breakpoint of a real kernel: a function that needs a booted kernel, a WARN or a BUG.
 * Undefined at any other instruction, and for built-in kernels.
 */
export function explainKernelStop(
  { bootedFunctions, bugTable }: KernelImage,
  pc: Address,
): Explanation | undefined {
  const name = bootedFunctions?.get(pc);
  if (name !== undefined) {
    return { kind: 'unbooted', detail: `${name} was called, which needs a booted kernel` };
  }
  const site = bugTable?.at(pc);
  if (site === undefined) return undefined;
  const where = site.place ?? 'a place that the kernel does not name';
  return site.warning
    ? { kind: 'warned', detail: `WARN at ${where}` }
    : { kind: 'bug', detail: `BUG at ${where}` };
}

function registerChanged(register: number): string {
  return `${registerName(register)} differs after the return`;
}
