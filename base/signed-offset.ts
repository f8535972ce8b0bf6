/** `+32`, `-32`: an offset that follows a name, in decimal. */
export function signedOffset(offset: number): string {
  return offset < 0 ? `${offset}` : `+${offset}`;
}
