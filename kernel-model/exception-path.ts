/**
 * Truth about the calls between an exception vector and the walk request. The runner executes that
 * stretch freely, so its calls are not seen one by one; they are learned by executing one such
 * exception instruction by instruction, and learned again every so often to see that they have not
 * changed. Which calls are made depends on the kind, on the stack that was interrupted and on what
 * was masked, so that is what a path is filed under.
 */
import type { Address } from '../base/address.js';
import { KIND_COUNT } from './exception-kind.js';

/** Stacks plus "no known stack". */
export const STACK_SLOTS = 6;
/** Masks of the interrupted context that choose a path: bit 0 PSTATE.I, bit 1 PMR masked, bit 2 in NMI. */
export const MASK_STATES = 8;

/** The pending return addresses at the walk request, of one kind of exception. */
export interface ExceptionPath {
  /** Return addresses, innermost first; the first is that of the walk request's caller. */
  readonly addresses: Float64Array;
  /** Instructions from the vector to the walk request. */
  readonly instructions: number;
  /** LR at the request: equals `addresses[0]`. SP there, relative to the interrupted SP ... */
  readonly spDelta: number;
  /** ... or as an address, when the handler runs on another stack (NaN otherwise). */
  readonly spAbsolute: Address;
}

/** Learned paths by kind, stack and mask state. */
export class ExceptionPaths {
  private readonly paths: (ExceptionPath | undefined)[] = new Array<ExceptionPath | undefined>(
    KIND_COUNT * STACK_SLOTS * MASK_STATES,
  ).fill(undefined);
  private readonly uses = new Uint32Array(KIND_COUNT * STACK_SLOTS * MASK_STATES);

  /** Index of a path. @param stack 0..STACK_SLOTS-1 @param masks 0..MASK_STATES-1 */
  static slot(kind: number, stack: number, masks: number): number {
    return (kind * STACK_SLOTS + stack) * MASK_STATES + masks;
  }

  /**
   * The path in a slot, or undefined when it is to be (re)learned: the first time, and then at every
   * `AUDIT_INTERVAL`th use.
   */
  use(slot: number): ExceptionPath | undefined {
    const uses = this.uses[slot] as number;
    this.uses[slot] = uses + 1;
    return uses % AUDIT_INTERVAL === 0 ? undefined : this.paths[slot];
  }

  /** File a path. False when one was filed before and differs: truth would have been wrong. */
  learn(slot: number, path: ExceptionPath): boolean {
    const known = this.paths[slot];
    this.paths[slot] = path;
    return known === undefined || samePath(known, path);
  }

  /** Forget everything: another scenario, another machine state. */
  clear(): void {
    this.paths.fill(undefined);
    this.uses.fill(0);
  }
}

/** How often a known path is executed step by step again to see that it still holds. */
const AUDIT_INTERVAL = 1024;

function samePath(a: ExceptionPath, b: ExceptionPath): boolean {
  return (
    a.addresses.length === b.addresses.length &&
    a.addresses.every((address, i) => address === b.addresses[i]) &&
    a.spDelta === b.spDelta &&
    Object.is(a.spAbsolute, b.spAbsolute)
  );
}
