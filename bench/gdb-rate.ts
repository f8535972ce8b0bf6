/**
 * The alternative to the sweep: gdb single-steps a kernel in QEMU and prints a backtrace at each
 * instruction. QEMU cannot run our guest at its link address, because its MMU is off and `virt` has
 * no RAM there. A small program of nested calls replaces it, at an address that `virt` has.
 *
 * The comparison flatters gdb. A point of a sweep also takes an exception through the kernel's
 * entry code, walks several times, judges every walk and returns. gdb has symbols but no debug
 * information, and unwinds by its analysis of prologues.
 */
import { MOV_X29_SP, RET } from '../aarch64/encodings.js';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ProgramFunction, programElf } from './program-elf.js';
import { type Rate, rateOf } from './rounds.js';
import * as word from './words.js';

const QEMU = 'qemu-system-aarch64';
const GDB = 'gdb-multiarch';

/** RAM of QEMU's `virt` starts at 0x40000000, with its device tree. */
const LOAD_ADDRESS = 0x40200000;
const STACK_TOP_HALF = 0x4030;

/** Nested functions of the program, each with a frame record. */
export const GDB_DEPTH = 6;
const POINTS_PER_ROUND = 300;
const WARM_UP = 50;
const START_TIMEOUT_MS = 10_000;
const GDB_TIMEOUT_MS = 120_000;

/** What was measured, or why gdb could not be. */
export type GdbOutcome =
  | { readonly kind: 'measured'; readonly rate: Rate; readonly framesPerPoint: number }
  | { readonly kind: 'skipped'; readonly why: string };

/** Measure `stepi` and `bt` over QEMU's gdbstub. */
export async function measureGdb(rounds: number): Promise<GdbOutcome> {
  for (const tool of [QEMU, GDB]) {
    if (spawnSync(tool, ['--version']).status !== 0) {
      return { kind: 'skipped', why: `${tool} is not installed` };
    }
  }
  const folder = mkdtempSync(join(tmpdir(), 'kunwind-bench-'));
  let qemu: ChildProcess | undefined;
  try {
    const socket = join(folder, 'gdb');
    const image = join(folder, 'program.elf');
    const script = join(folder, 'points.gdb');
    const { words, functions } = nestedCalls();
    writeFileSync(image, programElf(LOAD_ADDRESS, words, functions));
    writeFileSync(script, gdbScript(image, socket, rounds));
    qemu = spawn(QEMU, qemuArguments(socket, image), { stdio: 'ignore' });
    for (let waited = 0; !existsSync(socket); waited += 50) {
      if (waited > START_TIMEOUT_MS || qemu.exitCode !== null) {
        return { kind: 'skipped', why: `${QEMU} did not start` };
      }
      await sleep(50);
    }
    const gdb = spawnSync(GDB, ['-nx', '-q', '-batch', '-x', script], {
      encoding: 'latin1',
      timeout: GDB_TIMEOUT_MS,
      maxBuffer: 1 << 28,
    });
    return interpret(gdb.stdout, rounds, gdb.stderr);
  } finally {
    qemu?.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  }
}

function qemuArguments(socket: string, image: string): string[] {
  return [
    ...['-M', 'virt', '-cpu', 'cortex-a57', '-m', '64M', '-display', 'none', '-monitor', 'none'],
    ...['-serial', 'none', '-nodefaults', '-S', '-gdb', `unix:${socket},server=on,wait=off`],
    ...['-device', `loader,file=${image},cpu-num=0`],
  ];
}

/** An endless loop of calls, GDB_DEPTH deep. Every function counts, calls, counts and returns. */
function nestedCalls(): { words: number[]; functions: ProgramFunction[] } {
  const words = [word.moveHigh(STACK_TOP_HALF), word.SET_SP, word.CLEAR_FP, word.CLEAR_LR];
  words.push(word.call(2), word.branch(-1));
  const functions = [{ name: '_start', offset: 0, size: 4 * words.length }];
  for (let level = 1; level <= GDB_DEPTH; level++) {
    // The called function comes right after its caller.
    const middle = level < GDB_DEPTH ? word.call(4) : word.STORE;
    const body = [word.PUSH_RECORD, MOV_X29_SP, word.COUNT, middle, word.COUNT];
    body.push(word.POP_RECORD, RET);
    functions.push({ name: `level${level}`, offset: 4 * words.length, size: 4 * body.length });
    words.push(...body);
  }
  return { words, functions };
}

const STAMP = 'bench-stamp';

/**
 * The script for gdb. It prints time stamps between rounds, so that gdb's start and its connection
 * do not count.
 */
function gdbScript(image: string, socket: string, rounds: number): string {
  const stamp = `shell '${process.execPath}' -e 'console.log("${STAMP}", Date.now())'`;
  const points = (count: number): string[] => [
    `set $left = ${count}`,
    'while $left > 0',
    'stepi',
    'bt',
    'set $left = $left - 1',
    'end',
  ];
  const lines = ['set pagination off', `file ${image}`, `target remote ${socket}`];
  lines.push(...points(WARM_UP), stamp);
  for (let i = 0; i < rounds; i++) lines.push(...points(POINTS_PER_ROUND), stamp);
  return `${lines.join('\n')}\nkill\n`;
}

function interpret(output: string, rounds: number, errors: string): GdbOutcome {
  const stamps = [...output.matchAll(new RegExp(`^${STAMP} (\\d+)$`, 'gm'))].map(([, at]) =>
    Number(at),
  );
  const points = [...output.matchAll(/^#0 /gm)].length;
  const frames = [...output.matchAll(/^#\d+ /gm)].length;
  if (stamps.length !== rounds + 1 || points !== WARM_UP + rounds * POINTS_PER_ROUND) {
    const said = errors.trim().split('\n').pop() ?? '';
    return {
      kind: 'skipped',
      why: `${GDB} made ${points} points, ${stamps.length} stamps: ${said}`,
    };
  }
  const measured = stamps
    .slice(1)
    .map((at, i) => ({ count: POINTS_PER_ROUND, seconds: (at - (stamps[i] ?? NaN)) / 1000 }));
  return { kind: 'measured', rate: rateOf(measured), framesPerPoint: frames / points };
}
