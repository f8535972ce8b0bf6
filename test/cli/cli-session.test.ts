/** That a session hides nothing that a process of its own would show. */
import { realpathSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { CliSession } from './cli-session.js';
import { run, scratchFolder } from './run-cli.js';

const folder = scratchFolder();
const program = join(folder.path, 'program.mjs');
writeFileSync(
  program,
  `const programs = {
    none: () => {},
    pid: () => console.log(process.pid),
    environment: (...names) =>
      console.log(JSON.stringify(Object.fromEntries(names.map((name) => [name, process.env[name]])))),
    words: (...words) => console.log(JSON.stringify([words, process.argv.slice(2), process.cwd()])),
    both: () => { console.log('out'); console.error('err'); process.exitCode = 1; },
    late: () => { setTimeout(() => { console.log('late'); process.exitCode = 3; }, 20); },
    exits: () => { console.log('before'); process.exit(2); },
    throws: () => { throw new Error('thrown'); },
    'throws late': () => { setTimeout(() => { throw new Error('thrown late'); }, 20); },
    rejects: () => { void Promise.reject(new Error('rejected')); },
    waits: () => new Promise(() => {}),
    hangs: () => { setInterval(() => {}, 1000); },
    killed: () => process.kill(process.pid, 'SIGKILL'),
    listens: () => {
      for (const emitter of [process, process.stdout, process.stderr]) emitter.on('error', () => {});
      process.once('exit', (code) => console.log('exit', code));
    },
    leaks: () => { for (let i = 0; i < 11; i++) process.on('error', () => {}); },
  };
  export const runProgram = async ([name, ...words]) => programs[name](...words);
  `,
);

const LEAF_AND_CALLS = ['leaf', 'calls'].map((name) => `scenarios/${name}/${name}.elf`);
const session = new CliSession({ program });
const real = new CliSession();
afterAll(() => {
  session.close();
  real.close();
  folder.remove();
});

describe('a session', () => {
  it('runs every command line in one process, until one ends it', async () => {
    const first = await session.run(['pid']);
    expect(first).toMatchObject({ status: 0, stderr: '' });
    expect(first.stdout).toMatch(/^\d+\n$/);
    expect(await session.run(['both'])).toEqual({ status: 1, stdout: 'out\n', stderr: 'err\n' });
    expect(await session.run(['pid'])).toEqual(first);
    expect(await session.run(['exits'])).toEqual({ status: 2, stdout: 'before\n', stderr: '' });
    const next = await session.run(['pid']);
    expect(next.status).toBe(0);
    expect(next.stdout).not.toBe(first.stdout);
  });

  it('gives the words, and the repository to work in', async () => {
    const { stdout } = await session.run(['words', 'a b', '']);
    const words = ['a b', ''];
    const given: unknown = JSON.parse(stdout);
    expect(given).toEqual([words, ['words', ...words], process.cwd()]);
  });

  it('has an environment for one command line', async () => {
    const given = { KUNWIND_TEST: 'a b', HOME: '/elsewhere' };
    const { stdout } = await session.run(['environment', ...Object.keys(given)], given);
    expect(JSON.parse(stdout)).toEqual(given);
    const next = await session.run(['environment', ...Object.keys(given)]);
    const { HOME } = process.env;
    expect(JSON.parse(next.stdout)).toEqual(HOME === undefined ? {} : { HOME });
  });

  it('works in another folder when that is asked for', async () => {
    const elsewhere = new CliSession({ program, folder: folder.path });
    const { stdout } = await elsewhere.run(['words']);
    expect(JSON.parse(stdout)).toEqual([[], ['words'], realpathSync(folder.path)]);
    elsewhere.close();
  });

  it('waits for what a command line does late', async () => {
    expect(await session.run(['late'])).toEqual({ status: 3, stdout: 'late\n', stderr: '' });
    expect(await session.run(['none'])).toEqual({ status: 0, stdout: '', stderr: '' });
  });

  it.each([
    ['throws', 1, /Error: thrown\n {4}at /],
    ['throws late', 1, /Error: thrown late\n {4}at /],
    ['rejects', 1, /Error: rejected\n {4}at /],
    ['killed', null, /^$/],
    ['waits', 13, /^$/],
  ])('shows that a command line %s, and goes on', async (name, status, stderr) => {
    expect(await session.run([name])).toEqual({
      status,
      stdout: '',
      stderr: expect.stringMatching(stderr) as unknown,
    });
    expect(await session.run(['none'])).toEqual({ status: 0, stdout: '', stderr: '' });
  });

  it('takes away listeners, calls those of the end, and warns as a process would', async () => {
    for (let i = 0; i < 12; i++) {
      const ended = await session.run(['listens']);
      expect(ended).toEqual({ status: 0, stdout: 'exit 0\n', stderr: '' });
    }
    expect((await session.run(['leaks'])).stderr).toContain('MaxListenersExceededWarning');
  });

  it('kills a command line that hangs', async () => {
    const impatient = new CliSession({ program, patience: 500 });
    expect(await impatient.run(['hangs'])).toEqual({ status: null, stdout: '', stderr: '' });
    impatient.close();
  });

  it('does not hide that it ended between two command lines', async () => {
    const lost = new CliSession({ program });
    const pid = Number((await lost.run(['pid'])).stdout);
    process.kill(pid, 'SIGKILL');
    await vi.waitFor(() => {
      expect(() => process.kill(pid, 0)).toThrow('ESRCH');
    });
    await expect(lost.run(['none'])).rejects.toThrow('ended by itself: SIGKILL');
    expect(() => {
      lost.close();
    }).toThrow('ended by itself');
  });

  it('runs one command line at a time', async () => {
    const first = session.run(['late']);
    await expect(session.run(['none'])).rejects.toThrow('not waited for');
    expect((await first).status).toBe(3);
  });
});

describe('a process of its own', () => {
  it.each([
    [['swep']],
    [['sweep', '--jobs', '0']],
    [['debug', '--print']],
    [['kunit', 'extra']],
    [['list', '--family', 'x']],
    [['sframe']],
    [['sframe', 'dump']],
    [['sframe', 'verify']],
    [['doctor', '--frobnicate']],
  ])('refuses %j in one line and with status 2, as a session does', async (args) => {
    const ended = run(args);
    expect(ended).toEqual({
      status: 2,
      stdout: '',
      stderr: expect.stringMatching(/^kunwind-lab: [^\n]+\n$/) as unknown,
    });
    expect(await real.run(args)).toEqual(ended);
  });

  it('prints the same, and ends with the same status', async () => {
    for (const args of [['--version'], ['sframe', 'diff', ...LEAF_AND_CALLS]]) {
      expect(await real.run(args)).toEqual(run(args));
    }
  });
});
