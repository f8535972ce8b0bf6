/** Names by pattern: `*` any characters, `?` one. */

/** Whether a name matches the whole pattern; every name does without one. */
export function globMatcher(glob: string | undefined): (name: string) => boolean {
  if (glob === undefined) return () => true;
  const escaped = glob.replace(/[.+^${}()|[\]\\]/g, '\\$&');
  // Several stars in a row would make the expression backtrack without end.
  const pattern = new RegExp(`^${escaped.replace(/\*+/g, '.*').replace(/\?/g, '.')}$`, 's');
  return (name) => pattern.test(name);
}
