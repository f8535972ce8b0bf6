/**
 * The small piece of our own code that is placed beside any kernel image
 * (kernel-model/guest/stub/stub.S): the handler that asks for a walk, the thread function, and the
 * callback that records a walk's entries.
 */
import type { Address } from '../base/address.js';
import type { ElfImage } from '../elf/image.js';
import type { GuestMemory } from '../emulator/guest-memory.js';
import { fail, ok, type Result } from '../base/result.js';

/** Path of the stub's ELF in the package. */
export const STUB_ELF = 'kernel-model/guest/stub/stub.elf';

/**
 * `hint #127`, the instruction after a call that asks for a walk
 * (kernel-model/guest/include/walk-return.h).
 */
export const WALK_RETURN = 0xd5032fff;

/**
 * Byte offsets in stub_trace: the number of entries seen, the number after which to stop, the first
 * entry.
 */
export const TRACE_SEEN = 0;
export const TRACE_LIMIT = 16;
export const TRACE_ENTRIES = 24;

/** Addresses in the stub. */
export interface WalkStub {
  /** `void handler(struct pt_regs *)`; also a kprobe's pre-handler that returns 0. */
  readonly handler: Address;
  /** First instruction of the function that the handler calls to request a walk. */
  readonly walkRequest: Address;
  /** Pointer variable: the task whose walk the handler asks for; 0 for the current one. */
  readonly walkTask: Address;
  /** Word: what the walk request returns to its caller. */
  readonly walkResult: Address;
  /** Thread function. Its argument is {function, eight arguments, result}. */
  readonly thread: Address;
  /** The function that the thread ends in. */
  readonly threadDone: Address;
  /** `bool consume_entry(void *cookie, unsigned long pc)`, and its cookie. */
  readonly consumeEntry: Address;
  readonly trace: Address;
  /** Function graph's callbacks at the entry and the return of a traced function. */
  readonly graphEntry: Address;
  readonly graphReturn: Address;
  /** A lone WALK_RETURN: the return address of a call that the host makes. */
  readonly returned: Address;
}

/** Resolve the stub's symbols. The error lists those that are missing. */
export function resolveStub(elf: ElfImage): Result<WalkStub, readonly string[]> {
  const missing: string[] = [];
  const value = (name: string): Address => {
    const symbol = elf.symbols.find((candidate) => candidate.name === name);
    if (symbol === undefined) missing.push(name);
    return symbol?.address ?? 0;
  };
  const stub: WalkStub = {
    handler: value('stub_handler'),
    walkRequest: value('stub_walk_request'),
    walkTask: value('stub_walk_task'),
    walkResult: value('stub_walk_result'),
    thread: value('stub_thread'),
    threadDone: value('stub_done'),
    consumeEntry: value('stub_consume_entry'),
    trace: value('stub_trace'),
    graphEntry: value('stub_graph_entry'),
    graphReturn: value('stub_graph_return'),
    returned: value('stub_returned'),
  };
  return missing.length > 0 ? fail(missing) : ok(stub);
}

/**
 * Where execution continues after a walk request. A WALK_RETURN is skipped, because a freely
 * running engine would stop at it.
 */
export function behindRequest(memory: GuestMemory, returnAddress: Address): Address {
  return memory.readWord(returnAddress) === WALK_RETURN ? returnAddress + 4 : returnAddress;
}
