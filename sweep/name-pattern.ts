/** Names with `*` for any characters, as the command line takes them. */

/** Whether a name is a pattern. */
export function isPattern(text: string): boolean {
  return text.includes('*');
}

/** What matches a pattern, in full. */
export function patternExpression(pattern: string): RegExp {
  const escaped = pattern.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replace(/\*/g, '.*');
  return new RegExp(`^${escaped}$`);
}
