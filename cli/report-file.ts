/** Writes a report file, which is either complete or not there. `-` is standard output. */
import { accessSync, constants, fstatSync, lstatSync, readlinkSync, realpathSync } from 'node:fs';
import { renameSync, rmSync, type Stats, statSync } from 'node:fs';
import { openSync, closeSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { isatty } from 'node:tty';
import { write } from './output.js';
import { UsageError } from './usage-error.js';

/** Where a report goes. A file is replaced; a device or pipe is written to. */
type Place = { readonly to: 'stdout' } | { readonly to: 'file' | 'device'; readonly path: string };

/** Writes to a path. Making the object checks that the path is writable. */
export class ReportFile {
  private readonly place: Place;

  /** @param path `-` for standard output @throws UsageError when the path cannot be written */
  constructor(private readonly path: string) {
    this.place = attempt(path, () => locate(path));
    const { place } = this;
    if (place.to !== 'file') return;
    attempt(path, () => {
      const trial = temporary(place.path);
      closeSync(openSync(trial, 'wx'));
      rmSync(trial);
    });
  }

  /** Whether it goes to standard output, which then must not contain anything else. */
  get isOutput(): boolean {
    return this.place.to === 'stdout';
  }

  /** Whether writing would replace the file at this path, which may be the input. */
  replaces(path: string): boolean {
    return this.place.to === 'file' && this.place.path === throughLinks(path);
  }

  /** Whether both would be written to the same place. */
  collidesWith(other: ReportFile): boolean {
    if (this.place.to !== other.place.to) return false;
    return this.place.to === 'stdout' || (this.place.to === 'file' && other.replaces(this.path));
  }

  /**
   * Write a value as JSON.
   * @throws UsageError when that fails; an existing file is then unchanged
   */
  write(value: unknown): Promise<void> {
    return this.writeText(`${JSON.stringify(value, undefined, 2)}\n`);
  }

  /** Write all of a text. @throws UsageError as {@link write} does */
  async writeText(text: string): Promise<void> {
    const { place } = this;
    switch (place.to) {
      case 'stdout':
        await write(text);
        break;
      case 'device':
        attempt(this.path, () => {
          writeFileSync(place.path, text);
        });
        break;
      case 'file':
        this.replace(place.path, text);
        break;
    }
  }

  private replace(target: string, text: string): void {
    const draft = temporary(target);
    try {
      attempt(this.path, () => {
        writeFileSync(draft, text, { flag: 'wx' });
        renameSync(draft, target);
      });
    } finally {
      rmSync(draft, { force: true });
    }
  }
}

/**
 * The stream for text other than reports: standard output, unless a report goes there.
 * @param files the reports that are written, if any
 */
export function textStream(...files: readonly (ReportFile | undefined)[]): NodeJS.WriteStream {
  return files.some((file) => file?.isOutput === true) ? process.stderr : process.stdout;
}

function locate(path: string): Place {
  if (path === '-') return { to: 'stdout' };
  const known = statSync(path, { throwIfNoEntry: false });
  if (known === undefined) return { to: 'file', path: throughLinks(path) };
  if (known.isDirectory()) throw new Error('it is a directory');
  if (isStandardOutput(known)) return { to: 'stdout' };
  accessSync(path, constants.W_OK);
  if (!known.isFile()) return { to: 'device', path };
  return { to: 'file', path: throughLinks(path) };
}

/**
 * Whether a file is standard output, as `/dev/stdout` is. A file that the shell has opened must not
 * be replaced.
 */
function isStandardOutput(known: Stats): boolean {
  const output = fstatSync(1);
  if (known.dev !== output.dev || known.ino !== output.ino) return false;
  // Writing both to /dev/null does no harm.
  return !known.isCharacterDevice() || isatty(1);
}

/** Most symbolic links that a path may lead through (MAXSYMLINKS in Linux). */
const MAX_LINKS = 40;

/**
 * What a path leads to, whether it exists or not. A symbolic link is kept, and its target is
 * replaced.
 */
function throughLinks(path: string): string {
  let target = resolve(path);
  for (let links = 0; links < MAX_LINKS; links++) {
    const known = lstatSync(target, { throwIfNoEntry: false });
    if (known === undefined) {
      const folder = dirname(target);
      const there = statSync(folder, { throwIfNoEntry: false }) !== undefined;
      return there ? join(realpathSync(folder), basename(target)) : target;
    }
    if (!known.isSymbolicLink()) return realpathSync(target);
    target = resolve(realpathSync(dirname(target)), readlinkSync(target));
  }
  throw new Error('too many symbolic links');
}

function temporary(target: string): string {
  return join(dirname(target), `.${basename(target)}.${process.pid}.tmp`);
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'no such directory',
  ENOTDIR: 'a part of the path is not a directory',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EROFS: 'the file system is read-only',
  ENOSPC: 'no space left',
  ELOOP: 'too many symbolic links',
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
