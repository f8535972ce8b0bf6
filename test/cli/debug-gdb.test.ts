/** `kunwind-lab debug --gdb` as a user starts and ends it. */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { start } from './run-cli.js';
import { runShared } from './shared-session.js';

interface Server {
  readonly child: ChildProcess;
  readonly port: number;
  /** Standard output until it listened. */
  readonly greeting: string;
  readonly stderr: () => string;
}

async function serve(...args: string[]): Promise<Server> {
  const child = start(['debug', ...args]);
  let [stdout, stderr] = ['', ''];
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  while (!stdout.includes('Ctrl-C here ends the server\n')) {
    if (child.stdout === null) throw new Error('no output');
    await once(child.stdout, 'data');
  }
  const port = Number(/target remote \S+:(\d+)/.exec(stdout)?.[1] ?? NaN);
  return { child, port, greeting: stdout, stderr: () => stderr };
}

describe('debug --gdb', () => {
  it.each(['SIGINT', 'SIGTERM'] as const)(
    'prints how to attach, and ends on %s',
    async (signal) => {
      const { child, port, greeting, stderr } = await serve('fgraph/leaf', '--gdb', 'localhost:0');
      const lines = greeting.split('\n');
      expect(lines[0]).toBe(
        `fgraph/leaf at fgraph_leaf_entry+0x0/0x1c; gdb server on 127.0.0.1:${port}`,
      );
      expect(lines[1]).toBe(
        '  gdb-multiarch kernel-model/guest/vmlinux -x debug/gdb/signed-frames.py' +
          ` -ex 'add-symbol-file scenarios/fgraph/fgraph.elf' -ex 'target remote 127.0.0.1:${port}'`,
      );
      const client = connect({ host: '127.0.0.1', port });
      client.on('error', () => undefined);
      await once(client, 'connect');
      client.write('$vCont;c#a8');
      await once(client, 'data');
      child.kill(signal);
      const [status] = (await once(child, 'close')) as [number | null];
      expect(status).toBe(0);
      expect(stderr()).toMatch(/^kunwind-lab: gdb client 127\.0\.0\.1:\d+ attached\n/);
      expect(stderr()).not.toContain('    at ');
    },
  );

  it('warns where other machines may connect, when it is told to', async () => {
    const { child, greeting } = await serve(
      'leaf/strlen',
      '--gdb',
      '0.0.0.0:0',
      '--gdb-allow-remote',
    );
    expect(greeting).toContain('gdb server on 0.0.0.0:');
    child.kill('SIGINT');
    await once(child, 'close');
    expect(greeting).toContain('anyone who can reach that port controls the guest');
  });

  it.each([
    [['--gdb', 'x'], /--gdb 'x' is not \[HOST:\]PORT with a port of 0 to 65535/],
    [['--gdb', '65536'], /--gdb '65536' is not/],
    [['--gdb'], /--gdb needs a value/],
    [['--gdb', '1', '--gdb', '2'], /--gdb is given 2 times/],
    [['--gdb', 'no.such.host.invalid:1'], /--gdb: no host 'no\.such\.host\.invalid' to listen on/],
    [
      ['--gdb', '0.0.0.0:0'],
      /refusing to listen on 0\.0\.0\.0, .*controls the guest \(--gdb-allow-remote allows it\)/,
    ],
    [['--gdb-allow-remote', '--print'], /--gdb-allow-remote needs --gdb/],
  ])('%j is refused in one line', async (args, message) => {
    const { status, stdout, stderr } = await runShared(['debug', 'leaf/strlen', ...args]);
    expect(stderr).toMatch(/^kunwind-lab: [^\n]*\n$/);
    expect(stderr).toMatch(message);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
  });

  it('says so when the port is in use', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as { port: number };
    const { status, stderr } = await runShared(['debug', 'leaf/strlen', '--gdb', String(port)]);
    other.close();
    expect(stderr).toBe(
      `kunwind-lab: --gdb: cannot listen on 127.0.0.1:${port}: the port is in use\n`,
    );
    expect(status).toBe(2);
  });
});
