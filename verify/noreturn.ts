/**
 * Finds the functions that never return, from their code: no path reaches a return, or a jump out to
 * something that may return. A path may end in a call of another such function, so the search is
 * repeated until it finds no more.
 */
import type { Address } from '../base/address.js';
import { branchOffset, Flow, flowOf } from '../aarch64/control-flow.js';
import type { Program } from './program.js';
import { type RunTimeEdges, wordAt } from './run-time-edges.js';

/** Functions that never return although their code may look as if they did. */
const KNOWN = new Set([
  'abort',
  'exit',
  '_exit',
  '_Exit',
  'quick_exit',
  '__assert_fail',
  '__assert_rtn',
  '__stack_chk_fail',
  '__fortify_fail',
  '__chk_fail',
  '__cxa_throw',
  '__cxa_rethrow',
  '_Unwind_Resume',
  'longjmp',
  'siglongjmp',
  '__longjmp_chk',
  'panic',
  'do_exit',
  'do_group_exit',
  'make_task_dead',
  'do_task_dead',
  '__fortify_panic',
  'fortify_panic',
  'rust_begin_unwind',
  'kthread_exit',
  'kthread_complete_and_exit',
  '__module_put_and_kthread_exit',
  'kunit_try_catch_throw',
  'usercopy_abort',
  'stop_this_cpu',
  // The simulated kernel stops the CPU here.
  'kunwind_done',
]);

/** The code of a function; `end` is exclusive. */
interface Body {
  readonly start: Address;
  readonly end: Address;
}

/** Start addresses of the functions that never return. */
export function findNoreturn(
  program: Program,
  bodies: readonly Body[],
  edges: RunTimeEdges,
): Set<Address> {
  const noreturn = new Set<Address>();
  for (const { name, address } of program.functions) {
    if (KNOWN.has(name)) noreturn.add(address);
  }
  // An absolute symbol may stand for a function of another file, which program.functions lacks.
  for (const name of KNOWN) {
    const symbol = program.symbols.byName(name);
    if (symbol !== undefined) noreturn.add(symbol.address);
  }
  const stubsOf = new Map<Address, Address[]>();
  for (const [stub, name] of [...program.stubs, ...program.imports]) {
    if (KNOWN.has(name)) noreturn.add(stub);
    const target = program.symbols.byName(name)?.address;
    if (target === undefined) continue;
    const known = stubsOf.get(target);
    if (known === undefined) stubsOf.set(target, [stub]);
    else known.push(stub);
  }
  const candidates = bodies.filter(({ start }) => !noreturn.has(start));
  const callers = new Map<Address, Body[]>();
  for (const body of candidates) {
    for (let pc = body.start; pc + 4 <= body.end; pc += 4) {
      const word = wordAt(program, pc);
      if (word === undefined) break;
      const flow = flowOf(word);
      if (flow !== Flow.CALL && flow !== Flow.JUMP) continue;
      const target = pc + branchOffset(word);
      if (target >= body.start && target < body.end && target !== body.start) continue;
      const list = callers.get(target);
      if (list === undefined) callers.set(target, [body]);
      else if (list.at(-1) !== body) list.push(body);
    }
  }
  let pending: readonly Body[] = candidates;
  while (pending.length > 0) {
    const next = new Set<Body>();
    for (const body of pending) {
      if (noreturn.has(body.start) || mayReturn(program, body, edges, noreturn)) continue;
      // A function of the file may be called through a stub as well.
      for (const start of [body.start, ...(stubsOf.get(body.start) ?? [])]) {
        noreturn.add(start);
        for (const caller of callers.get(start) ?? []) next.add(caller);
      }
    }
    pending = [...next];
  }
  return noreturn;
}

/** Whether some path from the start reaches a return, or a jump that may lead to one. */
function mayReturn(
  program: Program,
  { start, end }: Body,
  edges: RunTimeEdges,
  noreturn: ReadonlySet<Address>,
): boolean {
  const seen = new Uint8Array((end - start) >>> 2);
  const pending: Address[] = [start];
  for (let from = pending.pop(); from !== undefined; from = pending.pop()) {
    for (let pc = from; ; pc += 4) {
      if (pc < start || pc >= end) {
        if (!noreturn.has(pc)) return true;
        break;
      }
      const slot = (pc - start) >>> 2;
      if (seen[slot] === 1) break;
      seen[slot] = 1;
      const word = wordAt(program, pc);
      if (word === undefined) return true;
      for (const target of edges.successors.get(pc) ?? []) pending.push(target);
      const flow = flowOf(word);
      if (flow === Flow.RETURN || flow === Flow.RETURN_AUTH) return true;
      if (flow === Flow.RETURN_AUTH_PC) return true;
      if (flow === Flow.JUMP_REGISTER || flow === Flow.EXCEPTION_RETURN) return true;
      if (flow === Flow.STOP || (flow === Flow.BREAK && !edges.warnings.has(pc))) break;
      const target = pc + branchOffset(word);
      if (flow === Flow.CALL && noreturn.has(target)) break;
      if (flow === Flow.CONDITIONAL) pending.push(target);
      if (flow === Flow.JUMP) {
        pending.push(target);
        break;
      }
    }
  }
  return false;
}
