import { readFileSync, statSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import type { ElfError } from './elf-error.js';
import { fail, ok, type Result } from './result.js';

/** Largest file accepted, in bytes after decompression: a vmlinux with all debug info fits. */
export const MAX_FILE_SIZE = 2 ** 30;

/**
 * The bytes of a file, decompressed when they start with the gzip magic (RFC 1952).
 * Devices and pipes are refused: reading them might never end.
 */
export function readElfFile(path: string): Result<Buffer, ElfError> {
  const start = { path, field: 'file', offset: 0 };
  let bytes: Buffer;
  try {
    const stat = statSync(path);
    if (!stat.isFile()) return fail({ ...start, kind: 'unreadable', reason: 'not a regular file' });
    if (stat.size > MAX_FILE_SIZE) return fail(tooLarge(path, `${stat.size} bytes`));
    bytes = readFileSync(path);
  } catch (error) {
    return fail({ ...start, kind: 'unreadable', reason: systemReason(error) });
  }
  return decompress(path, bytes);
}

/** The bytes as they are, or what they decompress to when they start with the gzip magic. */
export function decompress(path: string, bytes: Buffer): Result<Buffer, ElfError> {
  const start = { path, field: 'file', offset: 0 };
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return ok(bytes);
  try {
    return ok(gunzipSync(bytes, { maxOutputLength: MAX_FILE_SIZE }));
  } catch (error) {
    if (error instanceof RangeError) return fail(tooLarge(path, 'larger when decompressed'));
    const reason = error instanceof Error ? error.message : String(error);
    return fail({ ...start, field: 'gzip stream', kind: 'corrupt-gzip', reason });
  }
}

function tooLarge(path: string, value: string): ElfError {
  const limit = `${MAX_FILE_SIZE} bytes`;
  return { path, field: 'file', offset: 0, kind: 'too-large', value, limit };
}

function systemReason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = 'code' in error ? String(error.code) : '';
  if (code === 'ENOENT') return 'no such file';
  if (code === 'EACCES') return 'permission denied';
  return code === '' ? error.message : code;
}
