/** `debug --gdb`: serves one timeline to gdb until Ctrl-C. */
import { relative } from 'node:path';
import type { Evaluator } from '../debug/evaluate.js';
import { GdbMonitor } from '../debug/gdb/monitor.js';
import { TimelineTarget } from '../debug/gdb/timeline-target.js';
import { type Endpoint, formatEndpoint } from '../debug/gdb/endpoint.js';
import { PLAIN } from '../debug/view/text-style.js';
import { SIGNED_FRAMES } from '../debug/gdb/register-table.js';
import { describeServerError, GdbServer } from '../debug/gdb/server.js';
import { STUB_ELF } from '../kernel-model/walk-stub.js';
import { packagePath } from '../base/package-path.js';
import type { Policy } from '../unwinder/policy.js';
import { complain, print } from './output.js';
import { UsageError } from './usage-error.js';

/** Width of what `monitor` prints, in columns. */
const WIDTH = 100;

/** What to serve. */
export interface Served {
  readonly evaluator: Evaluator;
  readonly policy: Policy;
  /** Index in `KIND_NAMES`. */
  readonly kind: number;
  /** Where the greeting goes. */
  readonly text: NodeJS.WriteStream;
}

/** Serve until SIGINT or SIGTERM. @throws UsageError when there is nowhere to listen */
export async function serveGdb(
  endpoint: Endpoint,
  allowRemote: boolean,
  { evaluator, policy, kind, text }: Served,
): Promise<void> {
  const { line } = evaluator;
  const monitor = new GdbMonitor(evaluator, policy, kind, { paint: PLAIN, width: WIDTH });
  const target = new TimelineTarget(line, monitor, line.position);
  const started = await GdbServer.start({ endpoint, allowRemote, target, log: complain });
  if (!started.ok) {
    const hint = started.error.kind === 'not-loopback' ? ' (--gdb-allow-remote allows it)' : '';
    throw new UsageError(`--gdb: ${describeServerError(started.error)}${hint}`);
  }
  const ended = endOfSession();
  await print(greeting(evaluator, started.value.endpoint, allowRemote), text);
  await ended;
  await started.value.close();
}

async function endOfSession(): Promise<void> {
  await new Promise<void>((resolve) => {
    const end = (): void => {
      process.off('SIGINT', end).off('SIGTERM', end);
      resolve();
    };
    process.on('SIGINT', end).on('SIGTERM', end);
  });
}

/**
 * The gdb command to type. The kernel is gdb's program; the code under test is an additional symbol
 * file.
 */
function greeting({ line }: Evaluator, endpoint: Endpoint, allowRemote: boolean): string[] {
  const { kernel, images, symbols } = line.machine;
  // The stub that is linked beside every kernel matters only to a real kernel, whose code it calls.
  const isStub = (path: string): boolean => path === packagePath(STUB_ELF);
  const under = images
    .map(({ path }) => path)
    .filter((path) => kernel.unbooted !== undefined || !isStub(path));
  const words = ['gdb-multiarch', kernel.elf.path, packagePath(SIGNED_FRAMES), ...under];
  const [program = '', file = '', script = '', ...more] = words.map((path) =>
    quoted(shortest(path)),
  );
  const commands = [
    `-x ${script}`,
    ...more.map((path) => `-ex 'add-symbol-file ${path}'`),
    `-ex 'target remote ${formatEndpoint(endpoint)}'`,
  ];
  const lines = [
    `${line.scenario.name} at ${symbols.format(line.pc)}; gdb server on ${formatEndpoint(endpoint)}`,
    `  ${[program, file, ...commands].join(' ')}`,
    '  in gdb, `monitor help` lists what the unwinder can be asked; Ctrl-C here ends the server',
  ];
  if ([file, ...more].some((path) => /\.(gz|xz|zst)"?$/.test(path))) {
    lines.push('  gdb does not read compressed files: decompress this one to get its symbols');
  }
  if (allowRemote) lines.push('  anyone who can reach that port controls the guest');
  return lines;
}

/** The shorter of a path and its form relative to the current directory. */
function shortest(path: string): string {
  const here = relative(process.cwd(), path);
  return path.startsWith('/') && here.length < path.length ? here : path;
}

/** A path quoted so that both a shell and gdb accept it. */
function quoted(path: string): string {
  return /^[\w./+-]+$/.test(path) ? path : `"${path}"`;
}
