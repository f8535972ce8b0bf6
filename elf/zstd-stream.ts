/** Decompresses zstd (RFC 8878) in a stream. */
import type { ZSTDDecoder } from 'zstddec/stream';
import { checkDecoderMemory } from './decoder-memory.js';

let decoder: ZSTDDecoder | undefined;

/**
 * Loads the decoder. It takes about 25 ms once in a process, so programs load it only when needed.
 * @throws DecoderMemoryError
 */
export async function loadZstd(): Promise<void> {
  // One of its own, and one of fetch(), by which it reads itself.
  checkDecoderMemory(2);
  const zstddec = await import('zstddec/stream');
  const made = new zstddec.ZSTDDecoder();
  await made.init();
  decoder ??= made;
}

/** Whether {@link loadZstd} has completed. */
export function zstdIsReady(): boolean {
  return decoder !== undefined;
}

/**
 * Decompresses a sequence of pieces, lazily.
 * @throws Error when the data is corrupt or cut short, or the decoder is not loaded
 */
export function* zstdChunks(compressed: Iterable<Uint8Array>): Generator<Uint8Array> {
  if (decoder === undefined) throw new Error('the zstd decoder is not loaded');
  let idle = 0;
  function* counted(): Generator<Uint8Array> {
    for (const piece of compressed) {
      idle = 0;
      yield piece;
    }
  }
  for (const chunk of decoder.decodeStreaming(counted())) {
    // The decoder reports no errors: it just stops taking input and giving output.
    if (chunk.length > 0) idle = 0;
    else if (++idle > MAX_IDLE) throw new Error('the data is corrupt');
    else continue;
    yield chunk;
  }
}

/**
 * Limit on rounds without output for one piece of input. One such round is normal: the decoder has
 * taken the piece but completed nothing yet.
 */
const MAX_IDLE = 4;
