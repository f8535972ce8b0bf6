/** The pending kretprobe instances of a task (kernel/kprobes.c, v7.3-rc7). */

import { type Address } from './address.js';

/** A live view of a task's list of instances, newest first. */
export interface KretprobeInstances {
  count(): number;
  /** The return address that instance `i` replaced; the trampoline when it was already replaced. */
  ret(i: number): Address;
  /** x29 at the entry of the probed function. */
  fp(i: number): Address;
}

/** No instances: a task without pending kretprobes. */
export const NO_KRETPROBES: KretprobeInstances = { count: () => 0, ret: () => 0, fp: () => 0 };

/**
 * Index of the instance that holds the original return address for frame pointer `fp`, or -1.
 *
 * As kretprobe_find_ret_addr: starting after `cursor` (-1 at the start), instances that return to
 * the trampoline themselves are passed over, and so are those of other frames.
 */
export function findKretprobeReturn(
  instances: KretprobeInstances,
  cursor: number,
  fp: Address,
  trampoline: Address,
): number {
  const count = instances.count();
  for (let i = cursor + 1; i < count; i++) {
    if (instances.ret(i) !== trampoline && instances.fp(i) === fp) return i;
  }
  return -1;
}
