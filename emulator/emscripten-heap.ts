/**
 * The memory of an Emscripten module, as views that JavaScript can keep.
 *
 * Growing a WebAssembly memory detaches every view of it (WebAssembly JavaScript Interface 5.3,
 * "refresh the memory buffer"), and the rest of the project holds guest RAM as views. The heap is
 * therefore grown once, before anything is allocated, to more than will be needed. A later growth
 * is always reported as an error.
 */
import { PAGE_SIZE } from './engine.js';
import { fail, ok, type Result } from '../base/result.js';

/** The part of an Emscripten module that this file uses. */
export interface EmscriptenModule {
  /** The whole memory. Modules of Emscripten 4.0.7 and later do not export it by default. */
  readonly HEAPU8?: Uint8Array;
  /** 0 when the memory cannot grow any further. */
  _malloc(size: number): number;
  _free(at: number): void;
  /** `HEAP8.set(bytes, at)`. */
  writeArrayToMemory?(bytes: readonly number[], at: number): void;
}

/** The bytes that {@link EmscriptenHeap.open} writes to verify its view of the memory. */
const PROBE = [0x6b, 0x77, 0x0d, 0x91];

/** An allocator and its views. Guest RAM lives as long as the module, so nothing is ever freed. */
export class EmscriptenHeap {
  /** Set once the memory has moved while it held guest RAM: every view of that RAM is then dead. */
  lost = false;
  private holdsGuest = false;

  private constructor(
    private readonly module: EmscriptenModule,
    private bytes: Uint8Array,
    private wordView: Uint32Array,
  ) {}

  /**
   * @param reserve bytes that must be free before the memory has to grow again
   * @returns the heap, or why this module's memory cannot be used
   */
  static open(module: EmscriptenModule, reserve: number): Result<EmscriptenHeap, string> {
    const room = module._malloc(reserve);
    if (room === 0) return fail(`its memory cannot grow by ${reserve >> 20} MiB`);
    const buffer = findBuffer(module);
    if (buffer === undefined || !isMemoryOf(module, buffer, room)) {
      return fail('its memory cannot be reached: neither HEAPU8 nor writeArrayToMemory gives it');
    }
    // The memory cannot shrink, so Emscripten's allocator keeps what it got.
    module._free(room);
    return ok(new EmscriptenHeap(module, new Uint8Array(buffer), new Uint32Array(buffer)));
  }

  /** The memory as little-endian words, valid until the next call into the module. */
  words(): Uint32Array {
    if (this.wordView.length === 0) this.refresh();
    return this.wordView;
  }

  /** Whether guest RAM is still where it was. Cheap; call it after any call that may allocate. */
  intact(): boolean {
    if (this.wordView.length === 0) this.refresh();
    return !this.lost;
  }

  /**
   * Zeroed, page-aligned guest RAM of at least `size` bytes.
   * @throws RangeError, as ArrayBuffer does, when there is no room
   */
  allocatePages(size: number): Uint8Array {
    const length = Math.ceil(size / PAGE_SIZE) * PAGE_SIZE;
    const start = Math.ceil(this.claim(length + PAGE_SIZE) / PAGE_SIZE) * PAGE_SIZE;
    this.holdsGuest = true;
    return this.bytes.subarray(start, start + length).fill(0);
  }

  /**
   * Zeroed bytes for arguments. Returns their address, a multiple of 8.
   * @throws RangeError when there is no room
   */
  allocateScratch(size: number): number {
    const start = Math.ceil(this.claim(size + 8) / 8) * 8;
    this.bytes.fill(0, start, start + size);
    return start;
  }

  /** The address of bytes that {@link allocatePages} returned; undefined for any others. */
  addressOf(view: Uint8Array): number | undefined {
    return this.intact() && view.buffer === this.bytes.buffer ? view.byteOffset : undefined;
  }

  /** The `length` bytes at an address, valid until the next call into the module. */
  slice(at: number, length: number): Uint8Array {
    this.words();
    return this.bytes.subarray(at, at + length);
  }

  private claim(size: number): number {
    const at = this.module._malloc(size);
    if (at === 0) throw new RangeError(`the engine's memory has no room for ${size} more bytes`);
    this.words();
    return at;
  }

  private refresh(): void {
    if (this.holdsGuest) this.lost = true;
    const buffer = findBuffer(this.module) ?? new ArrayBuffer(0);
    this.bytes = new Uint8Array(buffer);
    this.wordView = new Uint32Array(buffer);
  }
}

/**
 * The module's memory. A module that does not export it still writes to it on request, through the
 * `set` method that all typed arrays inherit. For that one synchronous call the method is replaced
 * by ours, which records the array it is called on.
 */
function findBuffer(module: EmscriptenModule): ArrayBufferLike | undefined {
  if (module.HEAPU8 !== undefined) return module.HEAPU8.buffer;
  const shared = Object.getPrototypeOf(Int8Array.prototype) as { set: Int8Array['set'] };
  const original = Object.getOwnPropertyDescriptor(shared, 'set');
  if (module.writeArrayToMemory === undefined || original === undefined) return undefined;
  let found: ArrayBufferLike | undefined;
  Object.defineProperty(shared, 'set', {
    ...original,
    value(this: Int8Array) {
      found = this.buffer;
    },
  });
  try {
    module.writeArrayToMemory(PROBE, 0);
  } finally {
    Object.defineProperty(shared, 'set', original);
  }
  return found;
}

/** Whether a write by the module shows up in this buffer. */
function isMemoryOf(module: EmscriptenModule, buffer: ArrayBufferLike, at: number): boolean {
  if (module.writeArrayToMemory === undefined) return module.HEAPU8 !== undefined;
  module.writeArrayToMemory(PROBE, at);
  const written = new Uint8Array(buffer, at, PROBE.length);
  return PROBE.every((byte, i) => written[i] === byte);
}
