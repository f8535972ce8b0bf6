/**
 * The bytes of a file, plain or compressed. A plain file is read piece by piece, because a vmlinux
 * with DWARF is too large to hold in memory.
 */
import { closeSync, openSync, readFileSync, readSync, statSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import type { ElfError } from './error.js';
import { fail, ok, type Result } from '../base/result.js';

/**
 * Largest file accepted, and largest result of decompressing one, in bytes. The second limit is
 * lower because the result is held in memory.
 */
const MAX_FILE_SIZE = 2 ** 34;
const MAX_DECOMPRESSED = 2 ** 30;

/** The bytes of a file, with random access. */
export interface FileBytes {
  /** Size in bytes. */
  readonly size: number;
  /**
   * The bytes of a range; fewer where the file ends.
   * @throws Error when the file has become shorter since it was opened
   */
  read(offset: number, length: number): Buffer;
}

/** {@link FileBytes} over bytes already in memory; reads return views of them. */
export function bytesInMemory(bytes: Uint8Array): FileBytes {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return { size: file.length, read: (offset, length) => file.subarray(offset, offset + length) };
}

/** A range of a file, read on first use. The caller has checked its bounds. */
export class LazyBytes {
  private bytes: Uint8Array | undefined;

  constructor(
    private readonly file: FileBytes,
    private readonly offset: number,
    private readonly length: number,
  ) {}

  /** The bytes, read-only. @throws Error when the file has become shorter since it was opened */
  get data(): Uint8Array {
    return (this.bytes ??= this.file.read(this.offset, this.length));
  }
}

/**
 * Opens a file. One that starts with the gzip magic (RFC 1952) is decompressed into memory. Devices
 * and pipes are refused: reading one might never end.
 */
export function openFile(path: string): Result<FileBytes, ElfError> {
  const start = { path, field: 'file', offset: 0 };
  try {
    const stat = statSync(path);
    if (!stat.isFile()) return fail({ ...start, kind: 'unreadable', reason: 'not a regular file' });
    if (stat.size > MAX_FILE_SIZE) return fail(tooLarge(path, `${stat.size} bytes`, MAX_FILE_SIZE));
    const file = { size: stat.size, read: reader(path, stat.size) };
    const magic = file.read(0, 2);
    if (magic[0] !== 0x1f || magic[1] !== 0x8b) return ok(file);
    const plain = decompress(path, readFileSync(path));
    return plain.ok ? ok(bytesInMemory(plain.value)) : plain;
  } catch (error) {
    return fail({ ...start, kind: 'unreadable', reason: systemReason(error) });
  }
}

/** The whole contents of a file, at most 1 GiB, opened by {@link openFile}. */
export function readWholeFile(path: string): Result<Buffer, ElfError> {
  const file = openFile(path);
  if (!file.ok) return file;
  const { size } = file.value;
  if (size > MAX_DECOMPRESSED) return fail(tooLarge(path, `${size} bytes`, MAX_DECOMPRESSED));
  try {
    return ok(file.value.read(0, size));
  } catch (error) {
    const reason = systemReason(error);
    return fail({ path, field: 'file', offset: 0, kind: 'unreadable', reason });
  }
}

/** Opens the file anew for each range, which leaks no descriptor; ranges are few and large. */
function reader(path: string, size: number): FileBytes['read'] {
  return (offset, length) => {
    const bytes = Buffer.alloc(Math.max(0, Math.min(length, size - offset)));
    const descriptor = openSync(path, 'r');
    try {
      for (let done = 0; done < bytes.length;) {
        const read = readSync(descriptor, bytes, done, bytes.length - done, offset + done);
        if (read === 0) throw new Error(`${path} became shorter while it was read`);
        done += read;
      }
    } finally {
      closeSync(descriptor);
    }
    return bytes;
  };
}

/** Decompresses bytes that start with the gzip magic; returns others unchanged. */
export function decompress(path: string, bytes: Buffer): Result<Buffer, ElfError> {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return ok(bytes);
  try {
    return ok(gunzipSync(bytes, { maxOutputLength: MAX_DECOMPRESSED }));
  } catch (error) {
    if (error instanceof RangeError) {
      return fail(tooLarge(path, 'larger when decompressed', MAX_DECOMPRESSED));
    }
    const reason = error instanceof Error ? error.message : String(error);
    return fail({ path, field: 'gzip stream', offset: 0, kind: 'corrupt-gzip', reason });
  }
}

function tooLarge(path: string, value: string, limit: number): ElfError {
  const place = { path, field: 'file', offset: 0 };
  return { ...place, kind: 'too-large', value, limit: `${limit} bytes` };
}

function systemReason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = 'code' in error ? String(error.code) : '';
  if (code === 'ENOENT') return 'no such file';
  if (code === 'EACCES') return 'permission denied';
  return code === '' ? error.message : code;
}
