import { describe, expect, it } from 'vitest';
import { formatAddress } from '../../../base/address.js';
import { Reg } from '../../../emulator/registers.js';
import { callNames, positionIn, serve } from './gdb-fixture.js';
import { hasLldb, lldb } from './lldb-fixture.js';
import { timeline } from '../timeline-fixture.js';

const WHERE = 'process plugin packet monitor where';
const STEP_BACK = 'process plugin packet send bs';
const RUN_BACK = 'process plugin packet send bc';

/** The functions of `bt`, innermost first. */
function frames(answer = ''): string[] {
  return [...answer.matchAll(/frame #\d+: 0x[0-9a-f]+ [^`\n]*`(\w+)/g)].map(
    ([, name]) => name ?? '',
  );
}

describe.skipIf(!hasLldb)('lldb on a timeline (needs lldb)', () => {
  it('steps, forwards and backwards, and shows registers and memory', async () => {
    const line = timeline('calls/pac');
    line.goTo(34);
    const served = await serve(line);
    // lldb 14 has no command that goes back, and learns of a new state by its own steps only.
    const { answers } = await lldb(served, [
      ...['thread step-inst', WHERE, 'thread step-inst', WHERE],
      ...[STEP_BACK, STEP_BACK, STEP_BACK, 'thread step-inst', WHERE],
      ...['register read pc x30', 'memory read --size 8 --format x --count 2 $sp'],
    ]);
    expect(answers[0]).toContain('stop reason = instruction step into');
    expect([1, 3, 8].map((i) => positionIn(answers[i]))).toEqual([35, 36, 34]);
    for (const i of [4, 5, 6]) expect(answers[i]).toMatch(/response: T05/);
    expect(served.log.at(-1)).toMatch(/ detached; state kept$/);
    expect(line.position).toBe(34);
    const registers = line.registers();
    const sp = registers.get(Reg.SP);
    expect(answers[9]).toContain(`pc = ${formatAddress(registers.get(Reg.PC))} `);
    // The frame record of the caller: its return address is signed, and no Address.
    const record = Buffer.from(line.readMemory(sp, 16) ?? []);
    const words = [0, 8].map(
      (offset) => `0x${record.readBigUInt64LE(offset).toString(16).padStart(16, '0')}`,
    );
    expect(words[1]).not.toMatch(/^0xffff/);
    expect(answers[10]).toBe(`${formatAddress(sp)}: ${words.join(' ')}`);
  });

  it('stops at breakpoints in both directions, and behind what a watchpoint watches', async () => {
    const line = timeline('calls/pac');
    line.goTo(34);
    const served = await serve(line);
    const record = line.registers().get(Reg.SP) - 32;
    const [from, at] = [formatAddress(line.pc), formatAddress(line.pc + 16)];
    const { answers } = await lldb(served, [
      ...[`breakpoint set --address ${at}`, `breakpoint set --address ${from}`, 'continue', WHERE],
      ...[RUN_BACK, WHERE, 'breakpoint delete --force'],
      ...[`watchpoint set expression --size 8 -- ${formatAddress(record)}`, 'continue', WHERE],
    ]);
    expect(answers[2]).toContain('stop reason = breakpoint 1.1');
    expect(positionIn(answers[5])).toBe(34);
    expect(answers[8]).toContain('stop reason = watchpoint 1');
    // After the store: the machine stopped in front of it, and lldb stepped over it.
    expect(positionIn(answers[9])).toBe(35);
    line.goTo(positionIn(answers[3]));
    expect(formatAddress(line.pc)).toBe(at);
  });

  it('lists every frame beyond a signed return address', async () => {
    const line = timeline('calls/pac');
    line.goTo(45);
    const served = await serve(line);
    const { answers } = await lldb(served, ['bt']);
    expect(frames(answers[0])).toEqual(callNames(line));
    expect(callNames(line)).toHaveLength(7);
  });
});
