/**
 * Opens a file, plain or compressed. A plain file is read piece by piece, because a vmlinux with
 * DWARF is too large to hold in memory.
 */
import { closeSync, readSync } from 'node:fs';
import { fail, ok, type Result } from '../base/result.js';
import { openRegular } from '../base/regular-file.js';
import { COMPRESSION_MAGIC_SIZE, compressionOf, gunzip, gunzipStart } from './compression.js';
import type { ElfError } from './error.js';
import { bytesInMemory, type FileBytes } from './file-bytes.js';
import { Inflow } from './inflow.js';
import { plainCopyOf } from './plain-copies.js';

/** Largest file accepted, in bytes. */
const MAX_FILE_SIZE = 2 ** 34;
/** Largest result of decompressing a file that is held in memory, in bytes. */
const MAX_IN_MEMORY = 2 ** 30;

/**
 * Opens a file. For a compressed file, the copy that `makePlainCopy()` has made is read. Without a
 * copy, gzip is decompressed into memory, and other formats are refused. Devices and pipes are
 * refused, because reading one might never end.
 */
export function openFile(path: string): Result<FileBytes, ElfError> {
  try {
    const file = openPlain(plainCopyOf(path) ?? path);
    if (file.size > MAX_FILE_SIZE) return fail(tooLarge(path, `${file.size} bytes`));
    const compression = compressionOf(file.read(0, COMPRESSION_MAGIC_SIZE));
    if (compression === undefined) return ok(file);
    const place = { path, field: 'file', offset: 0 };
    if (compression !== 'gzip') return fail({ ...place, kind: 'compressed', compression });
    if (file.size > MAX_IN_MEMORY) return fail(tooLarge(path, `${file.size} bytes`, MAX_IN_MEMORY));
    const plain = decompress(path, file.read(0, file.size));
    return plain.ok ? ok(bytesInMemory(plain.value)) : plain;
  } catch (error) {
    return fail(unreadable(path, error));
  }
}

/** A file as it is, whatever is in it. @throws Error when it cannot be opened or is not regular */
function openPlain(path: string): FileBytes {
  const { descriptor, size } = openRegular(path);
  closeSync(descriptor);
  return { size, read: reader(path, size) };
}

/** Opens the file again for each range, so that no descriptor leaks. Ranges are few and large. */
function reader(path: string, size: number): FileBytes['read'] {
  return (offset, length) => {
    const bytes = Buffer.alloc(Math.max(0, Math.min(length, size - offset)));
    const { descriptor } = openRegular(path);
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
  if (compressionOf(bytes) !== 'gzip') return ok(bytes);
  const inflow = new Inflow(path, bytes.length);
  const limit = (): number => Math.min(inflow.limit, MAX_IN_MEMORY);
  try {
    const unwanted = inflow.grown(bytesInMemory(gunzipStart(bytes)));
    if (unwanted !== undefined) return fail(unwanted);
    const plain = gunzip(bytes, limit());
    const foreign = inflow.ended(bytesInMemory(plain));
    return foreign === undefined ? ok(plain) : fail(foreign);
  } catch (error) {
    if (error instanceof RangeError) {
      if (limit() === inflow.limit) return fail(inflow.excess());
      return fail(tooLarge(path, 'larger when decompressed', MAX_IN_MEMORY));
    }
    const reason = error instanceof Error ? error.message : String(error);
    const place = { path, field: 'file', offset: 0 };
    return fail({ ...place, kind: 'corrupt', compression: 'gzip', reason });
  }
}

function tooLarge(path: string, value: string, limit = MAX_FILE_SIZE): ElfError {
  const place = { path, field: 'file', offset: 0 };
  return { ...place, kind: 'too-large', value, limit: `${limit} bytes` };
}

/** The error for a file that the system does not let us read. */
function unreadable(path: string, error: unknown): ElfError {
  return { path, field: 'file', offset: 0, kind: 'unreadable', reason: systemReason(error) };
}

function systemReason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = 'code' in error ? String(error.code) : '';
  if (code === 'ENOENT') return 'no such file';
  if (code === 'EACCES') return 'permission denied';
  return code === '' ? error.message : code;
}
