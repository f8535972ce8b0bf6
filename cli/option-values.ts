/** Values of options as yargs gives them, checked. */
import { UsageError } from './usage-error.js';

/** An option that was given once, several times (an array, by yargs) or not at all. */
export type OptionText = string | readonly string[] | undefined;

/**
 * The values of an option that may be repeated. One that is given without any would select nothing,
 * and nothing is always as promised.
 */
export function values(
  name: string,
  given: readonly string[] | undefined,
): readonly string[] | undefined {
  // `--no-json` is false to the parser, whatever it has been told of the type.
  const parsed: unknown = given;
  if (parsed === false || (Array.isArray(parsed) && parsed.includes(false))) {
    throw new UsageError(`unknown option --no-${name} (see --help)`);
  }
  if (given?.length === 0) throw new UsageError(`--${name} needs a value`);
  return given;
}

/** The value of an option that may be given once. */
export function once(name: string, value: OptionText): string | undefined {
  const [only, ...more] = values(name, typeof value === 'string' ? [value] : value) ?? [];
  if (more.length > 0) throw new UsageError(`--${name} is given ${more.length + 1} times`);
  if (only === '') throw new UsageError(`--${name} needs a value`);
  return only;
}

/** A positive integer, at most `most`; undefined when the option is absent. */
export function wholeNumber(
  name: string,
  value: OptionText,
  most = 0x7fffffff,
): number | undefined {
  const text = once(name, value);
  if (text === undefined) return undefined;
  const number = /^\d{1,10}$/.test(text) ? Number(text) : 0;
  if (number >= 1 && number <= most) return number;
  const wanted = most === 2 ? '1 or 2' : 'a positive integer';
  throw new UsageError(`--${name} must be ${wanted}, not '${text}'`);
}

/** Names of a closed set, repeated or separated by commas; undefined when the option is absent. */
export function names<T extends string>(
  option: string,
  given: readonly string[] | undefined,
  valid: readonly T[],
): T[] | undefined {
  const texts = values(option, given);
  if (texts === undefined) return undefined;
  const chosen = new Set<T>();
  for (const text of texts.flatMap((value) => value.split(','))) {
    const known = valid.find((name) => name === text);
    if (known === undefined) {
      throw new UsageError(`unknown ${option} '${text}'; there are ${valid.join(', ')}`);
    }
    chosen.add(known);
  }
  return valid.filter((name) => chosen.has(name));
}
