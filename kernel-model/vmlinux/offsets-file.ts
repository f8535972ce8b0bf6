/**
 * An offsets file: lines `#define NAME VALUE`, as the kernel's build writes them to asm-offsets.h.
 */
import { readFileSync, statSync } from 'node:fs';
import { fail, ok, type Result } from '../../base/result.js';
import { MEMBER_NAMES, type OffsetSource, WANTED_MEMBERS } from './structure-offsets.js';

/** Largest file that is read, in bytes. A generated header has some kilobytes. */
const MAX_SIZE = 1 << 20;

/** Offsets that a user gives. */
export interface OffsetsFile extends OffsetSource {
  /** PT_REGS_SIZE and S_STACKFRAME, where the file has them. */
  readonly ptRegsSize: number | undefined;
  readonly stackFrame: number | undefined;
}

/** Reads an offsets file. The error is one line, which names the file and the line. */
export function readOffsetsFile(path: string): Result<OffsetsFile, string> {
  let text: string;
  try {
    const stat = statSync(path);
    if (!stat.isFile()) return fail(`${path}: not a regular file`);
    if (stat.size > MAX_SIZE)
      return fail(`${path}: ${stat.size} bytes; an offsets file has at most ${MAX_SIZE}`);
    text = readFileSync(path, 'utf8');
  } catch (error) {
    const missing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    return fail(`${path}: ${missing ? 'no such file' : 'cannot be read'}`);
  }
  return parseOffsets(path, text);
}

/** As {@link readOffsetsFile}, but from its text. */
export function parseOffsets(path: string, text: string): Result<OffsetsFile, string> {
  const values = new Map<string, number>();
  for (const [i, line] of text.split('\n').entries()) {
    const define = /^\s*#\s*define\s+(\w+)\s+(\S+)/.exec(line);
    if (define === null) continue;
    const [, name = '', value = ''] = define;
    const number = /^(0x[0-9a-f]{1,8}|\d{1,9})$/i.test(value) ? Number(value) : undefined;
    if (number !== undefined) values.set(name, number);
    else if (isWanted(name))
      return fail(`${path}: line ${i + 1}: ${name} is '${value}', not an offset in bytes`);
  }
  if (values.size === 0) return fail(`${path}: no '#define NAME VALUE' line: not an offsets file`);
  return ok({
    origin: 'offsets file',
    offsetOf: ({ define }) => values.get(define),
    ptRegsSize: values.get('PT_REGS_SIZE'),
    stackFrame: values.get('S_STACKFRAME'),
  });
}

function isWanted(name: string): boolean {
  return MEMBER_NAMES.some((member) => WANTED_MEMBERS[member].define === name);
}
