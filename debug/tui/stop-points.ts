/** Breakpoints and watchpoints of a session, as a stop test for the timeline. */
import { plural } from '../../base/number-text.js';
import { type Address, formatAddress } from '../../base/address.js';
import { fail, ok, type Result } from '../../base/result.js';
import type { StopTest } from '../stop.js';
import type { Timeline } from '../timeline.js';

/** Memory that is watched for changes. */
export interface Watchpoint {
  readonly address: Address;
  /** In bytes. */
  readonly size: number;
}

interface Watched extends Watchpoint {
  /** The guest's memory itself. */
  readonly live: Buffer;
  readonly known: Buffer;
}

/** What stops every run. */
export class StopPoints {
  /** Addresses of instructions. */
  readonly breakpoints = new Set<Address>();
  private readonly watched: Watched[] = [];
  private changed: Watched | undefined;
  private oldValue = '';

  constructor(private readonly line: Timeline) {}

  /** What is watched, oldest first. */
  get watchpoints(): readonly Watchpoint[] {
    return this.watched;
  }

  /** Whether nothing would stop a run. */
  get isEmpty(): boolean {
    return this.breakpoints.size === 0 && this.watched.length === 0;
  }

  /** Set or clear a breakpoint. @returns whether it is set now; the error is one line */
  toggle(address: Address): Result<boolean, string> {
    if (this.breakpoints.delete(address)) return ok(false);
    if (address % 4 !== 0) return fail('the address of an instruction is a multiple of 4');
    if (this.line.readMemory(address, 4) === undefined) return fail('no memory there');
    this.breakpoints.add(address);
    return ok(true);
  }

  /** Watch memory. The error is one line. */
  watch({ address, size }: Watchpoint): Result<void, string> {
    const region = this.line.machine.memory.regionAt(address);
    if (region === undefined || address + size > region.high) return fail('no memory there');
    const { bytes } = region;
    const live = Buffer.from(bytes.buffer, bytes.byteOffset + (address - region.low), size);
    this.watched.push({ address, size, live, known: Buffer.from(live) });
    return ok(undefined);
  }

  /** Remove all watchpoints. @returns how many there were */
  unwatch(): number {
    return this.watched.splice(0).length;
  }

  /** A test that hits when one of these points does, or `also`. */
  test(also?: StopTest): StopTest {
    const note = (): void => {
      for (const { live, known } of this.watched) live.copy(known);
    };
    this.changed = undefined;
    return {
      begin: () => {
        note();
        also?.begin?.();
      },
      here: () => this.breakpoints.has(this.line.pc) || also?.here?.() === true,
      after: () => this.hasChanged() || also?.after?.() === true,
    };
  }

  private hasChanged(): boolean {
    let found = false;
    for (const item of this.watched) {
      if (item.live.equals(item.known)) continue;
      this.changed = item;
      this.oldValue = value(item.known);
      item.live.copy(item.known);
      found = true;
    }
    return found;
  }

  /**
   * Why a run by {@link test} stopped, in one line; empty when none of these points stopped it.
   * After a run back, the next step makes the change again.
   */
  reason(back: boolean): string {
    const { line } = this;
    const at = line.machine.symbols.format(line.pc);
    if (back && this.watched.length > 0) this.repeatStep();
    const { changed } = this;
    if (changed !== undefined) {
      const now = back ? value(changed.known) : value(changed.live);
      const where = `${formatAddress(changed.address)}, ${plural(changed.size, 'byte')}`;
      const change = `${this.oldValue} -> ${now}`;
      return back ? `the next step changes ${where}: ${change}` : `changed: ${where}: ${change}`;
    }
    return this.breakpoints.has(line.pc) ? `breakpoint at ${at}` : '';
  }

  private repeatStep(): void {
    const { line } = this;
    const { position } = line;
    for (const { live, known } of this.watched) live.copy(known);
    this.changed = undefined;
    line.stepForward(1);
    this.hasChanged();
    line.goTo(position);
  }
}

/** The first 8 bytes as a little-endian number in hexadecimal. */
function value(bytes: Buffer): string {
  const shown = bytes.subarray(0, 8);
  const digits = Buffer.from(shown).reverse().toString('hex');
  return bytes.length > 8 ? `${digits}..` : digits;
}
