import { describe, expect, it } from 'vitest';
import type { Timeline } from '../../../debug/timeline.js';
import { type Address, formatAddress } from '../../../base/address.js';
import { Disassembler } from '../../../aarch64/disassembler.js';
import { Reg, type RegisterFile } from '../../../emulator/registers.js';
import { VerdictCode } from '../../../scenarios/verdict.js';
import { POLICIES } from '../../../unwinder/policies/all.js';
import { must } from '../../cpu-fixture.js';
import { callNames, gdb, gdbVersion, hasGdb, positionIn, serve } from './gdb-fixture.js';
import { timeline } from '../timeline-fixture.js';

const WHERE = 'monitor where';

function symbol(line: Timeline, name: string): Address {
  const found = line.machine.symbols.byName(name);
  if (found === undefined) throw new Error(`no symbol ${name}`);
  return found.address;
}

/** A register as gdb prints it; a signed return address is no Address. */
function unsigned64({ words }: RegisterFile, index: number): string {
  const [low = 0, high = 0] = words.subarray(2 * index, 2 * index + 2);
  return `0x${((BigInt(high) << 32n) | BigInt(low)).toString(16)}`;
}

/** All positions of the run, in order, at which `test` is true. */
function positionsWhere(line: Timeline, test: () => boolean): number[] {
  const home = line.position;
  const found: number[] = [];
  line.goTo(0);
  if (test()) found.push(0);
  while (line.run({ here: test }).reason === 'hit') found.push(line.position);
  line.goTo(home);
  return found;
}

/** `init_task.curr_ret_stack`: how many words of return addresses function graph holds. */
function graphTop(line: Timeline): Address {
  return line.machine.kernel.roles.initTask + line.machine.kernel.offsets.taskCurrRetStack;
}

/** Positions after a step that changed a word of memory. */
function changesOf(line: Timeline, address: Address): number[] {
  let last = line.machine.memory.readWord(address);
  return positionsWhere(line, () => {
    const before = last;
    last = line.machine.memory.readWord(address);
    return line.position > 0 && last !== before;
  });
}

/** What is pending at the positions of calls/pac from one to another: `bt` has to show it. */
async function expectBacktraces(from: number, to: number): Promise<string[][]> {
  const line = timeline('calls/pac');
  const expected: string[][] = [];
  for (let position = from; position <= to; position++) {
    line.goTo(position);
    expected.push(callNames(line));
  }
  line.goTo(from);
  const commands = expected.flatMap(() => ['bt 20', 'stepi']);
  const { answers } = await gdb(await serve(line), commands);
  const listed = answers
    .filter((_, i) => i % 2 === 0)
    .map((text) => [...text.matchAll(/^#\d+ .* in (\w+) \(\)/gm)].map(([, name]) => name));
  expect(listed).toEqual(expected);
  return expected;
}

describe.skipIf(!hasGdb)('gdb-multiarch on a timeline (needs gdb-multiarch)', () => {
  it('stops at breakpoints, software and hardware, in both directions', async () => {
    const line = timeline('fgraph/nested');
    const served = await serve(line);
    const [leaf, handler] = ['fgraph_leaf', 'return_to_handler'].map((name) => symbol(line, name));
    const expected = positionsWhere(line, () => line.pc === leaf || line.pc === handler);
    expect(expected.length).toBeGreaterThan(4);
    const there = expected.flatMap(() => ['continue', WHERE]);
    const back = expected.slice(1).flatMap(() => ['reverse-continue', WHERE]);
    const { answers } = await gdb(served, [
      ...['break *fgraph_leaf', 'hbreak *return_to_handler'],
      ...there,
      ...back,
    ]);
    expect(answers[0]).toMatch(/^Breakpoint 1 at /);
    expect(answers[1]).toMatch(/^Hardware assisted breakpoint 2 at /);
    const positions = answers.filter((answer) => /^position/.test(answer)).map(positionIn);
    expect(positions).toEqual([...expected, ...expected.slice(0, -1).reverse()]);
    expect(answers[2]).toMatch(/^Breakpoint [12], 0x/);
  });

  it('stops at watchpoints on writes, reads and both, in both directions', async () => {
    const line = timeline('fgraph/nested');
    const served = await serve(line);
    const address = graphTop(line);
    const code = must(await Disassembler.create(line.machine.symbols));
    const offset = `#0x${line.machine.kernel.offsets.taskCurrRetStack.toString(16)}]`;
    // What capstone reads of each instruction, not what the stub decodes.
    const accesses = (mnemonic: RegExp): number[] =>
      positionsWhere(line, () => {
        const bytes = line.readMemory(line.pc, 4) ?? new Uint8Array(4);
        const { text } = code.disassemble(bytes, line.pc);
        return text.endsWith(offset) && mnemonic.test(text);
      }).map((position) => position + 1);
    const writes = changesOf(line, address);
    const reads = accesses(/^ldr/);
    expect(writes).toEqual(accesses(/^str/));
    expect(Math.min(writes.length, reads.length)).toBeGreaterThan(3);

    const place = `*(int *) ${formatAddress(address)}`;
    const visit = async (command: string, expected: number[]): Promise<void> => {
      line.goTo(0);
      const moves = expected.flatMap(() => ['continue', WHERE]);
      const back = expected.flatMap(() => ['reverse-continue', WHERE]);
      const commands = [`${command} ${place}`, ...moves, 'stepi', ...back];
      const { answers } = await gdb(served, commands);
      expect(answers[0]).toMatch(/^Hardware (read |access \(read\/write\) )?watchpoint 1/);
      const positions = answers.filter((answer) => /^position/.test(answer)).map(positionIn);
      const undone = expected.map((position) => position - 1).reverse();
      expect(positions, command).toEqual([...expected, ...undone]);
    };
    await visit('watch', writes);
    await visit('rwatch', reads);
    await visit(
      'awatch',
      [...writes, ...reads].sort((a, b) => a - b),
    );
  });

  it('steps and steps back by instructions, to the states that the timeline has', async () => {
    const line = timeline('fgraph/leaf');
    const served = await serve(line);
    const show = 'info registers x0 x1 x19 x29 x30 sp pc cpsr SP_EL0';
    const { answers } = await gdb(served, [
      ...['stepi 60', WHERE, show, 'reverse-stepi 25', WHERE, show],
      ...['reverse-stepi 100', WHERE, 'stepi', WHERE, 'continue', WHERE, 'reverse-continue', WHERE],
    ]);
    expect([1, 4, 7, 9].map((i) => positionIn(answers[i]))).toEqual([60, 35, 0, 1]);
    const registers = (text: string | undefined): string[] =>
      [...(text ?? '').matchAll(/^\w+ +(0x[0-9a-f]+)/gm)].map(([, value]) => value ?? '');
    for (const [answer, position] of [
      [2, 60],
      [5, 35],
    ] as const) {
      line.goTo(position);
      const file = line.registers();
      const wanted = [0, 1, 19, 29, 30, Reg.SP, Reg.PC, Reg.PSTATE, Reg.SP_EL0];
      expect(registers(answers[answer])).toEqual(wanted.map((index) => unsigned64(file, index)));
    }
    line.goTo(1e9);
    expect(answers[10]).toContain('No more reverse-execution history');
    expect(positionIn(answers[11])).toBe(line.position);
    expect(answers[12]).toContain('No more reverse-execution history');
    expect(positionIn(answers[13])).toBe(0);
  });

  it('reads and writes registers and memory, and the change belongs to its position', async () => {
    const line = timeline('calls/pac');
    line.goTo(40);
    const served = await serve(line);
    const sp = line.registers().get(Reg.SP);
    const low = `{unsigned long} ($sp - 64)`;
    const { answers } = await gdb(served, [
      ...['set $x5 = 0xfedcba9876543210', 'set $cpsr = 0xa00003c5', 'set $SP_EL0 = 0x1234567890'],
      ...['set $ELR_EL1 = 0xffffa00080000004', 'set $SPSR_EL1 = 0x60000005', 'set $fpsr = 0x10'],
      ...['set $v3.d[0] = 0x1122334455667788', 'set $v3.d[1] = 0x99', `set ${low} = 0x5a5aa5a5`],
      ...['print/x $VBAR_EL1', 'set $VBAR_EL1 = 0x800', 'set $cpsr = 0', 'set $pc = $pc + 2'],
      ...[`set {int} $pc = 0`, 'print/x $v3.d', `print/x ${low}`, 'print/x $fpsr', WHERE],
      ...['set {int} 0x1000 = 1', 'x/x 0x1000'],
    ]);
    const file = line.registers();
    expect([file.words[10], file.words[11]]).toEqual([0x76543210, 0xfedcba98]);
    expect(file.words[2 * Reg.PSTATE]).toBe(0xa00003c5);
    expect(file.get(Reg.SP_EL0)).toBe(0x1234567890);
    expect(formatAddress(file.get(Reg.ELR_EL1))).toBe('0xffffa00080000004');
    expect(file.get(Reg.SPSR_EL1)).toBe(0x60000005);
    expect(line.machine.memory.readAddress(sp - 64)).toBe(0x5a5aa5a5);
    const vector = new Uint8Array(16);
    line.machine.stepper.engine.readVector(3, vector);
    expect(Buffer.from(vector).toString('hex')).toBe('88776655443322119900000000000000');
    expect(answers[9]).toContain(formatAddress(line.machine.kernel.roles.vectors));
    for (const refused of [10, 11, 12])
      expect(answers[refused]).toMatch(/Could not write register/);
    expect(answers[13]).toMatch(/Cannot access memory/);
    expect(answers[14]).toContain('{0x1122334455667788, 0x99}');
    expect(answers[15]).toContain('0x5a5aa5a5');
    expect(answers[16]).toContain('0x10');
    expect(positionIn(answers[17])).toBe(40);
    expect(answers[18]).toMatch(/Cannot access memory/);
    expect(answers[19]).toMatch(/Cannot access memory/);
    // Before the change it was never made; after it, it was.
    line.stepBack();
    expect(line.machine.memory.readAddress(sp - 64)).not.toBe(0x5a5aa5a5);
    line.step();
    expect(line.machine.memory.readAddress(sp - 64)).toBe(0x5a5aa5a5);
  });

  it('names symbols and lists the calls that are pending', async () => {
    const line = timeline('fgraph/callee');
    const plain = symbol(line, 'fgraph_plain');
    line.run({ here: () => line.pc === plain });
    const served = await serve(line);
    const { answers } = await gdb(served, ['info symbol $pc', 'bt', 'monitor truth', 'x/i $pc']);
    expect(answers[0]).toMatch(/^fgraph_plain in section \.text of .*fgraph\.elf/);
    expect(answers[1]).toMatch(
      /^#0 +0x[0-9a-f]+ in fgraph_plain \(\)\n#1 .* in fgraph_callee \(\)/,
    );
    const names = [...(answers[2] ?? '').matchAll(/^#\d+ +(\w+)/gm)].map(([, name]) => name);
    const { current } = line.truth;
    expect(names.slice(0, 3)).toEqual(['fgraph_plain', 'fgraph_callee', 'fgraph_callee_entry']);
    expect(names.length).toBe(current.depth + 1);
    expect(answers[3]).toMatch(/^=> 0xffff[0-9a-f]+ <fgraph_plain>:\t\w+/);
  });

  it('lists every frame beyond a signed return address, and ends', async () => {
    // Through a function that signs and calls two that do not, up to where it drops its frame.
    const expected = await expectBacktraces(33, 46);
    expect(Math.max(...expected.map(({ length }) => length))).toBe(7);
  });

  // From 14 on it is gdb's own analysis alone, which knows no epilogues.
  it.skipIf(gdbVersion >= 14)('lists them in an epilogue, too, before gdb 14', async () => {
    await expectBacktraces(47, 48);
  });

  it('is interrupted by Ctrl-C in a run that would never end', async () => {
    const line = timeline('fgraph/leaf', { budget: 1e9 });
    // A branch to itself, where the kernel would hang.
    const [code] = line.machine.memory.regions;
    const loop = (code?.low ?? NaN) + 4 * (code?.words.indexOf(0x14000000) ?? NaN);
    const served = await serve(line);
    const commands = [
      `set $pc = ${formatAddress(loop)}`,
      'continue',
      WHERE,
      'reverse-stepi',
      WHERE,
    ];
    const { answers } = await gdb(served, commands, () => line.position > 50_000);
    expect(answers[1]).toContain('Program received signal SIGINT');
    const stopped = positionIn(answers[2]);
    expect(stopped).toBeGreaterThan(50_000);
    expect(positionIn(answers[4])).toBe(stopped - 1);
    expect(line.position).toBe(stopped - 1);
  });

  it('detaches, and another gdb finds the same state', async () => {
    const line = timeline('leaf/memcpy');
    const served = await serve(line);
    const first = await gdb(served, ['stepi 200', 'print $x0', 'print $pc', 'detach', 'print $pc']);
    expect(first.answers[3]).toMatch(/detached/);
    const state = line.fingerprint();
    const second = await gdb(served, ['print $x0', 'print $pc', WHERE]);
    expect(second.answers.slice(0, 2)).toEqual(
      first.answers.slice(1, 3).map((answer) => answer.replace(/^\$\d/, (n) => `$${Number(n[1])}`)),
    );
    expect(positionIn(second.answers[2])).toBe(200);
    expect(line.fingerprint()).toBe(state);
    expect(served.log.filter((text) => /detached/.test(text)).length).toBe(2);
    await gdb(served, ['kill']);
    expect(line.position).toBe(0);
  });

  it('is refused while another one is attached, which goes on', async () => {
    const line = timeline('leaf/memcpy');
    const served = await serve(line);
    const { port } = served.server.endpoint;
    const second = `shell gdb-multiarch -nx -batch -ex 'target remote 127.0.0.1:${port}' 2>&1`;
    const { answers } = await gdb(served, ['stepi 10', second, 'stepi 10', WHERE]);
    expect(answers[1]).toMatch(/Remote|reset|closed|reply/i);
    expect(positionIn(answers[3])).toBe(20);
    expect(served.log.some((text) => text.includes('refused: another one is attached'))).toBe(true);
  });

  it('asks the unwinder, with what the sweep would judge there', async () => {
    const line = timeline('fgraph/leaf');
    line.goTo(60);
    const served = await serve(line);
    const place = (await gdb(served, [WHERE])).answers[0] ?? '';
    expect(place).toMatch(/^position 60, point \d+:irq$/);
    const policies = ['frame-pointer', 'sframe-strict', 'fgraph-detect'] as const;
    const { answers } = await gdb(served, [
      ...policies.flatMap((name) => [`monitor policy ${name}`, 'monitor unwind']),
      ...['monitor kind sdei', 'monitor unwind', 'monitor interrupt irq'],
      ...['maintenance flush register-cache', 'print $pc', WHERE, 'reverse-stepi', WHERE],
      ...[
        'monitor interrupt fiq',
        'monitor policy none',
        'monitor bogus',
        'monitor',
        'monitor help',
        'monitor unwind sframe-v5',
      ],
    ]);
    const verdict = (text = ''): string =>
      /asked by (\w+): (\w+)/.exec(text)?.slice(1).join() ?? '';
    expect(line.position).toBe(60);
    for (const [i, name] of policies.entries()) {
      const judged = must(served.evaluator.evaluate(0, POLICIES[name]));
      expect(verdict(answers[2 * i + 1])).toBe(`irq,${VERDICT_NAMES[judged.verdict]}`);
      expect(answers[2 * i]).toBe(`policy ${name}`);
    }
    expect(verdict(answers[7])).toMatch(/^sdei,/);
    const vectors = line.machine.kernel.roles.vectors;
    expect(answers[10]).toContain(formatAddress(vectors + 0x280));
    expect(positionIn(answers[11])).toBe(61);
    expect(positionIn(answers[13])).toBe(60);
    expect(answers[14]).toBe('no kind "fiq"; there are irq, nmi, sdei, brk, serror');
    expect(answers[15]).toMatch(/^no policy "none"; there are frame-pointer, /);
    expect(answers[16]).toMatch(/^no monitor command "bogus"; there are unwind, truth, /);
    expect(answers[19]).toBe('unwind takes no argument');
    expect(answers[18]).toMatch(/^unwind .*\ntruth .*\ninterrupt KIND .*\npolicy /s);
  });

  it('goes back from a missing verdict to the instruction that caused it', async () => {
    const line = timeline('fgraph/leaf');
    const served = await serve(line);
    const address = graphTop(line);
    // The last place where strict misses the caller: the return stack has given its entry away.
    line.goTo(1e9);
    const missing = served.evaluator.verdictTest(0, POLICIES['sframe-strict'], 'reliable', [
      VerdictCode.MISSING,
    ]);
    expect(line.runBack({ here: missing }).reason).toBe('hit');
    const from = line.position;
    const cause =
      changesOf(line, address)
        .filter((position) => position <= from)
        .at(-1) ?? NaN;
    line.goTo(from);
    const call = line.machine.kernel.returnToHandler.start + 28;
    const { text, answers } = await gdb(served, [
      ...['monitor where', 'monitor unwind', `break *${formatAddress(call)}`, 'reverse-continue'],
      ...['x/i $pc', 'monitor unwind', 'stepi', 'monitor unwind', 'delete'],
      // Where the return stack still knows the caller, until the entry is popped.
      ...['monitor policy fgraph-detect', 'monitor unwind'],
      ...[`watch *(int *) ${formatAddress(address)}`, 'continue', 'monitor unwind'],
      ...['reverse-continue', 'monitor where', 'x/i $pc', 'monitor unwind', 'monitor truth'],
    ]);
    expect(answers[0]).toContain(`position ${from}`);
    expect(answers[1]).toContain('asked by irq: missing');
    expect(answers[1]).toContain('fgraph_leaf_entry+0x10/0x1c is absent');
    // The verdict turns at this very instruction.
    expect(answers[4]).toMatch(/=> .*<return_to_handler\+28>:\tbl\t.*<ftrace_return_to_handler>/);
    expect(answers[5]).toContain('asked by irq: unreliable');
    expect(answers[7]).toContain('sframe-strict, reliable, asked by irq: missing');
    expect(answers[10]).toContain('fgraph-detect, reliable, asked by irq: exact');
    expect(answers[12]).toMatch(/Old value = 5\nNew value = 0/);
    expect(answers[13]).toContain('asked by irq: unreliable');
    expect(answers[14]).toMatch(/Old value = 0\nNew value = 5/);
    expect(positionIn(answers[15])).toBe(cause - 1);
    expect(answers[16]).toMatch(/=> .*<ftrace_return_to_handler\+\d+>:\tstr\tw22, \[x0, #2168\]/);
    expect(answers[17]).toContain('asked by irq: exact');
    expect(answers[18]).toContain('return_to_handler+0x20');
    if (process.env['KUNWIND_TRANSCRIPT'] !== undefined) console.log(text);
  });
});

const VERDICT_NAMES = Object.keys(VerdictCode).map((name) => name.toLowerCase());
