/** Writing to standard output and error. */
import type { WorkerDeaths } from '../base/worker-deaths.js';

/** Lines before a write: large dumps neither build one string nor make a system call a line. */
const LINES_PER_WRITE = 1024;

/** Exit status when the output cannot be written: what was found is not known to anybody. */
const NOT_WRITTEN = 2;

/**
 * A reader that has seen enough (`| head`) ends the program quietly, with the status it has. Output
 * that cannot be written (a full disk) ends it with one line on standard error.
 */
export function endOnLostOutput(): void {
  process.stderr.on('error', (error: NodeJS.ErrnoException) => {
    // There is nowhere left to say why.
    process.exit(error.code === 'EPIPE' ? undefined : NOT_WRITTEN);
  });
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit();
    const reason = error.code === 'ENOSPC' ? 'no space left' : error.message;
    complain(`cannot write the output: ${reason}`);
    process.exit(NOT_WRITTEN);
  });
}

/**
 * Print lines, as fast as the reader takes them.
 * @param to standard error where standard output is a report's
 */
export async function print(
  lines: Iterable<string>,
  to: NodeJS.WriteStream = process.stdout,
): Promise<void> {
  let pending: string[] = [];
  for (const line of lines) {
    pending.push(line);
    if (pending.length < LINES_PER_WRITE) continue;
    await write(`${pending.join('\n')}\n`, to);
    pending = [];
  }
  if (pending.length > 0) await write(`${pending.join('\n')}\n`, to);
}

/** Write a text to the end. */
export async function write(text: string, to: NodeJS.WriteStream = process.stdout): Promise<void> {
  await new Promise<void>((resolve) => {
    // Errors arrive at the stream's own listener; nothing further is printed then.
    to.write(text, (error) => {
      if (error === undefined || error === null) resolve();
    });
  });
}

/** One line on standard error, in the program's name. */
export function complain(message: string): void {
  process.stderr.write(`kunwind-lab: ${message}\n`);
}

/** Say how many workers died, if any: results do not show it. */
export function complainOf(deaths: WorkerDeaths): void {
  if (deaths.line !== undefined) complain(deaths.line);
}
