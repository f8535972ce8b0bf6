/**
 * Calls the resolvers of indirect functions (STT_GNU_IFUNC) on the emulated CPU, as a dynamic
 * linker does before a program starts. x0 is AT_HWCAP, which is 0 here, so that they choose code
 * for any CPU.
 */
import type { Address } from '../base/address.js';
import type { DynamicLinker } from '../elf/dynamic-linker.js';
import type { GuestMemory } from '../emulator/guest-memory.js';
import { Pstate, Reg } from '../emulator/registers.js';
import { readCpuState, writeCpuState } from '../emulator/snapshot.js';
import { type SteppingCpu, StepStatus } from '../emulator/stepping-cpu.js';

/** Where a resolver returns to: nothing is mapped there. */
const RETURN_TO: Address = 0x7cff_0000_0000;
/** Bytes of stack for a resolver. */
const STACK_SIZE = 1 << 16;
/** Most instructions of a resolver. Those of the C library take a few dozen. */
const BUDGET = 100_000;

/**
 * Fills in the words that wait for a resolver. A word whose resolver fails keeps its trap.
 * @param stackTop end of writable zeroes, of which {@link STACK_SIZE} bytes are used and zeroed
 * @returns why resolvers failed, in one line each, by the trap
 */
export function resolveIndirectFunctions(
  stepper: SteppingCpu,
  memory: GuestMemory,
  linker: DynamicLinker,
  stackTop: Address,
): ReadonlyMap<Address, string> {
  const failures = new Map<Address, string>();
  if (linker.indirectFunctions.length === 0) return failures;
  const before = readCpuState(stepper.engine);
  for (const { place, resolver, trap } of linker.indirectFunctions) {
    const failure = callResolver(stepper, resolver, stackTop);
    if (failure !== undefined) failures.set(trap, failure);
    else memory.writeAddress(place, stepper.registers.get(Reg.X0));
  }
  memory.writeBytes(stackTop - STACK_SIZE, new Uint8Array(STACK_SIZE));
  writeCpuState(stepper.engine, before);
  stepper.registers.words.set(before.registers);
  return failures;
}

/** @returns why there is no answer; undefined when it is in x0 */
function callResolver(
  stepper: SteppingCpu,
  resolver: Address,
  stackTop: Address,
): string | undefined {
  const { registers } = stepper;
  for (let i = 0; i <= 30; i++) registers.set(i, 0);
  registers.set(Reg.X30, RETURN_TO);
  registers.set(Reg.SP, stackTop);
  registers.set(Reg.PSTATE, Pstate.EL1H);
  registers.set(Reg.PC, resolver);
  stepper.writeBack();
  const status = stepper.runTo(RETURN_TO, BUDGET);
  if (stepper.pc === RETURN_TO) return undefined;
  return status === StepStatus.DONE ? 'it does not return' : stepper.describe(status);
}
