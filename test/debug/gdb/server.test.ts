import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, describe, expect, it } from 'vitest';
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
