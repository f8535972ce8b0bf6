/** The truth at a walk request, from the calls and exceptions that are pending. */
import type { Address } from '../base/address.js';
import type { ExceptionDriver } from '../kernel-model/exception-driver.js';
import { EntryKind, type GroundTruth, type ShadowStack } from '../kernel-model/ground-truth.js';
import type { TruthList } from './judge.js';

/**
 * Set the truth at the walk request of an exception: return addresses in its handler, the interrupted
 * PC, and what is pending there, innermost first.
 * @param pc the interrupted PC
 * @param task the task to walk; if it is not the current one, only what is pending on its stack counts
 */
export function truthAtRequest(
  list: TruthList,
  truth: GroundTruth,
  driver: ExceptionDriver,
  pc: Address,
  task: Address,
): void {
  list.clear();
  if (task !== truth.currentTask) {
    pushPending(list, truth.ofTask(task));
    return;
  }
  const addresses = driver.path?.addresses;
  if (addresses !== undefined) {
    for (let i = 0; i < addresses.length; i++) list.push(addresses[i] as number);
  }
  list.push(pc, 1);
  pushPending(list, truth.current);
}

/** Append the entries of a shadow stack, innermost first. */
export function pushPending(list: TruthList, stack: ShadowStack): void {
  for (let i = stack.depth - 1; i >= 0; i--) {
    list.push(stack.addresses[i] as number, Number(stack.kinds[i] === EntryKind.EXCEPTION));
  }
}
