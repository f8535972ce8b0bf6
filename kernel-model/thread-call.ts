/**
 * Calls a function as a kernel thread does: ret_from_fork, kthread, the thread function, then the
 * function under test with its arguments. Builds the guest's `struct kthread_create_info` and
 * `struct kunwind_call` (kernel-model/guest/include/kunwind.h) in the argument area.
 */
import type { Address } from '../base/address.js';
import {
  FRAME_RECORD_META_FINAL,
  PT_REGS_SIZE,
  S_STACKFRAME,
  THREAD_SIZE,
} from './kernel-image.js';
import { ARGUMENT_AREA, ARGUMENT_AREA_SIZE, type Machine } from './machine.js';

/** The most arguments that a thread call can pass: x0..x7. */
export const MAX_ARGUMENTS = 8;

/**
 * One argument: a number, or bytes that are copied into guest memory and whose address is passed.
 * With `selfPointers`, each whole 64-bit word of the bytes becomes that address.
 */
export type CallArgument =
  | { readonly kind: 'number'; readonly value: number }
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array; readonly selfPointers?: boolean };

/** Why a call cannot be set up. */
export type CallError =
  | { readonly kind: 'too-many-arguments'; readonly count: number }
  | { readonly kind: 'arguments-too-large'; readonly bytes: number; readonly limit: number }
  | { readonly kind: 'no-task-stack' };

const CALL_AT = ARGUMENT_AREA;
const CREATE_INFO_AT = ARGUMENT_AREA + 128;
const BUFFERS_AT = ARGUMENT_AREA + 256;
const RESULT_OFFSET = 8 + 8 * MAX_ARGUMENTS;

/**
 * Point the stepper at a new thread of init_task that will call `fn`.
 * @param threadFunction the function that kthread() calls with the `struct kunwind_call`; default
 * kunwind_thread
 * @returns undefined, or why not
 */
export function startThreadCall(
  machine: Machine,
  fn: Address,
  args: readonly CallArgument[],
  threadFunction: Address = machine.kernel.roles.thread,
): CallError | undefined {
  const { memory } = machine;
  if (args.length > MAX_ARGUMENTS) return { kind: 'too-many-arguments', count: args.length };
  memory.writeAddress(CALL_AT, fn);
  let free = BUFFERS_AT;
  for (const [i, argument] of args.entries()) {
    let value: number;
    if (argument.kind === 'number') {
      value = argument.value;
    } else {
      value = free;
      free += Math.ceil((argument.bytes.length + 1) / 64) * 64;
      if (free > ARGUMENT_AREA + ARGUMENT_AREA_SIZE) {
        const bytes = argument.bytes.length;
        return { kind: 'arguments-too-large', bytes, limit: ARGUMENT_AREA_SIZE - 256 };
      }
      memory.writeBytes(value, argument.bytes);
      if (argument.selfPointers === true) {
        const end = value + argument.bytes.length;
        for (let at = value; at + 8 <= end; at += 8) memory.writeAddress(at, value);
      }
    }
    memory.writeAddress(CALL_AT + 8 + 8 * i, value);
  }
  // kthread() would allocate memory, which a kernel that was not booted cannot: call the thread
  // function directly.
  if (machine.kernel.unbooted !== undefined) return startThread(machine, threadFunction, CALL_AT);
  memory.writeAddress(CREATE_INFO_AT, threadFunction);
  memory.writeAddress(CREATE_INFO_AT + 8, CALL_AT);
  return startThread(machine, machine.kernel.roles.kthread, CREATE_INFO_AT);
}

function startThread(machine: Machine, fn: Address, argument: Address): CallError | undefined {
  const { memory, kernel } = machine;
  const task = kernel.roles.initTask;
  const low = memory.readAddress(task + kernel.offsets.taskStack);
  if (low === undefined || memory.regionAt(low) === undefined) return { kind: 'no-task-stack' };
  const regs = low + THREAD_SIZE - PT_REGS_SIZE;
  const record = finalRecordOf(low);
  memory.writeAddress(record, 0);
  memory.writeAddress(record + 8, 0);
  memory.writeAddress(record + 16, FRAME_RECORD_META_FINAL);
  machine.startThread(task, regs, record, fn, argument);
  return undefined;
}

/**
 * Address of a task's FINAL record, `task_pt_regs(task)->stackframe`. @param stackLow task->stack
 */
export function finalRecordOf(stackLow: Address): Address {
  return stackLow + THREAD_SIZE - PT_REGS_SIZE + S_STACKFRAME;
}

/** What the function returned in x0, once the thread is done. */
export function threadResult(machine: Machine): number | undefined {
  return machine.memory.readAddress(CALL_AT + RESULT_OFFSET);
}

/** One line for a {@link CallError}. */
export function describeCallError(error: CallError): string {
  switch (error.kind) {
    case 'too-many-arguments':
      return `${error.count} arguments given, but x0..x7 take ${MAX_ARGUMENTS}`;
    case 'arguments-too-large':
      return `argument buffers exceed ${error.limit} bytes (one has ${error.bytes})`;
    case 'no-task-stack':
      return 'init_task has no stack';
  }
}
