/** Values of options as yargs gives them, checked. */
import { UsageError } from './usage-error.js';

/** An option that was given once, several times (an array, by yargs) or not at all. */
export type OptionText = string | readonly string[] | undefined;

/** The value of an option that may be given once. */
export function once(name: string, value: OptionText): string | undefined {
  if (value === undefined || typeof value === 'string') {
    if (value === '') throw new UsageError(`--${name} needs a value`);
    return value;
  }
  throw new UsageError(`--${name} is given ${value.length} times`);
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
  if (given === undefined) return undefined;
  const chosen = new Set<T>();
  for (const text of given.flatMap((value) => value.split(','))) {
    const known = valid.find((name) => name === text);
    if (known === undefined) {
      throw new UsageError(`unknown ${option} '${text}'; there are ${valid.join(', ')}`);
    }
    chosen.add(known);
  }
  return valid.filter((name) => chosen.has(name));
}
