/**
 * Decompresses a kernel file, compressed with xz or zstd, once into a temporary file that workers
 * can share and read by position. gzip needs none of this, because the loader reads it.
 */
import {
  closeSync,
  mkdtempSync,
  openSync,
  createReadStream,
  readSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { prepareDebugSections } from '../../elf/debug-compression.js';
import { fail, ok, type Result } from '../../base/result.js';
import { loadZstd, zstdChunks } from '../../elf/zstd-stream.js';

/** Largest decompressed file, in bytes. */
const MAX_SIZE = 2 ** 33;
const CHUNK = 1 << 20;

type Compression = 'xz' | 'zstd';

/**
 * Where the file can be loaded from: its own path, or that of a decompressed copy.
 * @param scratch is told how to remove the copy, before the copy exists
 * @returns the path; the error is one line that names `file`
 */
export async function plainFile(
  file: string,
  path: string,
  scratch: (remove: () => void) => void,
): Promise<Result<string, string>> {
  const compression = compressionOf(path);
  if (compression === undefined) {
    await prepareDebugSections(path);
    return ok(path);
  }
  let folder: string | undefined;
  scratch(() => {
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  });
  try {
    folder = mkdtempSync(join(tmpdir(), 'kunwind-lab-'));
    const copy = join(folder, 'vmlinux');
    await decompress(compression, path, copy);
    await prepareDebugSections(copy);
    return ok(copy);
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    return fail(
      error instanceof Error && 'syscall' in error
        ? `${file}: cannot be decompressed into ${tmpdir()}: ${problem}`
        : `${file}: the ${compression} data is corrupt or cut short: ${problem}`,
    );
  }
}

/**
 * @throws Error with a `syscall` when a file cannot be read or written, without one when the data
 * is bad
 */
async function decompress(compression: Compression, path: string, copy: string): Promise<void> {
  const out = openSync(copy, 'wx');
  try {
    let size = 0;
    for await (const chunk of compression === 'xz' ? xzChunks(path) : zstdFileChunks(path)) {
      size += chunk.length;
      if (size > MAX_SIZE) throw new Error(`larger than ${MAX_SIZE} bytes when decompressed`);
      for (let done = 0; done < chunk.length;) done += writeSync(out, chunk, done);
    }
    if (size === 0) throw new Error('it is cut short');
  } finally {
    closeSync(out);
  }
}

/**
 * The compression, by the file's first bytes: the .xz file format 1.2.0, section 2.1.1.1; RFC 8878,
 * section 3.1.1.
 */
function compressionOf(path: string): Compression | undefined {
  const magic = Buffer.alloc(6);
  try {
    const descriptor = openSync(path, 'r');
    readSync(descriptor, magic, 0, magic.length, 0);
    closeSync(descriptor);
  } catch {
    // Loading the file will report what is wrong with it.
    return undefined;
  }
  if (magic.toString('latin1') === '\xfd7zXZ\0') return 'xz';
  return magic.readUInt32LE(0) === 0xfd2fb528 ? 'zstd' : undefined;
}

async function* xzChunks(path: string): AsyncGenerator<Uint8Array> {
  const { default: xzDecompress } = await import('xz-decompress');
  const compressed = Readable.toWeb(createReadStream(path, { highWaterMark: CHUNK }));
  const reader = new xzDecompress.XzReadableStream(
    compressed as ReadableStream<Uint8Array>,
  ).getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    yield value;
  }
}

async function* zstdFileChunks(path: string): AsyncGenerator<Uint8Array> {
  await loadZstd();
  yield* zstdChunks(fileChunks(path));
}

function* fileChunks(path: string): Generator<Uint8Array> {
  const descriptor = openSync(path, 'r');
  try {
    for (;;) {
      const chunk = new Uint8Array(CHUNK);
      const read = readSync(descriptor, chunk);
      if (read === 0) return;
      yield chunk.subarray(0, read);
    }
  } finally {
    closeSync(descriptor);
  }
}
