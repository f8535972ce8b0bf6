/**
 * Function graph and kretprobes on a kernel that was not booted: the state that registering a tracer, and creating the
 * task, would have made, put into memory directly. The kernel's own code does the rest: ftrace_caller pushes on the
 * return stack, return_to_handler and the kretprobe trampoline take off.
 */
import type { Address } from '../emulator/address.js';
import { highWord, lowWord } from '../emulator/address.js';
import { fail, ok, type Result } from '../emulator/result.js';
import type { KernelImage } from './kernel-image.js';
import type { Machine } from './machine.js';

/** Bytes of memory that the state takes. */
export const TRACER_STATE_SIZE = 0x2000;

/** Offsets in that memory. */
const RETURN_STACK = 0;
const GRAPH_OPS = 0x1000;
const INSTANCE = 0x1c00;
const HOLDER = 0x1d00;
/** struct fgraph_ops (v6.11 and later) begins with entryfunc, retfunc and a struct ftrace_ops, and that with func. */
const RETFUNC = 8;
const OPS = 16;
const MOST_OPS = INSTANCE - GRAPH_OPS - OPS;
/** struct kretprobe_instance, from its list member: next, rph (a holder whose first member is its kretprobe). */
const INSTANCE_HOLDER = 8;

const NOP = 0xd503201f;
const RET = 0xd65f03c0;

/** What a tracer needs in place. */
export interface TracerSetup {
  readonly words: readonly { readonly address: Address; readonly value: Address }[];
  readonly code: readonly { readonly address: Address; readonly word: number }[];
}

/** Where the state and our callbacks are; part of a kernel image that was not booted. */
export interface TracerPlaces {
  readonly state: Address;
  readonly graphEntry: Address;
  readonly graphReturn: Address;
  readonly kretprobeCall: Address;
  readonly kretprobe: Address;
}

/** Why functions of a kernel cannot be traced by function graph; undefined when they can. */
export function graphObstacle(kernel: KernelImage): string | undefined {
  const needed = ['fgraph_array', 'fgraph_array_bitmask', 'ftrace_graph_func', 'global_ops'];
  const absent = ['return_to_handler', 'ftrace_caller', ...needed].filter(
    (name) => kernel.symbol(name) === undefined,
  );
  if (absent.length > 0) {
    return `no ${absent.join(', ')}: CONFIG_FUNCTION_GRAPH_TRACER of v6.11 or later is needed`;
  }
  if (kernel.symbol('ftrace_call') !== undefined) {
    return 'its ftrace_caller is patched for each tracer: CONFIG_DYNAMIC_FTRACE_WITH_CALL_OPS is needed';
  }
  const { taskRetStack, taskCurrRetStack } = kernel.offsets;
  return Number.isNaN(taskRetStack + taskCurrRetStack)
    ? 'task_struct.ret_stack and .curr_ret_stack are not known: see kunwind-lab doctor'
    : undefined;
}

/**
 * A fgraph_ops of ours that traces every function: registered as the only one, with callbacks that do nothing, and in
 * front of each given function, where ftrace_caller finds the ftrace_ops to call.
 * @param functions addresses of the functions, whose patch sites are enabled by the caller
 */
export function graphTracer(
  machine: Machine,
  functions: readonly Address[],
): Result<TracerSetup, string> {
  const { kernel, memory } = machine;
  const { tracers } = kernel.unbooted ?? {};
  if (tracers === undefined) return fail('a booted kernel is needed');
  const obstacle = graphObstacle(kernel);
  if (obstacle !== undefined) return fail(obstacle);
  const at = (name: string): Address => kernel.symbol(name) ?? NaN;
  const graph = tracers.state + GRAPH_OPS;
  const ops = graph + OPS;
  // The global ftrace_ops has the hashes that match every function; a copy keeps pointing to them.
  const size = machine.symbols.byName('global_ops')?.size ?? 0;
  if (size === 0 || size > MOST_OPS) return fail(`global_ops has ${size} bytes`);
  const words = [];
  for (let i = 0; i + 8 <= size; i += 8) {
    words.push({ address: ops + i, value: memory.readAddress(at('global_ops') + i) ?? 0 });
  }
  words.push(
    { address: ops, value: at('ftrace_graph_func') },
    { address: graph, value: tracers.graphEntry },
    { address: graph + RETFUNC, value: tracers.graphReturn },
    { address: at('fgraph_array'), value: graph },
    { address: at('fgraph_array_bitmask'), value: 1 },
    {
      address: kernel.roles.initTask + kernel.offsets.taskRetStack,
      value: tracers.state + RETURN_STACK,
    },
  );
  const code = [];
  for (const fn of functions) {
    const literal = fn - 8;
    if (machine.loadedWord(literal) !== NOP || machine.loadedWord(literal + 4) !== NOP) {
      return fail(`${machine.symbols.format(fn)} has no room for its ftrace_ops in front of it`);
    }
    code.push({ address: literal, word: lowWord(ops) });
    code.push({ address: literal + 4, word: highWord(ops) });
  }
  return ok({ words, code });
}

/** Why functions of a kernel cannot have a kretprobe; undefined when they can. */
export function kretprobeObstacle(kernel: KernelImage): string | undefined {
  if (kernel.symbol('__kretprobe_trampoline') === undefined) {
    return 'no __kretprobe_trampoline: CONFIG_KRETPROBES, and not by rethook, is needed';
  }
  const { taskKretprobes, kretprobeRetAddr, kretprobeFp } = kernel.offsets;
  return Number.isNaN(taskKretprobes + kretprobeRetAddr + kretprobeFp)
    ? 'task_struct.kretprobe_instances or struct kretprobe_instance is not known: see kunwind-lab doctor'
    : undefined;
}

/**
 * One instance on the current task's list, as the pre-handler leaves it for `fn`; its kretprobe has been unregistered
 * since, so that no user's handler is run and the instance is given to call_rcu, which returns at once.
 */
export function kretprobe(machine: Machine, fn: Address): Result<TracerSetup, string> {
  const { kernel } = machine;
  const { tracers } = kernel.unbooted ?? {};
  if (tracers === undefined) return fail('a booted kernel is needed');
  const obstacle = kretprobeObstacle(kernel);
  if (obstacle !== undefined) return fail(obstacle);
  const { initTask } = kernel.roles;
  const { taskKretprobes, kretprobeRetAddr, kretprobeFp } = kernel.offsets;
  const node = tracers.state + INSTANCE;
  const words = [
    { address: initTask + taskKretprobes, value: node },
    { address: node + INSTANCE_HOLDER, value: tracers.state + HOLDER },
    { address: tracers.kretprobe, value: fn },
    { address: tracers.kretprobe + 8, value: node + kretprobeRetAddr },
    { address: tracers.kretprobe + 16, value: node + kretprobeFp },
    { address: tracers.kretprobe + 24, value: kernel.symbol('__kretprobe_trampoline') ?? NaN },
  ];
  const rcu = kernel.symbol('call_rcu');
  return ok({ words, code: rcu === undefined ? [] : [{ address: rcu, word: RET }] });
}
