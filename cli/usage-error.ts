/** What the user has to change; the message is one line and ends the program with status 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** A short list of names for an error message, after what is wrong: `; did you mean a, b?`. */
export function didYouMean(names: readonly string[]): string {
  return names.length === 0 ? '' : `; did you mean ${names.join(', ')}?`;
}

/** Any thrown value as one line. */
export function oneLine(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.replace(/\s*\n\s*/g, ' ').trim();
}
