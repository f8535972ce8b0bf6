/** Numbers in messages and reports. */

const NUMBERS = new Intl.NumberFormat('en-US');

/** `84,305`. */
export function count(value: number): string {
  return NUMBERS.format(value);
}

/** `1 scenario`, `2 scenarios`. */
export function plural(value: number, noun: string): string {
  return `${count(value)} ${noun}${value === 1 ? '' : 's'}`;
}
