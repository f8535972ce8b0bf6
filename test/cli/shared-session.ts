/** One session for all test files that a test process runs. */
import { CliSession } from './cli-session.js';
import type { Run } from './run-cli.js';

const session = new CliSession();

/**
 * Run a command line to the end, in the repository. Its process has run others: what is about the
 * process is for run() in run-cli.ts.
 * @param extra environment variables
 */
export function runShared(args: readonly string[], extra: NodeJS.ProcessEnv = {}): Promise<Run> {
  return session.run(args, extra);
}

/** The same for a command that has workers, without any: a test of its own shows that nothing depends on them. */
export function runWithOneJob(
  args: readonly string[],
  extra: NodeJS.ProcessEnv = {},
): Promise<Run> {
  return runShared([...args, '--jobs', '1'], extra);
}
