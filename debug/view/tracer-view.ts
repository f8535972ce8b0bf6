/** Return addresses of a task that tracers hold: function graph's return stack, and kretprobes. */
import type { Address } from '../../base/address.js';
import { codeName } from '../../kernel-model/code-name.js';
import type { Machine } from '../../kernel-model/machine.js';
import { GuestGraphReturnStack, GuestKretprobeInstances } from '../../lab/tracer-views.js';

/** An entry of the function-graph return stack; 0 is the oldest. */
export interface GraphEntryLine {
  readonly index: number;
  /** The return address that was replaced, and its symbol. */
  readonly ret: Address;
  readonly retSymbol: string;
  /** The traced function. */
  readonly func: string;
  readonly fp: Address;
  readonly retp: Address;
}

/** A pending kretprobe instance; 0 is the newest. */
export interface KretprobeLine {
  readonly index: number;
  readonly ret: Address;
  readonly retSymbol: string;
  readonly fp: Address;
}

/** Both, newest first. */
export interface TracerView {
  /** Undefined: the task has no return stack. */
  readonly graph: readonly GraphEntryLine[] | undefined;
  readonly kretprobes: readonly KretprobeLine[];
}

/** The tracers' records of a task, read from guest memory. */
export function tracerView(machine: Machine, task: Address): TracerView {
  const { symbols } = machine;
  const stack = new GuestGraphReturnStack(machine, task);
  const depth = stack.depth();
  const graph = Array.from({ length: Math.max(0, depth) }, (_, i) => {
    const index = depth - 1 - i;
    const ret = stack.ret(index);
    return {
      index,
      ret,
      retSymbol: codeName(machine, ret),
      func: symbols.at(stack.func(index))?.symbol.name ?? '?',
      fp: stack.fp(index),
      retp: stack.retp(index),
    };
  });
  const instances = new GuestKretprobeInstances(machine, task);
  const kretprobes = Array.from({ length: instances.count() }, (_, index) => {
    const ret = instances.ret(index);
    return {
      index,
      ret,
      retSymbol: codeName(machine, ret),
      fp: instances.fp(index),
    };
  });
  return { graph: depth < 0 ? undefined : graph, kretprobes };
}
