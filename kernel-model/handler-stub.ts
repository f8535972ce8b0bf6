/**
 * Our own code beside a real kernel: what `handle_arch_irq` and the kprobe call, what asks for the walk, and the
 * start of a kernel thread. Position-independent; data lies in the page behind it.
 */
import type { Address } from '../emulator/address.js';

/** Addresses in the stub, as bytes from its start. */
export interface HandlerStub {
  readonly words: readonly number[];
  readonly thread: number;
  readonly threadDone: number;
  readonly handler: number;
  readonly walkRequest: number;
}

/** An address in the stub. */
export function stubAddress(base: Address, offset: number): Address {
  return base + offset;
}

/** thread: x20 is the create_info of thread-call.ts, and the function is called from one that keeps a frame
 * record, as kthread() does; handler: the task to walk is `current`. */
export const HANDLER_STUB: HandlerStub = {
  words: [
    0x94000002, // bl call
    0x14000000, // threadDone: b .
    0xa9bf7bfd, // call: stp x29, x30, [sp, #-16]!
    0x910003fd, // mov x29, sp
    0xf9400695, // ldr x21, [x20, #8]
    0xf94002b3, // ldr x19, [x21]
    0xa94086a0, // ldp x0, x1, [x21, #8]
    0xa9418ea2, // ldp x2, x3, [x21, #24]
    0xa94296a4, // ldp x4, x5, [x21, #40]
    0xa9439ea6, // ldp x6, x7, [x21, #56]
    0xd63f0260, // blr x19
    0xf90026a0, // str x0, [x21, #72]
    0xa8c17bfd, // ldp x29, x30, [sp], #16
    0xd65f03c0, // ret
    0xa9bf7bfd, // handler: stp x29, x30, [sp, #-16]!
    0x910003fd, // mov x29, sp
    0xd5384100, // mrs x0, sp_el0
    0x94000004, // bl walk
    0x52800020, // mov w0, #1
    0xa8c17bfd, // ldp x29, x30, [sp], #16
    0xd65f03c0, // ret
    0xd65f03c0, // walk: ret
  ],
  thread: 0,
  threadDone: 4,
  handler: 56,
  walkRequest: 84,
};
