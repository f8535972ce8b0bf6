/** Checks the values of options that yargs has parsed. */
import { UsageError } from './usage-error.js';

/** An option that was given once, several times (yargs makes an array) or not at all. */
export type OptionText = string | readonly string[] | undefined;

/**
 * The values of an option that may be repeated. Without a value it would select nothing, and a
 * sweep of nothing is always as promised, so that is refused.
 * @throws UsageError
 */
export function values(
  name: string,
  given: readonly string[] | undefined,
): readonly string[] | undefined {
  // The parser turns `--no-json` into false, even if the option is not boolean.
  const parsed: unknown = given;
  if (parsed === false || (Array.isArray(parsed) && parsed.includes(false))) {
    throw new UsageError(`unknown option --no-${name} (see --help)`);
  }
  if (given?.length === 0) throw new UsageError(`--${name} needs a value`);
  return given;
}

/** The value of an option that may be given only once. @throws UsageError */
export function once(name: string, value: OptionText): string | undefined {
  const [only, ...more] = values(name, typeof value === 'string' ? [value] : value) ?? [];
  if (more.length > 0) throw new UsageError(`--${name} is given ${more.length + 1} times`);
  if (only === '') throw new UsageError(`--${name} needs a value`);
  return only;
}

/** An integer from 1 to `most`; undefined when the option is absent. @throws UsageError */
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

/**
 * Names from a closed set, repeated or separated by commas, in the order of the set; undefined when
 * the option is absent.
 * @throws UsageError
 */
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
