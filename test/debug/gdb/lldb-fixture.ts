/** A real lldb on a timeline of this process. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import type { Served, Transcript } from './gdb-fixture.js';

const LLDB = 'lldb';

/** Tests without lldb are skipped, and their names say why. */
export const hasLldb = spawnSync(LLDB, ['--version']).status === 0;

const PROMPT = '(lldb) ';

/** Run lldb on a script; it leaves the target as it is then. */
export async function lldb(
  { line, server }: Served,
  commands: readonly string[],
): Promise<Transcript> {
  const { kernel, images } = line.machine;
  const before = [
    `target create ${kernel.elf.path}`,
    ...images.map(({ path }) => `target modules add ${path}`),
    `gdb-remote 127.0.0.1:${server.endpoint.port}`,
  ];
  const words = [...before, ...commands, 'detach'].flatMap((command) => ['-o', command]);
  // Debian's says on standard error that it has no Python, where python3-lldb is not installed.
  const child = spawn(LLDB, ['--no-lldbinit', '--batch', '--no-use-colors', ...words], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  await once(child, 'close');
  const parts = `\n${output}`.split(`\n${PROMPT}`).slice(1 + before.length, -1);
  return {
    text: parts.map((part) => `${PROMPT}${part.trimEnd()}`).join('\n'),
    answers: parts.map((part) => part.slice(part.indexOf('\n') + 1).trim()),
  };
}
