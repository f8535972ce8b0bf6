import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { BoundedLog } from '../../../debug/gdb/bounded-log.js';
import { type Endpoint, isLoopback, parseEndpoint } from '../../../debug/gdb/endpoint.js';
import { describeServerError, GdbServer } from '../../../debug/gdb/server.js';
import { closeCpus, must } from '../../cpu-fixture.js';
import { newSeed, randomIntegers } from '../../random.js';
import { packet, payloads } from './gdb-client.js';
import { RecordedTarget } from './recorded-target.js';

closeCpus();

const LOCAL: Endpoint = { host: '127.0.0.1', port: 0 };

interface Started {
  readonly server: GdbServer;
  readonly target: RecordedTarget;
  readonly log: string[];
}

const running: GdbServer[] = [];
afterEach(async () => {
  for (const server of running.splice(0)) await server.close();
});

/** A server for an endless loop of three instructions. */
async function started(): Promise<Started> {
  const target = new RecordedTarget(['add x0, x0, #1', 'nop', 0x17fffffe], Infinity);
  const log: string[] = [];
  const server = must(
    await GdbServer.start({
      endpoint: LOCAL,
      allowRemote: false,
      target,
      log: (line) => log.push(line),
    }),
  );
  running.push(server);
  return { server, target, log };
}

/** Wait until the last client has left, as the log says. */
async function left(log: readonly string[]): Promise<void> {
  while (!/detached|dropped|lost/.test(log.at(-1) ?? '')) {
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** A client's socket, and everything it was sent. */
class Peer {
  received = Buffer.alloc(0);
  readonly closed: Promise<void>;

  private constructor(readonly socket: Socket) {
    socket.on('data', (bytes) => (this.received = Buffer.concat([this.received, bytes])));
    socket.on('error', () => undefined);
    this.closed = new Promise((resolve) =>
      socket.on('close', () => {
        resolve();
      }),
    );
  }

  static async to(server: GdbServer): Promise<Peer> {
    const socket = connect(server.endpoint);
    const peer = new Peer(socket);
    await once(socket, 'connect');
    return peer;
  }

  /** Send, and wait for so many packets. */
  async ask(bytes: Buffer, count = 1): Promise<string[]> {
    this.received = Buffer.alloc(0);
    this.socket.write(bytes);
    while (payloads(this.received).length < count) await this.more();
    return payloads(this.received);
  }

  private async more(): Promise<void> {
    const closed = this.closed.then(() => {
      throw new Error('the connection was closed');
    });
    await Promise.race([once(this.socket, 'data'), closed]);
  }
}

describe('an endpoint', () => {
  it.each([
    ['1234', '127.0.0.1', 1234],
    [':0', '127.0.0.1', 0],
    ['localhost:65535', 'localhost', 65535],
    ['[::1]:1', '::1', 1],
    ['0.0.0.0:1', '0.0.0.0', 1],
  ])('%s', (text, host, port) => {
    expect(parseEndpoint(text)).toEqual({ host, port });
  });

  it.each(['', 'x', '65536', '-1', '1.5', 'host:', '::1:5', '[host]:1', 'a b:1', '1 ', '0x10'])(
    'is not %j',
    (text) => {
      expect(parseEndpoint(text)).toBeUndefined();
    },
  );

  it.each([
    ['127.9.9.9', true],
    ['::1', true],
    ['0.0.0.0', false],
    ['::', false],
    ['10.0.0.1', false],
    ['localhost.example.org', false],
  ])('%s is loopback: %s', (address, loopback) => {
    expect(isLoopback(address)).toBe(loopback);
  });
});

describe('where it listens', () => {
  const start = async (host: string, port = 0, allowRemote = false) => {
    const target = new RecordedTarget(['nop']);
    const log = (): void => undefined;
    const made = await GdbServer.start({ endpoint: { host, port }, allowRemote, target, log });
    if (!made.ok) return describeServerError(made.error);
    running.push(made.value);
    return made.value;
  };

  it('is loopback only, unless it is told otherwise', async () => {
    expect(await start('0.0.0.0')).toMatch(/^refusing to listen on 0\.0\.0\.0, which is not loop/);
    expect(await start('::')).toMatch(/^refusing to listen on ::/);
    expect(await start('0.0.0.0', 0, true)).toBeInstanceOf(GdbServer);
  });

  it('must exist and be free', async () => {
    expect(await start('no.such.host.invalid')).toBe("no host 'no.such.host.invalid' to listen on");
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as { port: number };
    expect(await start('127.0.0.1', port)).toBe(
      `cannot listen on 127.0.0.1:${port}: the port is in use`,
    );
    other.close();
  });
});

describe('clients', () => {
  it('are served one at a time: a second is turned away and the first does not notice', async () => {
    const { server, log } = await started();
    const first = await Peer.to(server);
    expect(await first.ask(packet('qC'))).toEqual(['QC1']);
    const second = await Peer.to(server);
    second.socket.write(packet('qC'));
    await second.closed;
    expect(second.received.length).toBe(0);
    expect(await first.ask(packet('qfThreadInfo'))).toEqual(['m1']);
    expect(log[1]).toMatch(/^gdb client 127\.0\.0\.1:\d+ refused: another one is attached$/);
    first.socket.destroy();
  });

  it('keep their place while they say nothing, from the first moment on, until they leave', async () => {
    const { server, target, log } = await started();
    const refused = async (): Promise<void> => {
      const second = await Peer.to(server);
      second.socket.write(Buffer.concat([packet('qC'), packet('vCont;s'), packet('k')]));
      await second.closed;
      expect(second.received.toString()).toBe('');
    };
    const silent = await Peer.to(server);
    for (let i = 0; i < 3; i++) await refused();
    expect(await silent.ask(packet('vCont;s'))).toHaveLength(1);
    for (let i = 0; i < 3; i++) await refused();
    expect(target.position).toBe(1);
    expect(silent.socket.destroyed).toBe(false);
    expect(log.filter((line) => line.endsWith('refused: another one is attached'))).toHaveLength(6);
    // It has left with its last packet, whether or not it closes its side.
    expect(await silent.ask(packet('D'))).toEqual(['OK']);
    const next = await Peer.to(server);
    expect(await next.ask(packet('qC'))).toEqual(['QC1']);
    next.socket.destroy();
    silent.socket.destroy();
  });

  it('fill no log: beyond 50 lines only their number is kept', async () => {
    const { server, log } = await started();
    const first = await Peer.to(server);
    for (let i = 0; i < 120; i++) await (await Peer.to(server)).closed;
    expect(await first.ask(packet('qC'))).toEqual(['QC1']);
    expect(log.length).toBeLessThanOrEqual(60);
    await server.close();
    const [, hidden = 'NaN'] = /^(\d+) more lines not shown$/.exec(log.at(-1) ?? '') ?? [];
    // One line for each, and one that the first was attached.
    expect(log.length - 1 + Number(hidden)).toBeGreaterThanOrEqual(121);
    running.splice(0);
  });

  it('find the state as the one before them left it, however that one left', async () => {
    const { server, target, log } = await started();
    const leave: ((peer: Peer) => void)[] = [
      (peer) => peer.socket.write(packet('D')),
      (peer) => peer.socket.destroy(),
      (peer) => peer.socket.resetAndDestroy(),
      (peer) => peer.socket.write('$m123'),
    ];
    for (const [i, how] of leave.entries()) {
      const peer = await Peer.to(server);
      await peer.ask(packet('vCont;s'));
      expect(target.position).toBe(i + 1);
      how(peer);
      if (i === 3) peer.socket.end();
      await peer.closed;
      await left(log);
    }
    const last = await Peer.to(server);
    expect((await last.ask(packet('p20')))[0]).toMatch(/^0400/);
    last.socket.destroy();
    expect(log.filter((line) => line.includes('internal'))).toEqual([]);
  });

  it('interrupt a run that would never end; a client that goes away ends it as well', async () => {
    const { server, target, log } = await started();
    const peer = await Peer.to(server);
    await peer.ask(packet('qC'));
    peer.socket.write(packet('vCont;c'));
    while (target.position < 200) await new Promise((resolve) => setImmediate(resolve));
    expect((await peer.ask(Buffer.from([3])))[0]).toMatch(/^T02/);
    peer.socket.write(packet('vCont;c'));
    peer.socket.destroy();
    await left(log);
    const next = await Peer.to(server);
    expect(await next.ask(packet('qC'))).toEqual(['QC1']);
    const at = target.position;
    for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve));
    expect(target.position).toBe(at);
    next.socket.destroy();
  });

  it('that send without ever reading are no longer read from', async () => {
    const { server, log } = await started();
    const peer = await Peer.to(server);
    peer.socket.pause();
    // The answers would be 160 MB, and take 350 MB where they are kept.
    const question = packet('mffff800080100000,1000');
    const flood = Buffer.concat(Array.from({ length: 20_000 }, () => question));
    const before = process.memoryUsage().rss;
    peer.socket.write(flood);
    for (let i = 0; i < 3000; i++) await new Promise((resolve) => setImmediate(resolve));
    expect(process.memoryUsage().rss - before).toBeLessThan(120 << 20);
    peer.socket.destroy();
    await left(log);
    const next = await Peer.to(server);
    expect(await next.ask(packet('qC'))).toEqual(['QC1']);
    next.socket.destroy();
  });

  it('that do not read have no more answers made for them than they could be sent', async () => {
    const { server, target } = await started();
    const asked = vi.spyOn(target, 'monitor');
    const peer = await Peer.to(server);
    peer.socket.pause();
    // Each is answered with 20 KB, and the first 64 KiB that are read hold 2,600 of them.
    const question = packet(`qRcmd,${Buffer.from('long').toString('hex')}`);
    const count = 6000;
    peer.socket.write(Buffer.concat(Array.from({ length: count }, () => question)));
    for (let i = 0; i < 3000; i++) await new Promise((resolve) => setImmediate(resolve));
    // What sockets hold on both sides, and 1 MiB here.
    expect(asked.mock.calls.length).toBeLessThan(1000);
    peer.socket.destroy();
    await peer.closed;
  });

  it('that send garbage do not end the server', async () => {
    const { server, log } = await started();
    const random = randomIntegers(newSeed());
    for (let i = 0; i < 100; i++) {
      const peer = await Peer.to(server);
      const noise = Buffer.from(Array.from({ length: random(2000) }, () => random(256)));
      peer.socket.end(Buffer.concat([Buffer.from('$m'.repeat(random(3))), noise]));
      await peer.closed;
    }
    const last = await Peer.to(server);
    expect(await last.ask(packet('qC'))).toEqual(['QC1']);
    last.socket.destroy();
    expect(log.filter((line) => line.includes('internal'))).toEqual([]);
  });

  it('leave nothing behind, a thousand of them', async () => {
    const { server } = await started();
    const visit = async (count: number): Promise<void> => {
      for (let i = 0; i < count; i++) {
        const peer = await Peer.to(server);
        await peer.ask(Buffer.concat([packet('qSupported:swbreak+'), packet('D')]), 2);
        await peer.closed;
      }
    };
    const handles = (): number => process.getActiveResourcesInfo().length;
    await visit(100);
    const [resources, memory] = [handles(), heap()];
    await visit(1000);
    expect(handles()).toBeLessThanOrEqual(resources + 2);
    // 1,000 sessions that stayed, each with its packet buffer, would be 16 MiB.
    expect(heap() - memory).toBeLessThan(8 << 20);
  });
});

describe('a bounded log', () => {
  it('shows a burst, then a line every five seconds, and says how many are missing', () => {
    const shown: string[] = [];
    const clock = { now: 1000 };
    const log = new BoundedLog(
      (line) => shown.push(line),
      () => clock.now,
    );
    for (let i = 0; i < 70; i++) log.line(`${i}`);
    expect(shown).toEqual(Array.from({ length: 50 }, (_, i) => `${i}`));
    clock.now += 4999;
    log.line('early');
    expect(shown).toHaveLength(50);
    clock.now += 1;
    log.line('in time');
    log.line('again');
    expect(shown.slice(50)).toEqual(['21 more lines not shown', 'in time']);
    log.sayHidden();
    log.sayHidden();
    expect(shown.slice(52)).toEqual(['1 more line not shown']);
    clock.now += 1e9;
    for (let i = 0; i < 70; i++) log.line('x'.repeat(10_000));
    expect(shown).toHaveLength(53 + 50);
    expect(shown.at(-1)).toHaveLength(400);
  });
});

/** Bytes that are still referenced, buffers included. */
function heap(): number {
  collectGarbage();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

/** A full collection, exposed to this process only when it asks. */
function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
}
