/** Truth at a walk request, put together from what is pending. */
import type { Address } from '../base/address.js';
import type { ExceptionDriver } from '../kernel-model/exception-driver.js';
import { EntryKind, type GroundTruth, type ShadowStack } from '../kernel-model/ground-truth.js';
import type { TruthList } from './judge.js';

/**
 * Fill the truth at the walk request of an exception that a driver took, innermost first: handler,
 * interrupted PC, and what is pending there. @param task whose walk is asked for
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

/** Append what is pending on a shadow stack, innermost first. */
export function pushPending(list: TruthList, stack: ShadowStack): void {
  for (let i = stack.depth - 1; i >= 0; i--) {
    list.push(stack.addresses[i] as number, Number(stack.kinds[i] === EntryKind.EXCEPTION));
  }
}
