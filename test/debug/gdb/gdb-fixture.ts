/** A real gdb on a timeline of this process, so that a test can ask both. */
import { spawn, spawnSync } from 'node:child_process';
import { onTestFinished } from 'vitest';
import { packagePath } from '../../../base/package-path.js';
import { Evaluator } from '../../../debug/evaluate.js';
import { GdbMonitor } from '../../../debug/gdb/monitor.js';
import { TimelineTarget } from '../../../debug/gdb/timeline-target.js';
import type { Timeline } from '../../../debug/timeline.js';
import { PLAIN } from '../../../debug/view/text-style.js';
import { GdbServer } from '../../../debug/gdb/server.js';
import { SIGNED_FRAMES } from '../../../debug/gdb/register-table.js';
import { POLICIES } from '../../../unwinder/policies/all.js';
import { must } from '../../cpu-fixture.js';

const GDB = 'gdb-multiarch';

const version = spawnSync(GDB, ['--version'], { encoding: 'utf8' });

/** Tests without gdb are skipped, and their names say why. */
export const hasGdb = version.status === 0;

/** Its major version. */
export const gdbVersion = Number(/ (\d+)\.\d+/.exec(hasGdb ? version.stdout : '')?.[1] ?? NaN);

/** A timeline that gdb can attach to. */
export interface Served {
  readonly line: Timeline;
  readonly evaluator: Evaluator;
  readonly server: GdbServer;
  readonly log: string[];
}

/** Serve a timeline from where it stands, under sframe-strict and interrupts, until the test is over. */
export async function serve(line: Timeline): Promise<Served> {
  const evaluator = new Evaluator(line);
  const style = { paint: PLAIN, width: 100 };
  const monitor = new GdbMonitor(evaluator, POLICIES['sframe-strict'], 0, style);
  const log: string[] = [];
  const server = must(
    await GdbServer.start({
      endpoint: { host: '127.0.0.1', port: 0 },
      allowRemote: false,
      target: new TimelineTarget(line, monitor, line.position),
      log: (text) => log.push(text),
    }),
  );
  onTestFinished(() => server.close());
  return { line, evaluator, server, log };
}

/** What gdb printed for each command. */
export interface Transcript {
  /** As a person would see it: each command after a prompt, and what came of it. */
  readonly text: string;
  /** The output of the command at this index. */
  readonly answers: readonly string[];
}

const MARK = '(gdb) ';

/**
 * Run gdb on a script. @param whileRunning is called again and again until it answers true: then gdb
 * is sent SIGINT, as by Ctrl-C
 */
export async function gdb(
  { line, server }: Served,
  commands: readonly string[],
  whileRunning?: () => boolean,
): Promise<Transcript> {
  const { kernel, images } = line.machine;
  const lines = [
    ...['set pagination off', 'set confirm off', 'set width 0', 'set architecture aarch64'],
    `file ${kernel.elf.path}`,
    ...images.map(({ path }) => `add-symbol-file ${path}`),
    `source ${packagePath(SIGNED_FRAMES)}`,
    `target remote 127.0.0.1:${server.endpoint.port}`,
    ...commands.flatMap((command) => [`echo \\n${MARK}${command}\\n`, command]),
  ];
  // Unlike a script, commands of the command line go on after one that fails.
  const words = lines.flatMap((text) => ['-ex', text]);
  // One pipe for both streams: what monitor commands print goes to standard error.
  const shell = 'exec "$0" "$@" 2>&1';
  const child = spawn('sh', ['-c', shell, GDB, '-nx', '-q', '-batch', ...words]);
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  const end = { closed: false };
  const closed = new Promise<void>((resolve) =>
    child.on('close', () => {
      end.closed = true;
      resolve();
    }),
  );
  if (whileRunning !== undefined) {
    while (!end.closed && !whileRunning()) await new Promise((resolve) => setImmediate(resolve));
    child.kill('SIGINT');
  }
  await closed;
  const [, ...parts] = output.replace(/\n\[Inferior 1 .*detached\]\n$/, '').split(`\n${MARK}`);
  return {
    text: parts.map((part) => `${MARK}${part.trimEnd()}`).join('\n'),
    answers: parts.map((part) => part.slice(part.indexOf('\n') + 1).trim()),
  };
}

/** The position in the answer of `monitor where`. */
export function positionIn(answer: string | undefined): number {
  return Number(/position (\d+)/.exec(answer ?? '')?.[1] ?? NaN);
}

/** The functions whose calls are pending where a timeline stands, innermost first. */
export function callNames({ machine, pc, truth }: Timeline): string[] {
  const { addresses, depth } = truth.current;
  const pending = Array.from(addresses.subarray(0, depth)).reverse();
  return [pc, ...pending].map((address) => machine.symbols.at(address)?.symbol.name ?? '?');
}
