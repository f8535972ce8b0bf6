/** The function-graph tracer's return stack of a task (kernel/trace/fgraph.c, v7.3-rc7). */

import { type Address } from '../base/address.js';

/**
 * A live view of a task's return stack. Entry 0 is the oldest. Read by the unwinder only when a
 * return address lies in return_to_handler.
 */
export interface GraphReturnStack {
  /** Number of entries, 0 or more; -1 when the task has no return stack at all (never traced). */
  depth(): number;
  /** The return address that entry `i` replaced; return_to_handler for all but the oldest of a tail-call chain. */
  ret(i: number): Address;
  /** x29 at the entry of the traced function: the frame record of its caller. */
  retp(i: number): Address;
}

/**
 * Index of the entry that holds the original return address for frame pointer `fp`, or -1.
 *
 * As ftrace_graph_ret_addr: search downwards from `index` (exclusive), or from the top when it is
 * 0. A tail-call chain has several entries on one `retp`, and all but the oldest of them returns
 * to return_to_handler itself; those are passed over.
 *
 * @param index the entry found before in this walk, 0 at the start. The kernel keeps an offset in
 * which the oldest entry is 0 too, so after finding that one it starts from the top again.
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
