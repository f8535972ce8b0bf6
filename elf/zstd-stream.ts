/** zstd (RFC 8878) piece by piece. */
import type { ZSTDDecoder } from 'zstddec/stream';

let decoder: ZSTDDecoder | undefined;

/** Loads the decoder, which takes some 25 ms once in a process: no start of a program waits for it. */
export async function loadZstd(): Promise<void> {
  const zstddec = await import('zstddec/stream');
  const made = new zstddec.ZSTDDecoder();
  await made.init();
  decoder ??= made;
}

/** Whether {@link loadZstd} has been waited for. */
export function zstdIsReady(): boolean {
  return decoder !== undefined;
}

/**
 * What compressed pieces decompress to, as they are asked for.
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
    // An error of the decoder shows in nothing but that it takes no more input and gives no output.
    if (chunk.length > 0) idle = 0;
    else if (++idle > MAX_IDLE) throw new Error('the data is corrupt');
    else continue;
    yield chunk;
  }
}

/** Turns without output for one piece of input: one when all of it is in the decoder, and nothing is complete. */
const MAX_IDLE = 4;
