/** A task's return stack of the function-graph tracer (kernel/trace/fgraph.c, v7.3-rc7). */

import { type Address } from '../base/address.js';

/**
 * A live view of a task's return stack. Entry 0 is the oldest. The unwinder reads it only when a PC
 * lies in return_to_handler.
 */
export interface GraphReturnStack {
  /** Number of entries, or -1 when the task was never traced and has no return stack. */
  depth(): number;
  /**
   * The return address that entry `i` replaced. In a tail-call chain that is return_to_handler for
   * all but the oldest entry.
   */
  ret(i: number): Address;
  /** x29 on entry to the traced function: the address of its caller's frame record. */
  retp(i: number): Address;
}

/**
 * Index of the entry that holds the original return address for frame pointer `fp`, or -1.
 *
 * As ftrace_graph_ret_addr: searches downwards from `index` (exclusive), or from the top when it is
 * 0. The entries of a tail-call chain share one `retp`, and all but the oldest of them return to
 * return_to_handler itself; those are skipped.
 *
 * @param index the entry that this walk found last, 0 at the start. In the kernel, too, 0 stands
 * both for the start and for the oldest entry: after finding that one it starts from the top again.
 */
export function findGraphReturn(
  graph: GraphReturnStack,
  index: number,
  fp: Address,
  returnToHandler: Address,
): number {
  let i = index === 0 ? graph.depth() : index;
  while (i > 0) {
    i--;
    if (graph.retp(i) === fp && graph.ret(i) !== returnToHandler) return i;
  }
  return -1;
}
