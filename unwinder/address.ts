/**
 * A 64-bit guest address as a signed integer in a JS number, in bytes.
 *
 * Canonical 48-bit virtual addresses are exact: the user half is positive, the kernel half
 * negative. Anything else (garbage, a signed pointer) lies outside +-2^47, so in no stack and no
 * text range.
 */
export type Address = number;

/** The address whose lower and upper 32 bits are `low` and `high` (signed or unsigned). */
export function addressFromWords(low: number, high: number): Address {
  return (high | 0) * 4294967296 + (low >>> 0);
}

/** The address as readelf and the kernel print it: `0xffff800080010008`. For reports only. */
export function formatAddress(address: Address): string {
  return `0x${addressDigits(address)}`;
}

/** The same without the `0x`; at least `width` digits. */
export function addressDigits(address: Address, width = 0): string {
  return BigInt.asUintN(64, BigInt(address)).toString(16).padStart(width, '0');
}
