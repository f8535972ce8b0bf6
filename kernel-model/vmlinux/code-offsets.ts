/**
 * Structure offsets from the kernel's own code, for a build without BTF and DWARF. The functions
 * that look up members of the task, of a kretprobe's instance and of a kprobe show their offsets by
 * what they load, compare and call. Other offsets stay unknown.
 */
import {
  elementOf,
  type KernelCode,
  type Load,
  loaded,
  resultOf,
  scan,
  type Seen,
  type Store,
  type Value,
} from './code-scan.js';
import type { MemberName, OffsetSource } from './structure-offsets.js';
import { WANTED_MEMBERS } from './structure-offsets.js';

const TRAMPOLINES = ['__kretprobe_trampoline', 'arch_rethook_trampoline'] as const;

/** The offsets that the code shows, each with the instruction that shows it. */
export function codeOffsets(code: KernelCode): OffsetSource {
  const found = new Map<string, { readonly value: number; readonly evidence: string }>();
  const set = (member: MemberName, value: number, evidence: string): void => {
    found.set(WANTED_MEMBERS[member].define, { value, evidence });
  };
  returnStack(code, set);
  kretprobes(code, set);
  instancePool(code, set);
  kretprobeHandlers(code, set);
  kprobes(code, set);
  probedInstruction(code, set);
  return {
    origin: 'code',
    offsetOf: ({ define }) => found.get(define)?.value,
    evidenceOf: ({ define }) => found.get(define)?.evidence,
  };
}

type Setter = (member: MemberName, value: number, evidence: string) => void;

/**
 * ftrace_graph_ret_addr(task, ...) loads two members of the task: curr_ret_stack, an int, and
 * ret_stack, a pointer. ftrace_return_to_handler() begins by loading the same two from the current
 * task. Both functions must agree.
 */
function returnStack(code: KernelCode, set: Setter): void {
  const lookup = scan(code, 'ftrace_graph_ret_addr');
  const handler = scan(code, 'ftrace_return_to_handler');
  for (const [member, size] of [
    ['taskCurrRetStack', 4],
    ['taskRetStack', 8],
  ] as const) {
    const first = lookup?.loads.find((load) => load.root === 'arg0' && load.size === size);
    const second = handler?.loads.find((load) => load.root === 'task' && load.size === size);
    if (first === undefined || second?.offset !== first.offset) continue;
    set(member, first.offset, `loads at ${first.at} and ${second.at}`);
  }
}

/**
 * kretprobe_find_ret_addr(task, fp, ...) follows the task's list of instances. It compares ret_addr
 * of each with the trampoline, and fp with its argument. The list links a member of the instance.
 * The distance of that member from the start shows where the code computes a pointer to the start.
 */
function kretprobes(code: KernelCode, set: Setter): void {
  const seen = scan(code, 'kretprobe_find_ret_addr');
  const trampolines = TRAMPOLINES.map((name) => code.symbols.get(name)?.address);
  if (seen === undefined) return;
  const list = seen.loads.find(({ root, size }) => root === 'arg0' && size === 8);
  if (list === undefined) return;
  const node = loaded(list);
  const member = (isOther: (value: Value) => boolean): Load | undefined => {
    for (const [a, b] of seen.compares) {
      for (const [value, other] of [
        [a, b],
        [b, a],
      ] as const) {
        const load = seen.loads.find((one) => one.root === node && loaded(one) === value.root);
        if (load !== undefined && value.offset === 0 && isOther(other)) return load;
      }
    }
    return undefined;
  };
  const ret = member(({ root, offset }) => root === 'address' && trampolines.includes(offset));
  const fp = member(({ root, offset }) => root === 'arg1' && offset === 0);
  if (ret === undefined || fp === undefined) return;
  const container = seen.containers.get(node) ?? 0;
  set('taskKretprobes', list.offset, `load at ${list.at}`);
  set('kretprobeNext', container, `its list member, at ${list.at}`);
  set('kretprobeRetAddr', container + ret.offset, `compared with the trampoline: ${ret.at}`);
  set('kretprobeFp', container + fp.offset, `compared with the frame pointer: ${fp.at}`);
}

/**
 * pre_handler_kretprobe(kprobe, ...) loads one pointer from its kretprobe: the holder. From the
 * pool in the holder it loads a pointer, the slots of the CPUs, and an int, the number of objects.
 */
function instancePool(code: KernelCode, set: Setter): void {
  const seen = scan(code, 'pre_handler_kretprobe');
  const holder = seen?.loads.find(({ root, size }) => root === 'arg0' && size === 8);
  if (seen === undefined || holder === undefined) return;
  const pool = seen.loads.filter(({ root }) => root === loaded(holder));
  const slots = pool.find(({ size }) => size === 8);
  const objects = pool.find(({ size }) => size === 4);
  if (slots === undefined || objects === undefined) return;
  set('kretprobeHolder', holder.offset, `load at ${holder.at}`);
  set('holderSlots', slots.offset, `load at ${slots.at}`);
  set('holderObjects', objects.offset, `load at ${objects.at}`);
}

/**
 * The handlers of a kretprobe: the members that pre_handler_kretprobe() and the trampoline's
 * handler call.
 */
function kretprobeHandlers(code: KernelCode, set: Setter): void {
  const [entry, another] = calledMembers(scan(code, 'pre_handler_kretprobe'), 'arg0');
  if (entry !== undefined && another === undefined) {
    set('kretprobeEntryHandler', entry.offset, `called through the pointer loaded at ${entry.at}`);
  }
  // Each of the current task's instances leads to the holder, and the holder to the kretprobe.
  const seen = scan(code, '__kretprobe_trampoline_handler');
  const list = seen?.loads.find(({ root, size }) => root === 'task' && size === 8);
  if (list === undefined) return;
  const holders = seen?.loads.filter(({ root }) => root === loaded(list)).map(loaded) ?? [];
  // The kretprobe is the holder's first member. When it is loaded into the same register, the load
  // looks like one of the next node of a list.
  const found = holders.flatMap((holder) => [
    ...calledMembers(seen, holder),
    ...calledMembers(seen, loaded({ root: holder, offset: 0, size: 8 })),
  ]);
  const [handler] = found;
  if (handler !== undefined && found.every(({ offset }) => offset === handler.offset)) {
    set(
      'kretprobeReturnHandler',
      handler.offset,
      `called through the pointer loaded at ${handler.at}`,
    );
  }
}

/**
 * arch_prepare_kprobe(p) stores the instruction at p->addr, the slot that it gets, and the address
 * after p->addr. arch_simulate_insn(p, regs) calls the function that simulates the instruction.
 */
function probedInstruction(code: KernelCode, set: Setter): void {
  const seen = scan(code, 'arch_prepare_kprobe');
  const slot = resultOf(code.symbols.get('__get_insn_slot')?.address ?? NaN);
  const address = seen?.loads.find(({ root, size }) => root === 'arg0' && size === 8);
  const stored = (root: string, offset: number): Store | undefined =>
    seen?.stores.find(
      (store) =>
        store.root === 'arg0' && store.value.root === root && store.value.offset === offset,
    );
  if (address !== undefined) {
    const probed = loaded(address);
    const opcode = stored(loaded({ root: probed, offset: 0, size: 4 }), 0);
    const behind = stored(probed, 4);
    if (opcode !== undefined) set('kprobeOpcode', opcode.offset, `store at ${opcode.at}`);
    if (behind !== undefined) set('kprobeBehindSlot', behind.offset, `store at ${behind.at}`);
  }
  const slots = stored(slot, 0);
  if (slots !== undefined) set('kprobeSlot', slots.offset, `store at ${slots.at}`);
  const [simulator, another] = calledMembers(scan(code, 'arch_simulate_insn'), 'arg0');
  if (simulator !== undefined && another === undefined) {
    set(
      'kprobeSimulator',
      simulator.offset,
      `called through the pointer loaded at ${simulator.at}`,
    );
  }
}

/**
 * get_kprobe(addr) compares its argument with a member of each kprobe that kprobe_table lists. The
 * list links a member of the kprobe. That member is at the start, unless the code first computes a
 * pointer to the start.
 */
function kprobes(code: KernelCode, set: Setter): void {
  const lookup = scan(code, 'get_kprobe');
  const table = code.symbols.get('kprobe_table')?.address ?? NaN;
  const node = elementOf(table);
  const address = lookup?.loads.find((load) =>
    lookup.compares.some((pair) =>
      [0, 1].some((i) => pair[i]?.root === loaded(load) && isArgument(pair[1 - i])),
    ),
  );
  if (address?.root === node) {
    const container = lookup?.containers.get(node) ?? 0;
    const how = container === 0 ? 'list node at its start' : 'its list member';
    set('kprobeList', container, `${how}: ${address.at}`);
    set('kprobeAddress', container + address.offset, `compared with the argument: ${address.at}`);
  }
  const found = preHandlers(code);
  const [first] = found;
  if (first !== undefined && found.every(({ offset }) => offset === first.offset)) {
    const places = found.map(({ at }) => at).join(' and ');
    set('kprobePreHandler', first.offset, `called through the pointer loaded at ${places}`);
  }
}

const isArgument = (value: Value | undefined): boolean =>
  value?.root === 'arg0' && value.offset === 0;

/** The handler of a kprobe's breakpoint, by its names since v6.13. */
const BREAKPOINT_HANDLERS = ['kprobe_brk_handler', 'kprobe_breakpoint_handler'] as const;

/**
 * The functions that call a kprobe's pre_handler: the breakpoint's handler, on the result of
 * get_kprobe(), and aggr_pre_handler(p, regs), on each kprobe in p's list. Neither calls anything
 * else through a kprobe, unless the compiler has inlined a function into the first. That one then
 * has several such calls, and gives no answer.
 */
function preHandlers(code: KernelCode): Load[] {
  const probe = resultOf(code.symbols.get('get_kprobe')?.address ?? NaN);
  const found = BREAKPOINT_HANDLERS.flatMap((name) => calledMembers(scan(code, name), probe));
  const aggregate = scan(code, 'aggr_pre_handler');
  const list = aggregate?.loads.find(({ root, size }) => root === 'arg0' && size === 8);
  if (list !== undefined) found.push(...calledMembers(aggregate, loaded(list)));
  return found;
}

/**
 * The loads of functions that are then called, from the structure that `root` points to or into.
 */
function calledMembers(seen: Seen | undefined, root: string): Load[] {
  if (seen === undefined) return [];
  const container = seen.containers.get(root) ?? 0;
  return seen.calls.flatMap((called) => {
    const load = seen.loads.findLast((one) => one.root === root && loaded(one) === called.root);
    return load === undefined ? [] : [{ ...load, offset: container + load.offset }];
  });
}
