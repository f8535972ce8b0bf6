/** Names with `*` for any characters and `?` for one, as the command line takes them. */

/** Whether a name is a pattern. */
export function isPattern(text: string): boolean {
  return text.includes('*');
}

/**
 * Whether a pattern matches the whole of a name. In time proportional to the product of their
 * lengths: a regular expression for it takes exponential time for a pattern of many `*`.
 */
export function matchesPattern(pattern: string, name: string): boolean {
  let at = 0;
  let i = 0;
  /** The last `*`, and where in the name what it stands for ends; a shorter end was tried. */
  let star = -1;
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
