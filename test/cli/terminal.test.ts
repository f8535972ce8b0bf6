import { spawnSync } from 'node:child_process';
import { closeSync, existsSync, openSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { SweepReport } from '../../sweep/report.js';
import { environment, MAIN, ROOT, run, scratchFolder, start } from './run-cli.js';

const folder = scratchFolder();
afterAll(() => {
  folder.remove();
});

/**
 * Runs a command on a pseudo-terminal of 100 columns, types Ctrl-C when its second argument has
 * appeared, and prints the exit status and then everything that the terminal was sent.
 */
const ON_TERMINAL = `
import fcntl, os, pty, struct, sys, termios
interrupt_after = sys.argv[1].encode()
pid, fd = pty.fork()
if pid == 0:
    fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack('HHHH', 40, 100, 0, 0))
    os.execvp(sys.argv[2], sys.argv[2:])
output = b''
while True:
    try:
        data = os.read(fd, 65536)
    except OSError:
        break
    if not data:
        break
    output += data
    if interrupt_after and interrupt_after in output:
        os.write(fd, b'\\x03')
        interrupt_after = b''
status = os.waitpid(pid, 0)[1]
sys.stdout.buffer.write(str(os.WEXITSTATUS(status)).encode() + b'\\n' + output)
`;

function onTerminal(interruptAfter: string, args: readonly string[]) {
  const { stdout, stderr } = spawnSync(
    'python3',
    ['-c', ON_TERMINAL, interruptAfter, process.execPath, MAIN, ...args],
    { cwd: ROOT, encoding: 'utf8', env: environment({ TERM: 'xterm' }) },
  );
  const end = stdout.indexOf('\n');
  return { status: Number(stdout.slice(0, end)), screen: stdout.slice(end + 1), stderr };
}

const hasPty = spawnSync('python3', ['-c', 'import pty']).status === 0;
const HIDE_CURSOR = '\u001b[?25l';
const SHOW_CURSOR = '\u001b[?25h';

describe.skipIf(!hasPty)('on a terminal (needs python3)', () => {
  it('draws a bar with rate and ETA, clears it, and uses colours', () => {
    const { status, screen } = onTerminal('', ['sweep', 'calls/pac', 'calls/recursion']);
    expect(status).toBe(0);
    expect(screen).toMatch(/[█░]{20} \d+% {2}[\d,]+ points {2}[\d,]+\/s {2}ETA \d+s {2}calls\//);
    expect(screen.indexOf(SHOW_CURSOR)).toBeGreaterThan(screen.indexOf(HIDE_CURSOR));
    expect(screen).toContain('\u001b[32mall as promised\u001b[39m');
    expect(screen).toMatch(/measuring 2 scenarios {2}[█░]{20} \d+%/);
    expect(screen.slice(screen.lastIndexOf(SHOW_CURSOR))).not.toMatch(/ETA|measuring/);
  });

  it('answers Ctrl-C with what there is, one line and a visible cursor', () => {
    const path = join(folder.path, 'terminal.json');
    const { status, screen } = onTerminal('ETA', ['sweep', 'leaf', '--json', path]);
    expect(status).toBe(130);
    expect(screen).toMatch(
      /kunwind-lab: interrupted after [\d,]+ points?: this is partial, and so is the report\r\n$/,
    );
    expect(screen).not.toContain('all as promised');
    expect(screen.lastIndexOf(SHOW_CURSOR)).toBeGreaterThan(screen.lastIndexOf(HIDE_CURSOR));
    expect(JSON.parse(readFileSync(path, 'utf8'))).toHaveProperty('partial');
    rmSync(path);
  });
});

/** Children of a process, where there is /proc. */
function childrenOf(pid: number): number[] {
  const path = `/proc/${pid}/task/${pid}/children`;
  if (!existsSync(path)) return [];
  return readFileSync(path, 'utf8').trim().split(' ').filter(Boolean).map(Number);
}

function isRunning(pid: number): boolean {
  const path = `/proc/${pid}/stat`;
  return existsSync(path) && !/\) [ZX] /.test(readFileSync(path, 'utf8'));
}

it.each(['SIGINT', 'SIGTERM'] as const)(
  '%s ends the sweep and its workers; what there is is reported, as a part',
  async (signal) => {
    const json = join(folder.path, 'report.json');
    const child = start(['sweep', 'leaf', '--jobs', '2', '--json', json]);
    let stderr = '';
    let workers: number[] = [];
    let stdout = '';
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
    });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
      // The first progress line: workers are busy.
      if (workers.length > 0 || !/^ *\d+% /m.test(stderr)) return;
      workers = childrenOf(child.pid ?? 0);
      child.kill(signal);
    });
    const status = await new Promise<number | null>((resolve) => child.on('close', resolve));
    expect(status).toBe(signal === 'SIGINT' ? 130 : 143);
    expect(stderr).toMatch(
      /\nkunwind-lab: interrupted after [\d,]+ points: this is partial, and so is the report\n$/,
    );
    expect(stdout).toMatch(/: partial, of about [\d,]+ points, nothing unexpected so far\n$/);
    expect(stdout).not.toContain('all as promised');
    expect(workers.filter(isRunning)).toEqual([]);
    const { partial, points, scenarios } = JSON.parse(readFileSync(json, 'utf8')) as SweepReport;
    expect(partial?.done).toBeGreaterThan(0);
    expect(partial?.total).toBeGreaterThan(partial?.done ?? Infinity);
    expect(points).toBeGreaterThan(0);
    const marked = scenarios.filter((scenario) => scenario.partial === true);
    expect(marked.length).toBeGreaterThan(0);
    for (const { unmet } of marked) expect(unmet).toEqual([]);
    expect(readdirSync(folder.path)).toEqual(['report.json']);
    rmSync(json);
  },
);

it.skipIf(!existsSync('/proc/self/task'))(
  'a worker that is killed costs nothing, and one line says that it happened',
  async () => {
    const args = ['sweep', 'leaf', '--policy', 'sframe-strict', '--json', '-'];
    const child = start([...args, '--jobs', '2']);
    let [stdout, stderr] = ['', ''];
    let victim: number | undefined;
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
    });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
      if (victim !== undefined || !/^ *\d+% /m.test(stderr)) return;
      victim = childrenOf(child.pid ?? 0)[0];
      if (victim !== undefined) process.kill(victim, 'SIGKILL');
    });
    const status = await new Promise<number | null>((resolve) => child.on('close', resolve));
    expect(status).toBe(0);
    expect(stderr).toMatch(
      /\nkunwind-lab: 1 worker process died and was replaced: signal SIGKILL\n/,
    );
    const whole = run([...args, '--jobs', '1', '--no-progress']);
    expect(whole.stderr).not.toContain('died');
    const reportOf = (json: string): unknown => {
      const { seconds, pointsPerSecond, jobs, ...rest } = JSON.parse(json) as SweepReport;
      return [rest, typeof seconds, typeof pointsPerSecond, typeof jobs];
    };
    expect(reportOf(stdout)).toEqual(reportOf(whole.stdout));
  },
);

it.each([
  ['list --json', ''],
  ['sframe dump scenarios/calls/calls.elf', ''],
])('%s ends quietly when its reader has seen enough', (command) => {
  const script = `"$0" "$1" ${command} | head -c 20; echo " \${PIPESTATUS[0]}"`;
  const { stdout, stderr } = spawnSync('bash', ['-c', script, process.execPath, MAIN], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  expect(stderr).toBe('');
  expect(stdout.slice(20)).toBe(' 0\n');
});

it.skipIf(!existsSync('/dev/full')).each([['list'], ['kunit', '--case', 'nounwind']])(
  '%s says in one line that its output cannot be written, and ends with 2',
  (...args) => {
    const full = openSync('/dev/full', 'w');
    const { status, stderr } = spawnSync(process.execPath, [MAIN, ...args], {
      cwd: ROOT,
      encoding: 'utf8',
      stdio: ['ignore', full, 'pipe'],
    });
    closeSync(full);
    expect(stderr).toBe('kunwind-lab: cannot write the output: no space left\n');
    expect(status).toBe(2);
  },
);
