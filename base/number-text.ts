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

/** `a, b, and 3 more`: the first `most` names of a list. */
export function firstNames(names: readonly string[], most: number): string {
  const more = names.length > most ? `, and ${count(names.length - most)} more` : '';
  return names.slice(0, most).join(', ') + more;
}
