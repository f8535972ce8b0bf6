/**
 * Breakpoints and watchpoints, kept outside the guest. Its code is never changed, so it cannot tell
 * that it is watched.
 */
import { type Address, addressToBigInt } from '../../base/address.js';
import { MemoryAccess, memoryAccess } from '../../emulator/memory-access.js';
import type { GdbTarget } from './target.js';

/** Most breakpoints and watchpoints of one client. Setting more is refused. */
export const MAX_POINTS = 1024;

/** Types of `Z` packets: software and hardware breakpoint, write, read and access watchpoint. */
export const PointType = { SOFTWARE: 0, HARDWARE: 1, WRITE: 2, READ: 3, ACCESS: 4 } as const;

interface Watchpoint {
  readonly type: number;
  readonly low: Address;
  readonly high: Address;
}

/** A watchpoint that an instruction triggers. */
export interface WatchHit {
  /** Type, as a stop reply names it. */
  readonly name: 'watch' | 'rwatch' | 'awatch';
  /** First watched byte of the access. */
  readonly address: Address;
}

/** The points of one client. */
export class Breakpoints {
  private readonly code = [new Set<Address>(), new Set<Address>()] as const;
  private readonly watched = new Map<string, Watchpoint>();
  private readonly access = new MemoryAccess();

  /** Set a point. Setting it again changes nothing. False when there are too many. */
  add(type: number, address: Address, length: number): boolean {
    const [software, hardware] = this.code;
    if (software.size + hardware.size + this.watched.size >= MAX_POINTS) return false;
    if (type <= PointType.HARDWARE) {
      (type === PointType.SOFTWARE ? software : hardware).add(address);
    } else {
      const point = { type, low: address, high: address + length };
      this.watched.set(watchKey(type, address, length), point);
    }
    return true;
  }

  /** Remove a point. It is no error if there is none. */
  remove(type: number, address: Address, length: number): void {
    if (type === PointType.SOFTWARE) this.code[0].delete(address);
    else if (type === PointType.HARDWARE) this.code[1].delete(address);
    else this.watched.delete(watchKey(type, address, length));
  }

  clear(): void {
    for (const set of this.code) set.clear();
    this.watched.clear();
  }

  /** The breakpoint at an address, as a stop reply names it. */
  breakpointAt(address: Address): 'swbreak' | 'hwbreak' | undefined {
    if (this.code[0].has(address)) return 'swbreak';
    return this.code[1].has(address) ? 'hwbreak' : undefined;
  }

  /** The watchpoint that the instruction at the target's PC is about to trigger. */
  watchHit(target: GdbTarget, pc: Address): WatchHit | undefined {
    if (this.watched.size === 0) return undefined;
    const word = target.readInstruction(pc);
    const { access } = this;
    if (word === undefined || !memoryAccess(word, target.registers, access)) return undefined;
    const end = access.address + access.size;
    for (const { type, low, high } of this.watched.values()) {
      if (end <= low || access.address >= high) continue;
      const address = Math.max(low, access.address);
      if (type === PointType.ACCESS) return { name: 'awatch', address };
      if (type === PointType.WRITE && access.writes) return { name: 'watch', address };
      if (type === PointType.READ && access.reads) return { name: 'rwatch', address };
    }
    return undefined;
  }
}

function watchKey(type: number, address: Address, length: number): string {
  return `${type} ${addressToBigInt(address)} ${length}`;
}
