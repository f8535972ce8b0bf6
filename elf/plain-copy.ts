/** Makes a decompressed copy of a file, which workers can share and read by position. */
import {
  closeSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { openRegular } from '../base/regular-file.js';
import { fail, ok, type Result } from '../base/result.js';
import {
  type Compression,
  COMPRESSION_MAGIC_SIZE,
  compressionOf,
  decompressedChunks,
} from './compression.js';
import { describeElfError, type ElfError } from './error.js';
import type { FileBytes } from './file-bytes.js';
import { Inflow } from './inflow.js';
import { plainCopyOf, usePlainCopy } from './plain-copies.js';

/** What the caller is told while a copy is made. */
export interface CopyEvents {
  /** How to remove the copy. Called before it exists, so that a signal leaves nothing behind. */
  scratch(remove: () => void): void;
  /** Number of bytes decompressed so far. */
  progress(bytes: number): void;
}

/**
 * Decompresses a file, so that it can then be opened by its own name. Does nothing for a file that
 * is not compressed, or that cannot be read: whoever loads that reports why.
 * @returns the error is one line that names the file
 */
export async function makePlainCopy(
  path: string,
  events: CopyEvents,
): Promise<Result<void, string>> {
  if (plainCopyOf(path) !== undefined) return ok(undefined);
  const input = openCompressed(path);
  if (input === undefined) return ok(undefined);
  let folder: string | undefined;
  events.scratch(() => {
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  });
  try {
    removeStaleCopies();
    folder = mkdtempSync(join(tmpdir(), prefixOf(process.pid)));
    const copy = join(folder, 'plain');
    const problem = await writeCopy(path, input, copy, events);
    if (problem !== undefined) {
      // Remove it now and not at the end of the program, because it may be a gigabyte.
      rmSync(folder, { recursive: true, force: true });
      return fail(describeElfError(problem));
    }
    usePlainCopy(path, copy);
    return ok(undefined);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return fail(`${path}: cannot be decompressed into ${tmpdir()}: ${reason}`);
  } finally {
    closeSync(input.descriptor);
  }
}

interface Input {
  readonly descriptor: number;
  readonly size: number;
  readonly compression: Compression;
}

function openCompressed(path: string): Input | undefined {
  let descriptor: number | undefined;
  try {
    const file = openRegular(path);
    ({ descriptor } = file);
    const magic = Buffer.alloc(COMPRESSION_MAGIC_SIZE);
    readSync(descriptor, magic, 0, magic.length, 0);
    const compression = compressionOf(magic);
    if (compression !== undefined) return { ...file, compression };
  } catch {
    // Whoever loads the file reports what is wrong with it.
  }
  if (descriptor !== undefined) closeSync(descriptor);
  return undefined;
}

/**
 * @returns why the file cannot be used, or undefined
 * @throws Error when a file cannot be read or written
 */
async function writeCopy(
  path: string,
  { descriptor, size: compressed, compression }: Input,
  copy: string,
  events: CopyEvents,
): Promise<ElfError | undefined> {
  const inflow = new Inflow(path, compressed);
  const output = openSync(copy, 'wx+', 0o600);
  let size = 0;
  const soFar = (): FileBytes => ({
    size,
    read: (at, length) => {
      const bytes = Buffer.alloc(Math.max(0, Math.min(length, size - at)));
      return bytes.subarray(0, readSync(output, bytes, 0, bytes.length, at));
    },
  });
  try {
    for await (const chunk of decompressedChunks(compression, descriptor)) {
      for (let done = 0; done < chunk.length;) done += writeSync(output, chunk, done);
      size += chunk.length;
      const unwanted = inflow.grown(soFar());
      if (unwanted !== undefined) return unwanted;
      events.progress(size);
    }
    return inflow.ended(soFar());
  } catch (error) {
    if (!(error instanceof Error) || 'syscall' in error) throw error;
    const place = { path, field: 'file', offset: 0 };
    return { ...place, kind: 'corrupt', compression, reason: error.message };
  } finally {
    closeSync(output);
  }
}

/**
 * Start of the name of a process's folder. It names the host, because hosts may share the
 * directory.
 */
function prefixOf(pid: number | string): string {
  return `kunwind-lab-${hostname().replace(/[^\w.]/g, '_')}-${pid}-`;
}

/** Removes copies of processes that were killed before they could remove them. */
function removeStaleCopies(): void {
  const [start = ''] = prefixOf('@').split('@');
  for (const name of readdirSync(tmpdir())) {
    const pid = name.startsWith(start) ? /^(\d+)-/.exec(name.slice(start.length))?.[1] : undefined;
    if (pid === undefined || isAlive(Number(pid))) continue;
    try {
      rmSync(join(tmpdir(), name), { recursive: true, force: true });
    } catch {
      // It belongs to another user.
    }
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return !(error instanceof Error && 'code' in error && error.code === 'ESRCH');
  }
}
