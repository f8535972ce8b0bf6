/** The traces of functions that are executed together, found by address. */
import type { Address } from '../base/address.js';
import { branchOffset, Flow, flowOf } from '../aarch64/control-flow.js';
import type { FunctionEntry } from './function-list.js';
import { FunctionTrace } from './function-trace.js';

/** The traces of one group. */
export class TraceGroup {
  readonly traces: FunctionTrace[];
  /** Instructions in all functions of the group. */
  readonly instructions: number;

  /** @param fetch the instruction word at an address, or undefined where nothing is loaded */
  constructor(
    entries: readonly FunctionEntry[],
    private readonly fetch: (pc: Address) => number | undefined,
  ) {
    this.traces = entries.map((entry) => new FunctionTrace(entry));
    this.instructions = entries.reduce((sum, { size }) => sum + (size >>> 2), 0);
    for (const trace of this.traces) this.findLeaders(trace);
  }

  /** The trace of the function that covers an address. */
  at(pc: Address): FunctionTrace | undefined {
    for (const trace of this.traces) {
      const offset = pc - trace.entry.start;
      if (offset >= 0 && offset < trace.entry.size) return trace;
    }
    return undefined;
  }

  /** Mark the targets of direct branches, where paths can meet. */
  private findLeaders(trace: FunctionTrace): void {
    const { start, size } = trace.entry;
    for (let at = 0; at + 4 <= size; at += 4) {
      const word = this.fetch(start + at);
      if (word === undefined) return;
      const flow = flowOf(word);
      if (flow === Flow.JUMP || flow === Flow.CONDITIONAL) {
        const target = start + at + branchOffset(word);
        this.at(target)?.markLeader(target);
      }
    }
  }
}
