/** The command line as a whole: commands, help, and what becomes of errors. */
import yargs from 'yargs';
import { nearestNames } from '../emulator/symbol-names.js';
import { debugCommand } from './debug-command.js';
import { doctorCommand } from './doctor-command.js';
import { kunitCommand } from './kunit-command.js';
import { listCommand } from './list-command.js';
import { complain, endQuietlyOnClosedPipe } from './output.js';
import { packageVersion } from './package-version.js';
import { sframeCommand } from './sframe-command.js';
import { sweepCommand } from './sweep-command.js';
import { didYouMean, oneLine, UsageError } from './usage-error.js';

/** Exit status of wrong usage, unusable input and internal errors. */
const FAILED = 2;

/** Run one command. Sets the exit status; never throws. */
export async function runProgram(words: readonly string[]): Promise<void> {
  endQuietlyOnClosedPipe();
  try {
    await parser(separateArgs(words)).parseAsync();
  } catch (error) {
    process.exitCode = FAILED;
    if (error instanceof UsageError) {
      complain(oneLine(error));
      return;
    }
    complain(`internal error: ${oneLine(error)}`);
    if (process.env['KUNWIND_DEBUG'] === '1' && error instanceof Error) {
      process.stderr.write(`${error.stack ?? ''}\n`);
    }
  }
}

function parser(words: readonly string[]) {
  return (
    yargs([...words])
      .scriptName('kunwind-lab')
      .usage('$0 <command>\n\nAsks arm64 kernel unwinders at every instruction.')
      // Arrays end with their value, so that `--policy P SCENARIO` names a scenario.
      .parserConfiguration({ 'greedy-arrays': false })
      .command(sweepCommand)
      .command(debugCommand)
      .command(kunitCommand)
      .command(listCommand)
      .command(sframeCommand)
      .command(doctorCommand)
      .demandCommand(
        1,
        'no command given; there are sweep, debug, kunit, list, sframe and doctor (see --help)',
      )
      .strict()
      .strictCommands()
      // Messages are recognised below, so they must not depend on the user's language.
      .locale('en')
      .version(packageVersion())
      .alias('help', 'h')
      .wrap(100)
      .exitProcess(false)
      .fail((message: string | null, error: Error | undefined) => {
        throw error ?? new UsageError(usageMessage(message ?? 'wrong usage'));
      })
  );
}

/**
 * `--args` takes every word up to the next `--option`, negative numbers included: each is given an
 * `--args=` of its own.
 */
function separateArgs(words: readonly string[]): string[] {
  const separated: string[] = [];
  let inArgs = false;
  for (const word of words) {
    if (word === '--args') {
      inArgs = true;
    } else if (inArgs && !word.startsWith('--')) {
      separated.push(`--args=${word}`);
    } else {
      inArgs = false;
      separated.push(word);
    }
  }
  return separated;
}

const COMMANDS = [
  ...['sweep', 'debug', 'kunit', 'list', 'sframe', 'doctor'],
  ...['dump', 'stat', 'diff', 'coverage', 'verify'],
];

/** What yargs found, in the words of the other messages. */
function usageMessage(message: string): string {
  const unknown = /^Unknown (command|argument)s?: (.*)$/.exec(message);
  if (unknown === null) return message;
  const [, kind, names = ''] = unknown;
  if (kind === 'argument') {
    const options = names.split(', ').map((name) => (name.length === 1 ? `-${name}` : `--${name}`));
    return `unknown option ${options.join(', ')} (see --help)`;
  }
  return `unknown command '${names}'${didYouMean(nearestNames(names, COMMANDS, 2))}`;
}
