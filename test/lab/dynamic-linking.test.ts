/** Ordinary programs beside the guest kernel: what their dynamic relocations stand for. */
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Machine } from '../../kernel-model/machine.js';
import { startThreadCall, threadResult } from '../../kernel-model/thread-call.js';
import { findFunction } from '../../elf/functions.js';
import { loadImage } from '../../lab/image.js';
import { explainMissing } from '../../lab/problem.js';
import { StepStatus } from '../../emulator/stepping-cpu.js';
import { backend, must } from '../cpu-fixture.js';
import { guestKernel, repositoryPath } from '../machine-fixture.js';

const FOLDER = repositoryPath('test/fixtures/programs');
const ALONE = ['static.elf', 'static-pie.elf'];
const PROGRAMS = ['pie.elf', 'no-pie.elf', 'shared.elf', 'shared-tls.elf'];
const ALL = [...ALONE, ...PROGRAMS];

/** What a function of a program returns, or why it could not go on. */
function call(program: string, fn: string, ...args: number[]): number | string | undefined {
  const image = must(loadImage(resolve(FOLDER, program)));
  const machine = must(Machine.create(backend(), guestKernel(), [image]));
  try {
    // Of what the resolvers did only the program's own memory is left.
    machine.reset();
    const entry = findFunction(image, fn)?.address ?? 0;
    const numbers = args.map((value) => ({ kind: 'number', value }) as const);
    expect(startThreadCall(machine, entry, numbers)).toBeUndefined();
    const status = machine.stepper.runTo(machine.kernel.roles.threadDone, 20_000);
    if (status === StepStatus.DONE) return threadResult(machine);
    return explainMissing(machine)?.detail ?? machine.stepper.describe(status);
  } finally {
    machine.close();
  }
}

it('the programs are those that their sources make', () => {
  type Entry = { readonly sha256: string; readonly sources: Readonly<Record<string, string>> };
  const text = readFileSync(join(FOLDER, 'manifest.json'), 'utf8');
  const manifest = JSON.parse(text) as Readonly<Record<string, Entry>>;
  const hash = (file: string): string =>
    createHash('sha256')
      .update(readFileSync(join(FOLDER, file)))
      .digest('hex');
  expect(Object.keys(manifest).sort()).toEqual([...ALL].sort());
  for (const [elf, { sha256, sources }] of Object.entries(manifest)) {
    expect([elf, hash(elf)]).toEqual([elf, sha256]);
    for (const [file, expected] of Object.entries(sources)) {
      expect([file, hash(file)]).toEqual([file, expected]);
    }
  }
});

describe.each(ALL)('%s', (program) => {
  it('calls through an address of its own', () => {
    expect(call(program, 'call_table', 5, 4)).toBe(5 * 3 + 4 + 1);
  });

  it('has its indirect functions resolved by their resolvers', () => {
    // 7 is what the resolver has left in memory.
    expect(call(program, 'call_ifunc', 100)).toBe(200 + 7);
  });

  it('is told of a resolver that fails, when its function is called', () => {
    expect(call(program, 'call_unresolved', 1)).toMatch(
      /^the code called an indirect function, whose resolver resolve_never\+0x0\/0x\w+ failed: Invalid memory read .* at 0x/,
    );
  });

  it('finds a weak symbol that nobody defines to be 0', () => {
    expect(call(program, 'call_weak', 33)).toBe(33);
  });
});

describe.each(PROGRAMS)('%s', (program) => {
  it('is told of a function that another file defines', () => {
    const line = 'the code called other_call, which this file does not define';
    expect(call(program, 'call_other', 1)).toBe(line);
  });

  it('is told of data that another file defines', () => {
    const line = 'the code read other_pointer, which this file does not define';
    expect(call(program, 'read_other', 1)).toBe(line);
  });
});

it.each(['shared.elf', 'shared-tls.elf'])('%s is told of a thread-local variable', (program) => {
  expect(call(program, 'read_thread_local', 1)).toBe(
    'the code used the thread-local variable other_thread_local, and there is no thread area',
  );
});

/** ELF for the Arm 64-bit Architecture, "Dynamic relocations". */
const R_AARCH64_TLSDESC = 1031;

it('is told of a thread-local variable without a name, as a static one is', () => {
  const bytes = readFileSync(join(FOLDER, 'shared.elf'));
  let unnamed = 0;
  for (let at = 0; at + 24 <= bytes.length; at += 8) {
    // r_info: the type below, the symbol above.
    if (bytes.readUInt32LE(at + 8) !== R_AARCH64_TLSDESC || bytes.readUInt32LE(at + 12) > 64)
      continue;
    bytes.writeUInt32LE(0, at + 12);
    unnamed++;
  }
  expect(unnamed).toBe(1);
  const folder = mkdtempSync(join(tmpdir(), 'kunwind-linking-'));
  try {
    const program = join(folder, 'unnamed.elf');
    writeFileSync(program, bytes);
    expect(call(program, 'read_thread_local', 1)).toBe(
      'the code used a thread-local variable, and there is no thread area',
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
});
