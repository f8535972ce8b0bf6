import { describe, expect, it } from 'vitest';
import { addressToBigInt } from '../../../base/address.js';
import { MAX_PACKET } from '../../../debug/gdb/packet.js';
import { Reg } from '../../../emulator/registers.js';
import { CODE, closeCpus, DATA, STACK_TOP, VECTORS } from '../../cpu-fixture.js';
import { newSeed, randomIntegers } from '../../random.js';
import { little64, packet, payloads, Talk } from './gdb-client.js';
import { RecordedTarget } from './recorded-target.js';

closeCpus();

const hex = (address: number): string => addressToBigInt(address).toString(16);

/** Counts in x0, stores and loads at the stack: five instructions, then once more. */
const LOOP = [
  'add x0, x0, #1',
  'str x0, [sp, #-0x10]!',
  'add x0, x0, #1',
  'ldr x8, [sp], #0x10',
  'movz x0, #0x1234',
] as const;
const program = [...LOOP, ...LOOP, 'brk #4'] as const;
const SLOT = STACK_TOP - 16;

function talk(end?: number): Talk & { readonly target: RecordedTarget } {
  return new Talk(new RecordedTarget([...program], end)) as Talk & {
    readonly target: RecordedTarget;
  };
}

describe('framing', () => {
  it('acknowledges good packets and refuses wrong checksums', () => {
    const client = talk();
    expect(client.raw('$qC#b4')).toBe('+$QC1#c5');
    expect(client.raw('$qC#b5')).toBe('-');
    expect(client.raw('$qC#zz')).toBe('-');
    expect(client.log).toContain('a packet has a wrong checksum');
  });

  it('takes packets in any pieces, one after the other, with bytes between them', () => {
    const client = talk();
    for (const byte of '+$qC#b') expect(client.raw(byte)).toBe('');
    expect(client.raw('4$qC#b4 \n\x00$qAttached#8f')).toBe('+$QC1#c5+$QC1#c5+$1#31');
    expect(client.log).toEqual(['bytes outside packets were ignored']);
  });

  it('sends again what was refused, but not for ever', () => {
    const client = talk();
    client.raw('$qC#b4');
    for (let i = 0; i < 8; i++) expect(client.raw('-')).toBe('$QC1#c5');
    client.raw('+');
    expect(client.raw('-')).toBe('$QC1#c5');
    client.raw('-'.repeat(20));
    expect(client.session.ended).toBe('broken');
  });

  it('goes without acknowledgements once asked to', () => {
    const client = talk();
    expect(client.raw(packet('QStartNoAckMode'))).toBe('+$OK#9a');
    expect(client.raw('+$qC#b4')).toBe('$QC1#c5');
    expect(client.raw('-')).toBe('');
    expect(client.raw('$qC#00')).toMatch(/^\$E[0-9a-f]{2}#/);
  });

  it('starts anew where a packet is cut off by the next', () => {
    expect(talk().raw('$m1234$qC#b4')).toBe('+$QC1#c5');
  });

  it('reads escapes, also of the bytes that frame packets', () => {
    const client = talk();
    const escaped = '}\x03}\x04}\x5d}\x0a\x00\xff';
    expect(client.ask(`X${hex(DATA)},6:${escaped}`)).toBe('OK');
    expect(client.ask(`m${hex(DATA)},6`)).toBe('23247d2a00ff');
  });

  it('closes on a packet longer than it announced, and takes one as long as that', () => {
    const size = /PacketSize=([0-9a-f]+)/.exec(talk().ask('qSupported:swbreak+'))?.[1] ?? '';
    expect(parseInt(size, 16)).toBe(MAX_PACKET);
    const head = `M${hex(DATA)},1fe0:`;
    expect(talk().ask(head + '5a'.repeat(0x1fe0))).toBe('OK');
    const client = talk();
    expect(client.raw(`$${'a'.repeat(MAX_PACKET + 1)}`)).toBe('');
    expect(client.session.ended).toBe('broken');
    expect(client.log).toEqual(['a packet is longer than announced; connection closed']);
  });
});

describe('registers', () => {
  it('are described and numbered as sent', () => {
    const client = talk();
    let xml = '';
    for (let at = 0, more = true; more; at = xml.length) {
      const part = client.ask(`qXfer:features:read:target.xml:${at.toString(16)},200`);
      more = part.startsWith('m');
      xml += part.slice(1);
    }
    const described = [...xml.matchAll(/<reg name="(\w+)" bitsize="(\d+)"/g)];
    const all = client.ask('g');
    expect(all.length).toBe(described.reduce((sum, [, , bits]) => sum + Number(bits) / 4, 0));
    let at = 0;
    for (const [i, [, name, bits]] of described.entries()) {
      const digits = Number(bits) / 4;
      expect(client.ask(`p${i.toString(16)}`), name).toBe(all.slice(at, at + digits));
      at += digits;
    }
    const [names, numbers] = [described.map(([, name]) => name), ['sp', 'pc', 'v0', 'VBAR_EL1']];
    const [sp, pc, v0, vbar] = numbers.map((name) => names.indexOf(name).toString(16));
    expect(client.ask(`p${sp}`)).toBe(little64(BigInt(STACK_TOP)));
    expect(client.ask(`p${pc}`)).toBe(little64(BigInt(CODE)));
    expect(client.ask(`p${vbar}`)).toBe(little64(BigInt(VECTORS)));
    expect(client.ask(`P${vbar}=${little64(1n)}`)).toBe('E01');
    const [mask = NaN] = ['pauth_cmask_high'].map((name) => names.indexOf(name));
    expect(client.ask(`p${mask.toString(16)}`)).toBe(little64(0xff7f000000000000n));
    expect(client.ask(`P${mask.toString(16)}=${little64(1n)}`)).toBe('E01');
    expect(client.ask(`P${v0}=${'0123456789abcdef'.repeat(2)}`)).toBe('OK');
    expect(client.ask(`p${v0}`)).toBe('0123456789abcdef'.repeat(2));
  });

  it('are all written by G, as far as they can be', () => {
    const client = talk();
    const all = client.ask('g');
    const changed = little64(0xfedcba9876543210n) + all.slice(16);
    expect(client.ask(`G${changed}`)).toBe('OK');
    expect(client.ask('g')).toBe(changed);
    expect(client.ask(`G${changed.slice(2)}`)).toMatch(/^E/);
    expect(client.target.registers.words[1]).toBe(0xfedcba98);
  });

  it('of no such number or size are refused', () => {
    const client = talk();
    for (const text of ['p', 'p1000', 'pzz', 'P0=00', 'P0', `P99=${little64(0n)}`, 'P0=zz']) {
      expect(client.ask(text), text).toMatch(/^E/);
    }
  });
});

describe('memory', () => {
  it('is read up to where it ends, and written whole or not at all', () => {
    const client = talk();
    expect(client.ask(`M${hex(STACK_TOP - 4)},4:01020304`)).toBe('OK');
    expect(client.ask(`m${hex(STACK_TOP - 4)},4`)).toBe('01020304');
    expect(client.ask(`m${hex(STACK_TOP - 4)},10`)).toBe('01020304');
    expect(client.ask(`M${hex(STACK_TOP - 4)},8:ffffffffffffffff`)).toMatch(/^E/);
    expect(client.ask(`m${hex(STACK_TOP - 4)},4`)).toBe('01020304');
  });

  it.each([
    ...['m', 'm0', 'm0,', 'm,4', 'm0,4', 'm0,ffffffffff', 'm123456789abcdef01,4', 'mzz,4'],
    ...['m8000000000000000,4', 'M0,4:', 'M0,1:zz', 'M0,4:0000', 'X0,4:ab', 'X', 'X0,1', 'm-1,4'],
  ])('%s is answered with an error', (text) => {
    expect(talk().ask(text)).toMatch(/^E[0-9a-f]{2}$/);
  });

  it('asked for beyond one packet comes in a part', () => {
    const answer = talk().ask(`m${hex(DATA)},ffffffff`);
    expect(answer.length).toBeGreaterThan(4096);
    expect(answer.length).toBeLessThanOrEqual(MAX_PACKET);
  });
});

describe('execution', () => {
  const pcOf = (stop: string): string | undefined => /;?20:([0-9a-f]{16});/.exec(stop)?.[1];

  it('steps and steps back', () => {
    const client = talk();
    const start = client.ask('g');
    expect(pcOf(client.ask('vCont;s:1'))).toBe(little64(BigInt(CODE + 4)));
    expect(pcOf(client.ask('s'))).toBe(little64(BigInt(CODE + 8)));
    expect(client.target.position).toBe(2);
    client.ask('bs');
    expect(pcOf(client.ask('bs'))).toBe(little64(BigInt(CODE)));
    expect(client.ask('g')).toBe(start);
    expect(client.ask('bs')).toMatch(/^T05replaylog:begin;/);
  });

  it('stops at breakpoints both ways, once each time they are passed', () => {
    const client = talk(10);
    client.ask('qSupported:swbreak+;hwbreak+');
    expect(client.ask(`Z0,${hex(CODE + 8)},4`)).toBe('OK');
    expect(client.ask(`Z1,${hex(CODE + 28)},4`)).toBe('OK');
    expect(client.ask('vCont;c')).toMatch(/^T05swbreak:;/);
    expect(client.target.position).toBe(2);
    expect(client.ask('c')).toMatch(/^T05hwbreak:;/);
    expect(client.target.position).toBe(7);
    expect(client.ask('c')).toMatch(/^T05replaylog:end;/);
    expect(client.target.position).toBe(10);
    client.ask('bc');
    expect(client.target.position).toBe(7);
    expect(client.ask('bc')).toMatch(/^T05swbreak:;/);
    expect(client.target.position).toBe(2);
    expect(client.ask('bc')).toMatch(/^T05replaylog:begin;/);
    client.ask(`z0,${hex(CODE + 8)},4`);
    expect(client.ask('c')).toMatch(/^T05hwbreak:;/);
  });

  it.each([
    ['write', 2, 'watch', [1, 6]],
    ['read', 3, 'rwatch', [3, 8]],
    ['access', 4, 'awatch', [1, 3, 6, 8]],
  ])(
    'stops before what a %s watchpoint watches, and before undoing it',
    (_, type, name, places) => {
      const client = talk(10);
      const point = `${type},${hex(SLOT + 3)},1`;
      const reply = new RegExp(`^T05${name}:${hex(SLOT + 3)};`);
      const forward: number[] = [];
      const backward: number[] = [];
      const pass = (ask: string, places: number[]): void => {
        client.ask(`Z${point}`);
        for (let stop = client.ask(ask); reply.test(stop); stop = client.ask(ask)) {
          places.push(client.target.position);
          // As gdb does: without the watchpoint, one step over the access.
          client.ask(`z${point}`);
          client.ask(ask === 'bc' ? 'bs' : 's');
          client.ask(`Z${point}`);
        }
      };
      pass('c', forward);
      expect(forward).toEqual(places);
      expect(client.target.position).toBe(10);
      pass('bc', backward);
      expect(backward).toEqual(places.map((place) => place + 1).reverse());
      expect(client.target.position).toBe(0);
    },
  );

  it('does not step over what a watchpoint watches', () => {
    const client = talk();
    client.ask('s');
    client.ask(`Z2,${hex(SLOT)},8`);
    expect(client.ask('s')).toMatch(new RegExp(`^T05watch:${hex(SLOT)};`));
    expect(client.target.position).toBe(1);
    client.ask(`z2,${hex(SLOT)},8`);
    client.ask('s');
    client.ask(`Z4,${hex(SLOT)},8`);
    expect(client.ask('bs')).toMatch(new RegExp(`^T05awatch:${hex(SLOT)};`));
    expect(client.target.position).toBe(2);
  });

  it('stops in front of what cannot be executed, and says why', () => {
    const answers = talk().askAll('c');
    expect(Buffer.from(answers[0]?.slice(1) ?? '', 'hex').toString()).toMatch(
      /exception instruction 0xd4200080/,
    );
    expect(answers[1]).toMatch(/^T04/);
  });

  it('is interrupted by Ctrl-C, and keeps packets for later', () => {
    const client = new Talk(new RecordedTarget([0x14000000], Infinity));
    client.session.receive(packet('vCont;c'));
    client.session.advance();
    expect(client.session.running).toBe(true);
    client.session.receive(Buffer.concat([packet('qC'), Buffer.from([3])]));
    expect(payloads(client.take())).toEqual([]);
    client.session.advance();
    expect(payloads(client.take())).toEqual([expect.stringMatching(/^T02/), 'QC1']);
    expect(client.raw('\x03')).toBe('');
    client.session.receive(packet('c'));
    client.session.receive(Buffer.concat(Array.from({ length: 17 }, () => packet('qC'))));
    expect(client.session.ended).toBe('broken');
  });

  it.each([
    ['vCont;s:0001', 1],
    ['vCont;s:1', 1],
    ['vCont;s:p1.1', 1],
    ['vCont;s:p01.-1', 1],
    ['vCont;s:-1', 1],
    ['vCont;s:0', 1],
    ['vCont;S05:0001', 1],
    // Leftmost wins, and what is for another thread is not for this one.
    ['vCont;s:0001;c', 1],
    ['vCont;c:0002;s:0001', 1],
    ['vCont;c:0001;s', 10],
    ['vCont;c', 10],
    ['C05', 10],
    ['S05', 1],
  ])('%s goes to position %i', (ask, position) => {
    const client = talk(10);
    expect(client.ask(ask)).toMatch(/^T05/);
    expect(client.target.position).toBe(position);
  });

  it.each([
    ['D', 'detached', '$OK#9a'],
    ['D;1', 'detached', '$OK#9a'],
    ['k', 'killed', ''],
    ['vKill;1', 'killed', '$OK#9a'],
    // What gdb 13 says.
    ['vKill;a410', 'killed', '$OK#9a'],
  ])('that would never end is left by %s', (leave, ended, answer) => {
    const client = new Talk(new RecordedTarget([0x14000000], Infinity));
    client.session.receive(packet('vCont;c'));
    client.session.advance();
    client.take();
    client.session.receive(packet('D;'));
    expect(client.session.running).toBe(true);
    expect(client.take().toString()).toBe('+$E16#ac');
    client.session.receive(packet(leave));
    expect([client.session.ended, client.session.running]).toEqual([ended, false]);
    expect(client.take().toString()).toBe(`+${answer}`);
  });

  it('takes no more points than it can hold, and no range of nonsense', () => {
    const client = talk();
    let refused = '';
    for (let i = 0; refused === '' && i < 5000; i++) {
      const answer = client.ask(`Z0,${hex(CODE + 4 * i)},4`);
      if (answer !== 'OK') refused = answer;
    }
    expect(refused).toMatch(/^E/);
    for (const text of ['Z2,0,ffffffff', 'Z0', 'Z0,', 'Z0,zz,4', 'z3,1']) {
      expect(client.ask(text), text).toMatch(/^E/);
    }
    expect(client.ask('Z9,0,4')).toBe('');
  });
});

describe('the rest of the protocol', () => {
  const ANSWERS: Readonly<Record<string, readonly string[]>> = {
    '': [
      ...['vMustReplyEmpty', 'qTStatus', '!', '', 'qXfer:auxv:read::0,10'],
      // All-stop is all there is.
      ...['QNonStop:1', 'vCtrlC', 'vRun', 'vAttach;1', 'QThreadSuffixSupported'],
      'qMemoryRegionInfo:0',
    ],
    OK: [
      ...['Hg0', 'Hg1', 'Hg0001', 'Hg0000', 'Hc-1', 'Hgp1.1', 'Hgp01.0001', 'Hgp1.-1', 'Hgp-1'],
      ...[`Hg${'0'.repeat(5000)}1`, 'Hgp0.0', 'T1', 'T0001', 'Tp1.1', 'qSymbol::'],
    ],
    m1: ['qfThreadInfo'],
    l: ['qsThreadInfo'],
    'vCont;c;C;s;S': ['vCont?'],
    'num:1024;': ['qWatchpointSupportInfo:'],
    'endian:little;ptrsize:8;watchpoint_exceptions_received:before;addressing_bits:48;': [
      'qHostInfo',
    ],
    E00: ['qXfer:features:read:other.xml:0,10'],
    E01: ['T2'],
    E16: [
      ...['Hg', 'H', 'Hx1', 'Hg2', 'Hg0002', 'Hgp2.1', 'Hgp1.2', 'Hgp', 'Hg-2', 'Hg1.1', 'Hg 1'],
      ...['Hg1z', 'T', 'Tz', 'Tp', 'vCont;x', 'vCont;', 'vCont;t', 'vCont;C', 'vCont;Czz'],
      ...['vCont;s:0002', 'vCont;s:', 'vCont;s:zz', 'vCont;c:p2.1', 'vCont;s:1;x'],
      ...['C', 'Czz', 'S5', 'C05;zz', 's1z', 'vKill;', 'vKill;zz'],
      ...['D;', 'D1', 'Dz', 'qRcmd,6', 'qRcmd', 'qRcmd,zz'],
      // Beyond 2^53, beyond the address space, of enormous length, and of no digits.
      ...['m20000000000000,8', 'm7fffffffffffffff,8', 'm10000000000000000,8', 'm0,100000000'],
      ...['m', 'm0', 'm,', 'mzz,4', 'm0,zz', 'm0,4,4', 'm-1,4'],
      ...['X0,4', 'X0,4:abc', 'M0,1:z', 'M0,1:z0'],
      ...['fffff,10', 'ffffffff,ffffffff', '100000000,1', 'zz,1', '0', ''].map(
        (range) => `qXfer:features:read:target.xml:${range}`,
      ),
    ],
    E0e: ['m0,4', 'mfffffffffffffffe,4', 'm0,ffffffff', 'X0,1:a', 'M0,1:00'],
  };
  it.each(
    Object.entries(ANSWERS).flatMap(([answer, all]) => all.map((payload) => [payload, answer])),
  )('%j is answered %j', (payload = '', answer) => {
    expect(talk().ask(payload)).toBe(answer);
  });

  it('hands monitor commands on, however long the answer', () => {
    const client = talk();
    const text = (answers: readonly string[]): string =>
      answers.map((answer) => Buffer.from(answer.slice(1), 'hex').toString()).join('');
    const command = (line: string): string[] =>
      client.askAll(`qRcmd,${Buffer.from(line).toString('hex')}`);
    const short = command('hällo');
    expect(short.pop()).toBe('OK');
    expect(text(short)).toBe('you said hällo\n');
    const long = command('long');
    expect(long.pop()).toBe('OK');
    expect(text(long)).toBe('line\n'.repeat(2000));
  });

  it('detaches where it is, and kills back to the start', () => {
    const client = talk();
    client.ask('s');
    expect(client.ask('D')).toBe('OK');
    expect([client.session.ended, client.target.position]).toEqual(['detached', 1]);
    const next = new Talk(client.target);
    expect(next.ask('vKill;1')).toBe('OK');
    expect([next.session.ended, client.target.position]).toEqual(['killed', 0]);
    expect(client.target.registers.get(Reg.PC)).toBe(CODE);
  });
});

it('answers anything with packets, acknowledgements or the end of the connection', () => {
  const seed = newSeed();
  const random = randomIntegers(seed);
  const STARTS = [
    ...['m', 'M', 'X', 'p', 'P', 'g', 'G', 'Z', 'z', 'H', 'T', 'q', 'v', 'c', 's', 'bc', 'bs', 'D'],
    ...['qRcmd,', 'qXfer:features:read:', 'qSupported:', 'vCont;', 'vCont;s', 'QStartNoAckMode'],
    ...[`m${hex(DATA)},`, `X${hex(DATA)},4:`, `Z2,${hex(SLOT)},`, 'P0=', 'k', '?', 'C', 'S', ''],
  ];
  const noise = (length: number): string =>
    Array.from({ length }, () =>
      random(3) === 0
        ? String.fromCharCode(random(256))
        : '0123456789abcdef,;:#$}'.charAt(random(22)),
    ).join('');
  let client = talk(50);
  let ended = 0;
  for (let i = 0; i < 4000; i++) {
    const start = STARTS[random(STARTS.length)] as string;
    const payload = start + noise(random(random(8) === 0 ? 3000 : 12));
    const sent =
      random(4) === 0
        ? Buffer.from(noise(random(40)), 'latin1')
        : packet(payload.replace(/[#$]/g, ''));
    const answer = Buffer.from(client.raw(sent), 'latin1');
    const rest = answer.toString('latin1').replace(/\$[^#$]*#[0-9a-f]{2}/g, '');
    expect(rest, `${JSON.stringify(payload)} KUNWIND_SEED=${seed}`).toMatch(/^[+-]*$/);
    payloads(answer);
    expect(client.log.length).toBeLessThanOrEqual(21);
    if (client.session.ended === undefined) continue;
    ended++;
    client = new Talk(client.target) as typeof client;
  }
  expect(ended).toBeGreaterThan(50);
});
