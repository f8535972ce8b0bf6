/** A report file that is either complete or not there. */
import { accessSync, constants, realpathSync, renameSync, rmSync, statSync } from 'node:fs';
import { openSync, closeSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { UsageError } from './usage-error.js';

/** Writes to a path that was found writable when the object was made. */
export class ReportFile {
  private readonly target: string;
  /** A device or pipe is written to; a file is replaced. */
  private readonly direct: boolean;

  /** @throws UsageError when the path cannot be written */
  constructor(private readonly path: string) {
    const place = attempt(path, () => locate(path));
    this.target = place.target;
    this.direct = place.direct;
    if (this.direct) return;
    attempt(path, () => {
      const trial = this.temporary();
      closeSync(openSync(trial, 'wx'));
      rmSync(trial);
    });
  }

  /** Whether writing replaces the file at a path: what is read, or another report. */
  replaces(path: string): boolean {
    if (this.direct) return false;
    const known = statSync(path, { throwIfNoEntry: false });
    return this.target === (known === undefined ? resolve(path) : realpathSync(path));
  }

  /** Write a value as JSON. @throws UsageError when that fails; then an earlier file is as it was */
  write(value: unknown): void {
    this.writeText(`${JSON.stringify(value, undefined, 2)}\n`);
  }

  /** Write all of a text. @throws UsageError as {@link write} does */
  writeText(text: string): void {
    if (this.direct) {
      attempt(this.path, () => {
        writeFileSync(this.target, text);
      });
      return;
    }
    const temporary = this.temporary();
    try {
      attempt(this.path, () => {
        writeFileSync(temporary, text, { flag: 'wx' });
        renameSync(temporary, this.target);
      });
    } finally {
      rmSync(temporary, { force: true });
    }
  }

  private temporary(): string {
    return join(dirname(this.target), `.${basename(this.target)}.${process.pid}.tmp`);
  }
}

function locate(path: string): { target: string; direct: boolean } {
  const known = statSync(path, { throwIfNoEntry: false });
  if (known === undefined) return { target: resolve(path), direct: false };
  if (known.isDirectory()) throw new Error('it is a directory');
  accessSync(path, constants.W_OK);
  if (!known.isFile()) return { target: path, direct: true };
  // A symbolic link stays one: what it leads to is replaced.
  return { target: realpathSync(path), direct: false };
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'no such directory',
  ENOTDIR: 'a part of the path is not a directory',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EROFS: 'the file system is read-only',
  ENOSPC: 'no space left',
};

function attempt<T>(path: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    const reason = REASONS[code] ?? (error instanceof Error ? error.message : String(error));
    throw new UsageError(`cannot write the report ${path}: ${reason}`);
  }
}
