/**
 * Copies of all writable guest memory, which share the 4 KiB pages that did not change from one to
 * the next. Changes are found by comparing bytes, so that nothing has to watch the guest's stores.
 */
import { PAGE_SIZE, Permission } from '../emulator/engine.js';
import type { GuestMemory } from '../emulator/guest-memory.js';

/** Pages that are shared as one chunk, because most of a large memory does not change. */
const CHUNK_PAGES = 16;
const CHUNK = CHUNK_PAGES * PAGE_SIZE;

/** Pages of one chunk, in order. The last chunk of a region may have fewer. */
type Chunk = readonly Buffer[];

/** All writable memory at one position. Immutable. */
export interface MemoryImage {
  /** Every chunk of every writable region, in order of regions and addresses. */
  readonly chunks: readonly Chunk[];
}

/** Takes and restores images of one machine's memory. */
export class WritableMemory {
  /** Live bytes, one buffer for each chunk. */
  private readonly live: readonly Buffer[];

  constructor(memory: GuestMemory) {
    const live: Buffer[] = [];
    for (const { bytes, permissions } of memory.regions) {
      if ((permissions & Permission.WRITE) === 0) continue;
      for (let at = 0; at < bytes.length; at += CHUNK) {
        const size = Math.min(CHUNK, bytes.length - at);
        live.push(Buffer.from(bytes.buffer, bytes.byteOffset + at, size));
      }
    }
    this.live = live;
  }

  /** Copy the pages that differ from `base`, and share the rest with it. */
  capture(base?: MemoryImage): MemoryImage {
    return { chunks: this.live.map((live, i) => captureChunk(live, base?.chunks[i])) };
  }

  /** Make memory equal to an image, writing only pages that differ. */
  restore(image: MemoryImage): void {
    for (const [i, live] of this.live.entries()) {
      const chunk = image.chunks[i] as Chunk;
      for (const [p, page] of chunk.entries()) {
        const at = p * PAGE_SIZE;
        if (page.compare(live, at, at + PAGE_SIZE) !== 0) page.copy(live, at);
      }
    }
  }

  /** The live bytes, for hashing. */
  *bytes(): Generator<Uint8Array> {
    yield* this.live;
  }
}

function captureChunk(live: Buffer, base: Chunk | undefined): Chunk {
  let changed: Buffer[] | undefined = base === undefined ? [] : undefined;
  for (let at = 0; at < live.length; at += PAGE_SIZE) {
    const p = at / PAGE_SIZE;
    const known = base?.[p];
    if (known !== undefined && known.compare(live, at, at + PAGE_SIZE) === 0) continue;
    changed ??= [...(base ?? [])];
    // Not Buffer.from: small buffers share one block, which a single page would then keep alive.
    const page = Buffer.alloc(PAGE_SIZE);
    live.copy(page, 0, at, at + PAGE_SIZE);
    changed[p] = page;
  }
  return changed ?? (base as Chunk);
}

/** Bytes of all distinct pages that the images hold. */
export function imageBytes(images: Iterable<MemoryImage>): number {
  const chunks = new Set<Chunk>();
  const pages = new Set<Buffer>();
  for (const image of images) {
    for (const chunk of image.chunks) {
      if (chunks.has(chunk)) continue;
      chunks.add(chunk);
      for (const page of chunk) pages.add(page);
    }
  }
  return pages.size * PAGE_SIZE;
}
