/** A task's pending kretprobe instances (kernel/kprobes.c, v7.3-rc7). */

import { type Address } from '../base/address.js';

/** A live view of a task's list of instances, newest first. */
export interface KretprobeInstances {
  count(): number;
  /**
   * The return address that instance `i` replaced; a trampoline when another instance did so first.
   */
  ret(i: number): Address;
  /** x29 on entry to the probed function. */
  fp(i: number): Address;
}

/**
 * Index of the instance that holds the original return address for frame pointer `fp`, or -1.
 *
 * As kretprobe_find_ret_addr: skips instances that return to a trampoline, and those of other
 * frames.
 *
 * @param cursor the instance that this walk found last, after which the search starts; -1 at first
 * @param trampoline the kernel's kretprobe trampoline
 * @param other a second trampoline, in a kernel that has kept an older one
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
