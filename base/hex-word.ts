/** A 32-bit word as eight hexadecimal digits, lower case, without a prefix: `d503201f`. */
export function hexWord(word: number): string {
  return (word >>> 0).toString(16).padStart(8, '0');
}
