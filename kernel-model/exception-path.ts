/**
 * The true calls between an exception vector and the walk request. The runner executes that stretch
 * freely, so its calls are not seen one by one. They are learned by stepping through one such
 * exception, and learned again at intervals to check that they have not changed. The calls depend
 * on the kind of exception, on the stack that was interrupted and on what was masked; paths are
 * therefore filed by these three.
 */
import type { Address } from '../base/address.js';
import { KIND_COUNT } from './exception-kind.js';

/** Number of stacks, including "no known stack". */
export const STACK_SLOTS = 6;
/**
 * Number of mask states of the interrupted context. Bit 0: PSTATE.I is set. Bit 1: the PMR masks.
 * Bit 2: in NMI.
 */
export const MASK_STATES = 8;

/** The pending return addresses at the walk request, for one kind of exception. */
export interface ExceptionPath {
  /** Return addresses, innermost first. The first is the one into the walk request's caller. */
  readonly addresses: Float64Array;
  /** Instructions from the vector to the walk request. */
  readonly instructions: number;
  /** SP at the request minus the interrupted SP, in bytes. (LR there equals `addresses[0]`.) */
  readonly spDelta: number;
  /** SP at the request as an address, when the handler runs on another stack; NaN otherwise. */
  readonly spAbsolute: Address;
}

/** Learned paths by kind, stack and mask state. */
export class ExceptionPaths {
  private readonly paths: (ExceptionPath | undefined)[] = new Array<ExceptionPath | undefined>(
    KIND_COUNT * STACK_SLOTS * MASK_STATES,
  ).fill(undefined);
  private readonly uses = new Uint32Array(KIND_COUNT * STACK_SLOTS * MASK_STATES);

  /** Index of a path, for `stack` in 0..STACK_SLOTS-1 and `masks` in 0..MASK_STATES-1. */
  static slot(kind: number, stack: number, masks: number): number {
    return (kind * STACK_SLOTS + stack) * MASK_STATES + masks;
  }

  /**
   * The path in a slot. Undefined when it has to be learned or relearned: at the first use, and at
   * every `AUDIT_INTERVAL`th use after it.
   */
  use(slot: number): ExceptionPath | undefined {
    const uses = this.uses[slot] as number;
    this.uses[slot] = uses + 1;
    return uses % AUDIT_INTERVAL === 0 ? undefined : this.paths[slot];
  }

  /**
   * File a path. Returns false when one was filed before and differs: the truth would have been
   * wrong.
   */
  learn(slot: number, path: ExceptionPath): boolean {
    const known = this.paths[slot];
    this.paths[slot] = path;
    return known === undefined || samePath(known, path);
  }

  /** Forget everything, for another scenario or another machine state. */
  clear(): void {
    this.paths.fill(undefined);
    this.uses.fill(0);
  }
}

/** Uses of a known path from one check, step by step, to the next. */
const AUDIT_INTERVAL = 1024;

function samePath(a: ExceptionPath, b: ExceptionPath): boolean {
  return (
    a.addresses.length === b.addresses.length &&
    a.addresses.every((address, i) => address === b.addresses[i]) &&
    a.spDelta === b.spDelta &&
    Object.is(a.spAbsolute, b.spAbsolute)
  );
}
