/** Name patterns of the command line: `*` matches any characters, `?` matches one. */

/** Whether a command-line name is a pattern: it has a `*`. */
export function isPattern(text: string): boolean {
  return text.includes('*');
}

/**
 * Whether a pattern matches the whole of a name. A regular expression would take exponential time
 * for a pattern with many `*`; this takes time proportional to the product of the two lengths.
 */
export function matchesPattern(pattern: string, name: string): boolean {
  let at = 0;
  let i = 0;
  /** Index of the last `*` seen, or -1. */
  let star = -1;
  /** Where the text that this `*` matches ends in the name; shorter matches have been tried. */
  let end = 0;
  while (i < name.length) {
    const wanted = pattern[at];
    if (wanted === '*') {
      star = at++;
      end = i;
    } else if (wanted === '?' || wanted === name[i]) {
      at++;
      i++;
    } else if (star >= 0) {
      at = star + 1;
      i = ++end;
    } else {
      return false;
    }
  }
  while (pattern[at] === '*') at++;
  return at === pattern.length;
}
