/** What every message must be. */

/** @throws Error when a message is not one clear line */
export function refused(message: string): 'not-read' {
  clear(message);
  if (message.length > 500) throw new Error(`a message of ${message.length} characters`);
  return 'not-read';
}

/** @throws Error when a line shows what no reader was meant to see */
export function clear(line: string): void {
  if (/\n|undefined|NaN|\[object/.test(line)) throw new Error(`unclear: ${line}`);
}
