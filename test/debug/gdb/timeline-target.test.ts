import { expect, it } from 'vitest';
import { Evaluator } from '../../../debug/evaluate.js';
import { GdbMonitor } from '../../../debug/gdb/monitor.js';
import { TimelineTarget } from '../../../debug/gdb/timeline-target.js';
import { goToPoint } from '../../../debug/point-stop.js';
import { PLAIN } from '../../../debug/view/text-style.js';
import { addressToBigInt } from '../../../base/address.js';
import { GDB_REGISTERS } from '../../../debug/gdb/register-table.js';
import { Reg } from '../../../emulator/registers.js';
import { Kind } from '../../../kernel-model/exception-kind.js';
import type { Point } from '../../../lab/point.js';
import { POLICIES } from '../../../unwinder/policies/all.js';
import { Talk } from './gdb-client.js';
import { newSeed, randomIntegers } from '../../random.js';
import { timeline } from '../timeline-fixture.js';

const seed = newSeed();
const random = randomIntegers(seed);

function talkTo(name: string, point?: Point) {
  // A guest that was led astray is given up soon.
  const line = timeline(name, { budget: 3000 });
  if (point !== undefined) expect(goToPoint(line, point)).toBeUndefined();
  const monitor = new GdbMonitor(new Evaluator(line), POLICIES['sframe-v6'], 0, {
    paint: PLAIN,
    width: 100,
  });
  return { line, client: new Talk(new TimelineTarget(line, monitor, line.position)) };
}

const rcmd = (text: string): string => `qRcmd,${Buffer.from(text).toString('hex')}`;
const bytes = (count: number): string =>
  Array.from({ length: count }, () => random(256).toString(16).padStart(2, '0')).join('');

it('survives whatever is written to registers and stacks, and every way to go on', () => {
  const { line, client } = talkTo('fgraph/leaf');
  const start = line.fingerprint();
  const stack = addressToBigInt(line.registers().get(Reg.SP) - 512).toString(16);
  const asks: (() => string)[] = [
    () => `P${random(GDB_REGISTERS.length).toString(16)}=${bytes(8)}`,
    () => `P${random(GDB_REGISTERS.length).toString(16)}=${bytes(random(2) === 0 ? 4 : 16)}`,
    () => `P21=c5${'0'.repeat(2)}00${(random(16) * 16).toString(16).padStart(2, '0')}`,
    () => `M${stack},200:${bytes(512)}`,
    () => `Z${random(5)},${stack},${random(64).toString(16)}`,
    ...['s', 's', 'bs', 'c', 'bc', 'g'].map((text) => () => text),
    ...['unwind', 'truth', 'where'].map((text) => () => rcmd(text)),
    () => rcmd(`interrupt ${['irq', 'nmi', 'sdei', 'brk', 'serror'][random(5)] ?? ''}`),
  ];
  let stops = 0;
  for (let i = 0; i < 600; i++) {
    const ask = asks[random(asks.length)]?.() ?? '';
    const answers = client.askAll(ask);
    expect(answers.length, `${ask} KUNWIND_SEED=${seed}`).toBeGreaterThan(0);
    if (/^T\d\d/.test(answers.at(-1) ?? '')) stops++;
    if (i % 50 === 49) {
      client.target.restart();
      // Everything that was changed is gone with the history that it belonged to.
      expect(line.fingerprint(), `KUNWIND_SEED=${seed}`).toBe(start);
    }
  }
  expect(stops).toBeGreaterThan(100);
});

it('is killed back to a point inside an exception, whatever was done meanwhile', () => {
  const outer = { index: 3, kind: Kind.IRQ };
  const { line, client } = talkTo('leaf/strlen', {
    ...outer,
    inner: { index: 40, kind: Kind.SDEI },
  });
  const home = line.fingerprint();
  for (let i = 0; i < 60; i++) client.ask('bs');
  client.askAll(rcmd('interrupt nmi'));
  client.ask('P0=0100000000000000');
  client.askAll('c');
  expect(line.fingerprint()).not.toBe(home);
  client.target.restart();
  expect(line.place.levels).toEqual([{ kind: Kind.IRQ, index: 40 }]);
  expect(line.fingerprint()).toBe(home);
});

it('tells which pending address an exception has interrupted', () => {
  const inner = { index: 40, kind: Kind.SDEI };
  const { line, client } = talkTo('leaf/strlen', { index: 0, kind: Kind.IRQ, inner });
  const text = client
    .askAll(rcmd('truth'))
    .filter((answer) => answer.startsWith('O') && answer !== 'OK')
    .map((answer) => Buffer.from(answer.slice(1), 'hex').toString())
    .join('');
  expect(text).toContain(`#0  ${line.machine.symbols.format(line.pc)}\n`);
  expect(text).toMatch(/^#\d+ {2}leaf_strlen_entry\+0x0\/\w+ \(interrupted\)$/m);
});

it('goes back a step at a time as exactly as forward', () => {
  const { line, client } = talkTo('kretprobe/brk-leaf');
  const prints: string[] = [];
  for (let i = 0; i < 40; i++) {
    prints.push(line.fingerprint());
    client.ask('s');
  }
  for (const print of prints.reverse()) {
    client.ask('bs');
    expect(line.fingerprint()).toBe(print);
  }
});
