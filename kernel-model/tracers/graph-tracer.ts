/**
 * Function graph on a kernel that was not booted, with our fgraph_ops as the only registered one.
 * The kernel's own code does the rest: ftrace_caller pushes onto the return stack, and
 * return_to_handler pops from it.
 */
import { NOP } from '../../aarch64/encodings.js';
import type { Address } from '../../base/address.js';
import { highWord, lowWord } from '../../base/address.js';
import type { ElfSymbol } from '../../elf/symbols.js';
import { fail, ok, type Result } from '../../base/result.js';
import type { KernelImage } from '../kernel-image.js';
import type { Machine } from '../machine.js';
import type { CodeWord } from '../kernel-state.js';
import { enabledSite, patchSite } from './patch-site.js';
import { TRACER_STATE_SIZE, type TracerSetup } from './tracer-setup.js';

/** Byte offsets in the tracer's memory: the return stack, which is 4 KiB, and the fgraph_ops. */
const RETURN_STACK = 0;
const GRAPH_OPS = 0x1000;
/**
 * Byte offsets in struct fgraph_ops (v6.11 and later), which begins with entryfunc, retfunc and a
 * struct ftrace_ops. The ftrace_ops begins with func.
 */
const RETFUNC = 8;
const OPS = 16;
const MAX_OPS = TRACER_STATE_SIZE - GRAPH_OPS - 2 * OPS;

/** Bytes before a function that hold the address of its ftrace_ops; as linked, two NOPs. */
const LITERAL = 8;

function hasLiteral(machine: Machine, fn: Address): boolean {
  return machine.loadedWord(fn - LITERAL) === NOP && machine.loadedWord(fn - LITERAL + 4) === NOP;
}

/** The functions of a kernel that can be traced and whose names match, each once. */
export function traceableFunctions(
  machine: Machine,
  isWanted: (name: string) => boolean,
): ElfSymbol[] {
  const found = new Map<Address, ElfSymbol>();
  for (const symbol of machine.symbols.functions()) {
    const { name, address, kind } = symbol;
    if (kind !== 'function' || !isWanted(name) || found.has(address)) continue;
    if (machine.memory.regionAt(address)?.runBytes === undefined) continue;
    if (patchSite(machine, address) !== undefined && hasLiteral(machine, address)) {
      found.set(address, symbol);
    }
  }
  return [...found.values()];
}

/** Why function graph cannot trace functions of this kernel; undefined when it can. */
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
 * Sets up a fgraph_ops that traces every function, and puts its ftrace_ops before each given
 * function, where ftrace_caller looks for it.
 *
 * On return it calls the kernel's own trace_graph_return(), which finds that no data was reserved
 * for the call (v6.13 and later) and returns. A kernel without that function gets a callback that
 * does nothing.
 */
export function graphTracer(
  machine: Machine,
  functions: readonly ElfSymbol[],
): Result<TracerSetup, string> {
  const { kernel, memory } = machine;
  const { tracers } = kernel.unbooted ?? {};
  if (tracers === undefined) return fail('a real kernel is needed');
  const obstacle = graphObstacle(kernel);
  if (obstacle !== undefined) return fail(obstacle);
  const at = (name: string): Address => kernel.symbol(name) ?? NaN;
  const graph = tracers.state + GRAPH_OPS;
  const ops = graph + OPS;
  // The hashes of the global ftrace_ops match every function; a copy still points to them.
  const size = machine.symbols.byName('global_ops')?.size ?? 0;
  if (size === 0 || size > MAX_OPS) return fail(`global_ops has ${size} bytes`);
  const words = [];
  for (let i = 0; i + 8 <= size; i += 8) {
    words.push({ address: ops + i, value: memory.readAddress(at('global_ops') + i) ?? 0 });
  }
  words.push(
    { address: ops, value: at('ftrace_graph_func') },
    { address: graph, value: tracers.graphEntry },
    { address: graph + RETFUNC, value: kernel.symbol('trace_graph_return') ?? tracers.graphReturn },
    { address: at('fgraph_array'), value: graph },
    { address: at('fgraph_array_bitmask'), value: 1 },
    {
      address: kernel.roles.initTask + kernel.offsets.taskRetStack,
      value: tracers.state + RETURN_STACK,
    },
  );
  const code: CodeWord[] = [];
  for (const { name, address: fn } of functions) {
    const site = patchSite(machine, fn);
    if (site === undefined) return fail(`${name} has no patch site`);
    if (!hasLiteral(machine, fn)) {
      return fail(`${name} has no room for its ftrace_ops in front of it`);
    }
    code.push(
      { address: fn - LITERAL, word: lowWord(ops) },
      { address: fn - LITERAL + 4, word: highWord(ops) },
      ...enabledSite(site, at('ftrace_caller')),
    );
  }
  return ok({ words, words32: [], code, breakpoints: new Map() });
}
