/** Checks that messages are clear. */

/** @throws Error when a message is not one clear line of at most 500 characters */
export function refused(message: string): 'not-read' {
  clear(message);
  if (message.length > 500) throw new Error(`a message of ${message.length} characters`);
  return 'not-read';
}

/**
 * @throws Error when a line contains what no reader should see: a line break, undefined, NaN,
 * [object
 */
export function clear(line: string): void {
  if (/\n|undefined|NaN|\[object/.test(line)) throw new Error(`unclear: ${line}`);
}
