/** Writes to standard output and standard error. */
import type { WorkerDeaths } from '../base/worker-deaths.js';

/**
 * Lines in one write, so that large dumps neither build one huge string nor make a system call for
 * each line.
 */
const LINES_PER_WRITE = 1024;

/** Exit status when the output cannot be written, because then nobody learns the result. */
const NOT_WRITTEN = 2;

/**
 * End the program when its output is lost. A reader that has seen enough (`| head`) ends it
 * quietly, with the exit status set so far. Output that cannot be written (a full disk) ends it
 * with one line on standard error.
 */
export function endOnLostOutput(): void {
  process.stderr.on('error', (error: NodeJS.ErrnoException) => {
    // There is nowhere left to report the reason.
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
 * @param to standard error when a report goes to standard output
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

/** Write all of a text. */
export async function write(text: string, to: NodeJS.WriteStream = process.stdout): Promise<void> {
  await new Promise<void>((resolve) => {
    // Errors go to the stream's own listener, and nothing more is printed then.
    to.write(text, (error) => {
      if (error === undefined || error === null) resolve();
    });
  });
}

/** Print one line on standard error, prefixed with the program's name. */
export function complain(message: string): void {
  process.stderr.write(`kunwind-lab: ${message}\n`);
}

/** Say how many workers died, if any, because results do not show it. */
export function complainOf(deaths: WorkerDeaths): void {
  if (deaths.line !== undefined) complain(deaths.line);
}
