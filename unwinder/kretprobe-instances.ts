/** The pending kretprobe instances of a task (kernel/kprobes.c, v7.3-rc7). */

import { type Address } from '../base/address.js';

/** A live view of a task's list of instances, newest first. */
export interface KretprobeInstances {
  count(): number;
  /** The return address that instance `i` replaced; a trampoline when it was already replaced. */
  ret(i: number): Address;
  /** x29 at the entry of the probed function. */
  fp(i: number): Address;
}

/**
 * Index of the instance that holds the original return address for frame pointer `fp`, or -1.
 *
 * As kretprobe_find_ret_addr: starting after `cursor` (-1 at the start), instances that return to
 * a trampoline themselves are passed over, and so are those of other frames.
 *
 * @param trampoline the kernel's own; a kernel that has kept its older one has that as `other`
 */
export function findKretprobeReturn(
  instances: KretprobeInstances,
  cursor: number,
  fp: Address,
  trampoline: Address,
  other: Address,
): number {
  const count = instances.count();
  for (let i = cursor + 1; i < count; i++) {
    const ret = instances.ret(i);
    if (ret !== trampoline && ret !== other && instances.fp(i) === fp) return i;
  }
  return -1;
}
