/**
 * The only place that decompresses files. gzip, xz and zstd are recognised by their first bytes,
 * and decompressed piece by piece in bounded memory. Between two pieces other events get their
 * turn, so that a signal ends the program.
 */
import { readSync } from 'node:fs';
import { Readable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import { constants, createGunzip, gunzipSync } from 'node:zlib';
import { loadZstd, zstdChunks } from './zstd-stream.js';

/** The formats that are read. */
export type Compression = 'gzip' | 'xz' | 'zstd';

/** How many bytes {@link compressionOf} looks at. */
export const COMPRESSION_MAGIC_SIZE = 6;

/**
 * The format of a file, from its first bytes: RFC 1952, section 2.3.1; the .xz file format 1.2.0,
 * section 2.1.1.1; RFC 8878, section 3.1.1. Undefined when it is none of them.
 */
export function compressionOf(start: Uint8Array): Compression | undefined {
  const magic = Buffer.from(start.subarray(0, COMPRESSION_MAGIC_SIZE)).toString('latin1');
  if (magic.startsWith('\x1f\x8b')) return 'gzip';
  if (magic === '\xfd7zXZ\0') return 'xz';
  return magic.startsWith('\x28\xb5\x2f\xfd') ? 'zstd' : undefined;
}

const CHUNK = 1 << 18;

/**
 * The decompressed bytes of an open file. The caller may close the descriptor once the generator
 * has ended.
 * @throws Error when the file cannot be read (with a `syscall`) or the data is corrupt or cut short
 */
export async function* decompressedChunks(
  compression: Compression,
  descriptor: number,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of CHUNKS[compression](descriptor)) {
    yield chunk;
    await setImmediate();
  }
}

const CHUNKS: Readonly<Record<Compression, (descriptor: number) => AsyncGenerator<Uint8Array>>> = {
  gzip: gzipChunks,
  xz: xzChunks,
  zstd: zstdFileChunks,
};

/**
 * Decompresses gzip data in memory, for callers that cannot wait.
 * @param limit largest result, in bytes
 * @throws Error when the data is corrupt or cut short; RangeError when the result is larger
 */
export function gunzip(bytes: Buffer, limit: number): Buffer {
  return gunzipSync(bytes, { maxOutputLength: limit });
}

/** What the first 32 KiB of gzip data decompress to: at most 33 MiB. @throws Error when corrupt */
export function gunzipStart(bytes: Buffer): Buffer {
  // One byte decompresses to at most 1032, so the result is bounded.
  return gunzipSync(bytes.subarray(0, 1 << 15), { finishFlush: constants.Z_SYNC_FLUSH });
}

async function* gzipChunks(descriptor: number): AsyncGenerator<Uint8Array> {
  // Not fs.createReadStream(), which would close the caller's descriptor.
  const file = Readable.from(fileChunks(descriptor));
  const stream = createGunzip({ chunkSize: CHUNK });
  file.on('error', (error) => stream.destroy(error));
  file.pipe(stream);
  try {
    for await (const chunk of stream) yield chunk as Buffer;
  } finally {
    file.destroy();
    stream.destroy();
  }
}

async function* xzChunks(descriptor: number): AsyncGenerator<Uint8Array> {
  const { default: xzDecompress } = await import('xz-decompress');
  const compressed = Readable.toWeb(Readable.from(fileChunks(descriptor)));
  const stream = new xzDecompress.XzReadableStream(compressed as ReadableStream<Uint8Array>);
  const reader = stream.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read().catch(asXzError);
      if (done) return;
      yield value;
    }
  } finally {
    // The decoder has one context for all streams. Only the end of a stream, or this, releases it.
    await reader.cancel().catch(() => undefined);
  }
}

/** The library reports an error number of XZ Embedded, and a premature end as a TypeError. */
function asXzError(error: unknown): never {
  if (error instanceof TypeError) throw new Error(END_OF_FILE);
  const code = error instanceof Error ? /error code (\d+)$/.exec(error.message)?.[1] : undefined;
  throw new Error(XZ_ERRORS[Number(code)] ?? String(error));
}

const END_OF_FILE = 'unexpected end of file';
/** enum xz_ret of XZ Embedded (include/linux/xz.h, v7.3-rc7). */
const XZ_ERRORS: Readonly<Record<number, string>> = {
  3: 'not enough memory',
  4: 'its dictionary is larger than the 64 MiB that can be read; decompress it first',
  5: 'not an .xz file',
  6: 'it has filters or options that are not supported; decompress it first',
  7: 'corrupt data',
  8: END_OF_FILE,
};

async function* zstdFileChunks(descriptor: number): AsyncGenerator<Uint8Array> {
  await loadZstd();
  yield* zstdChunks(fileChunks(descriptor));
}

function* fileChunks(descriptor: number): Generator<Uint8Array> {
  for (let at = 0; ;) {
    const chunk = new Uint8Array(CHUNK);
    const read = readSync(descriptor, chunk, 0, CHUNK, at);
    if (read === 0) return;
    at += read;
    yield chunk.subarray(0, read);
  }
}
