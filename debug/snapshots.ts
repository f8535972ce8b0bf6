/**
 * The snapshots of a timeline, by position. Their number and size are bounded whatever the length
 * of a run: when there are too many, every second one is dropped and the interval doubles.
 */
import { lastWithAtMost } from '../base/sorted.js';
import { imageBytes, type MemoryImage } from './memory-image.js';

/** What a snapshot must have to be stored here. */
export interface Positioned {
  readonly position: number;
  readonly memory: MemoryImage;
}

/** Most snapshots that are kept. */
const MOST = 512;
/** Most bytes of distinct pages that are kept. */
const MAX_BYTES = 128 << 20;
/** Snapshots added between two checks of {@link MAX_BYTES}. */
const AUDIT = 16;
/**
 * Most snapshots that are kept close to the user's position. They make stepping back cheap there.
 */
const NEAR = 4;

/** Snapshots in order of their positions. */
export class Snapshots<T extends Positioned> {
  private list: T[] = [];
  private near: T[] = [];
  private added = 0;

  /** @param interval steps between two snapshots at first */
  constructor(public interval: number) {}

  get count(): number {
    return this.list.length + this.near.length;
  }

  /** Bytes of memory pages held. */
  get bytes(): number {
    return imageBytes([...this.list, ...this.near].map(({ memory }) => memory));
  }

  /** The last snapshot at or before a position. Position 0 has one from the beginning. */
  atOrBefore(position: number): T | undefined {
    let best = this.list[lastWithAtMost(this.list, position, positionOf)];
    for (const snapshot of this.near) {
      if (snapshot.position > position) continue;
      if (best === undefined || snapshot.position > best.position) best = snapshot;
    }
    return best;
  }

  /** Keep a snapshot of the regular grid. */
  add(snapshot: T): void {
    const at = lastWithAtMost(this.list, snapshot.position, positionOf);
    if (this.list[at]?.position === snapshot.position) return;
    this.list.splice(at + 1, 0, snapshot);
    const audit = ++this.added % AUDIT === 0;
    if (this.list.length > MOST || (audit && this.bytes > MAX_BYTES)) this.thin();
  }

  /** Keep a snapshot near the user's position, in place of the oldest of these. */
  addNear(snapshot: T): void {
    this.near.push(snapshot);
    if (this.near.length > NEAR) this.near.shift();
  }

  /** Drop the snapshots at or after a position, because the run has changed there. */
  dropFrom(position: number): void {
    this.list = this.list.filter((snapshot) => snapshot.position < position);
    this.near = this.near.filter((snapshot) => snapshot.position < position);
  }

  private thin(): void {
    this.interval *= 2;
    this.list = this.list.filter((_, i) => i % 2 === 0);
    while (this.list.length > 2 && this.bytes > MAX_BYTES) {
      this.interval *= 2;
      this.list = this.list.filter((_, i) => i % 2 === 0);
    }
  }
}

function positionOf({ position }: Positioned): number {
  return position;
}
