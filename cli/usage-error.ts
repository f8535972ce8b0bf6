/**
 * Something that the user has to change. The message is one line, and the program ends with status
 * 2.
 */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** Suggestions to append to an error message: `; did you mean a, b?`. Empty without names. */
export function didYouMean(names: readonly string[]): string {
  return names.length === 0 ? '' : `; did you mean ${names.join(', ')}?`;
}

/** Any thrown value as one line. */
export function oneLine(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.replace(/\s*\n\s*/g, ' ').trim();
}
