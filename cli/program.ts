/** The command line as a whole: commands, help, and error handling. */
import yargs, { type Argv } from 'yargs';
import { nearestNames } from '../elf/symbol-names.js';
import { complain, endOnLostOutput } from './output.js';
import { packageVersion } from './package-version.js';
import { didYouMean, oneLine, UsageError } from './usage-error.js';

/** Exit status of wrong usage, unusable input and internal errors. */
const FAILED = 2;

/**
 * The commands, in the order of the help. Each is loaded on demand, because most of the start-up
 * time is loading.
 */
const COMMANDS = new Map<string, (parser: Argv) => Promise<Argv>>([
  ['sweep', async (parser) => parser.command((await import('./sweep-command.js')).sweepCommand)],
  ['debug', async (parser) => parser.command((await import('./debug-command.js')).debugCommand)],
  ['kunit', async (parser) => parser.command((await import('./kunit-command.js')).kunitCommand)],
  ['list', async (parser) => parser.command((await import('./list-command.js')).listCommand)],
  ['sframe', async (parser) => parser.command((await import('./sframe-command.js')).sframeCommand)],
  ['doctor', async (parser) => parser.command((await import('./doctor-command.js')).doctorCommand)],
]);

/** Run one command. Sets the exit status; never throws. */
export async function runProgram(words: readonly string[]): Promise<void> {
  endOnLostOutput();
  try {
    const separated = separateArgs(joinDashes(words));
    await (await withCommands(parser(separated), separated)).parseAsync();
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
      .usage('$0 <command>\n\nChecks arm64 kernel unwinders at every instruction.')
      // An array option takes one value, so that `--policy P SCENARIO` names a scenario.
      .parserConfiguration({ 'greedy-arrays': false })
      .demandCommand(
        1,
        'no command given; there are sweep, debug, kunit, list, sframe and doctor (see --help)',
      )
      .strict()
      .strictCommands()
      // Messages are parsed below, so they must not depend on the user's language.
      .locale('en')
      .version(packageVersion())
      .alias('help', 'h')
      .wrap(100)
      .exitProcess(false)
      .middleware((given) => {
        refuseWordsForSwitches(given, words);
      }, true)
      .fail((message: string | null, error: Error | undefined) => {
        throw error ?? new UsageError(usageMessage(message ?? 'wrong usage', words));
      })
  );
}

/**
 * The parser with the command that was asked for, or with all commands if the first word is not
 * one.
 */
async function withCommands(bare: Argv, [first = '']: readonly string[]): Promise<Argv> {
  const wanted = COMMANDS.get(first);
  if (wanted !== undefined) return wanted(bare);
  let complete = bare;
  for (const add of COMMANDS.values()) complete = await add(complete);
  return complete;
}

/**
 * `--args` takes every word up to the next `--option`, including negative numbers. For the parser,
 * each of them gets an `--args=` of its own.
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

/**
 * Turn `--json -` into `--json=-`, standard output. Otherwise the parser takes the dash for the
 * next option, and finds no value for the one before it.
 */
function joinDashes(words: readonly string[]): string[] {
  const joined: string[] = [];
  for (const word of words) {
    const before = joined.at(-1) ?? '';
    if (word === '-' && before !== '--args' && /^--[^=]+$/.test(before))
      joined[joined.length - 1] = `${before}=-`;
    else joined.push(word);
  }
  return joined;
}

/**
 * Refuse `--brief=yes`, because the parser takes every word except `true` for false.
 * @param given the parsed options; switches are boolean
 * @throws UsageError
 */
function refuseWordsForSwitches(
  given: Readonly<Record<string, unknown>>,
  words: readonly string[],
): void {
  const end = words.indexOf('--');
  for (const word of end < 0 ? words : words.slice(0, end)) {
    const [, option = '', name = '', value = ''] = /^(--?([^=-][^=]*))=(.*)$/s.exec(word) ?? [];
    if (typeof given[name] !== 'boolean' || value === 'true' || value === 'false') continue;
    throw new UsageError(`${option} is on or off: it takes true or false, not '${value}'`);
  }
}

/** Commands that a mistyped one may have meant. */
const COMMAND_NAMES = [...COMMANDS.keys(), 'dump', 'stat', 'diff', 'coverage', 'verify'];

/** An error of yargs, phrased like our other messages. @param words as they were typed */
function usageMessage(message: string, words: readonly string[]): string {
  const unknown = /^Unknown (command|argument)s?: (.*)$/.exec(message);
  if (unknown === null) return message;
  const [, kind, names = ''] = unknown;
  if (kind === 'argument') {
    const options = asTyped(names.split(', '), words).map((name) =>
      name.length === 1 ? `-${name}` : `--${name}`,
    );
    return `unknown option ${options.join(', ')} (see --help)`;
  }
  return `unknown command '${names}'${didYouMean(nearestNames(names, COMMAND_NAMES, 2))}`;
}

/**
 * Each option once, as it was typed: the parser also lists `--so-and-so` as `soAndSo`, and `--no-x`
 * as `x`.
 */
function asTyped(names: readonly string[], words: readonly string[]): string[] {
  const isTyped = (name: string): boolean =>
    words.some((word) => word === `--${name}` || word.startsWith(`--${name}=`));
  const options = names.map((name) => (isTyped(`no-${name}`) ? `no-${name}` : name));
  const spellings = new Map<string, string>();
  for (const option of [...options.filter(isTyped), ...options]) {
    const plain = option.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());
    if (!spellings.has(plain)) spellings.set(plain, option);
  }
  return [...spellings.values()];
}
