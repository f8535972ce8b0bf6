/**
 * A 64-bit guest address as a signed integer in a Number.
 *
 * Kernel addresses (upper half) are negative. Every canonical 48-bit and 52-bit virtual
 * address is exact (Arm ARM D8.1.6). A value outside +-2^53 is not an address: it may be rounded,
 * but never onto a canonical one.
 */
export type Address = number;

const TWO_32 = 4294967296;

/** The address whose lower and upper 32 bits are `low` and `high` (signed or unsigned). */
export function addressFromWords(low: number, high: number): Address {
  return (high | 0) * TWO_32 + (low >>> 0);
}

/** Bits 31:0 of an address, unsigned. */
export function lowWord(address: Address): number {
  return address >>> 0;
}

/** Bits 63:32 of an address, signed. */
export function highWord(address: Address): number {
  return Math.floor(address / TWO_32) | 0;
}

/** The address in the low 64 bits of `value`. BigInt is slow: not for the hot path. */
export function addressFromBigInt(value: bigint): Address {
  return Number(BigInt.asIntN(64, value));
}

/** `address` as the unsigned 64-bit value that engines and file formats use. */
export function addressToBigInt(address: Address): bigint {
  return BigInt.asUintN(64, BigInt(address));
}

/** Lower-case hexadecimal without a prefix, as the kernel prints it: `ffff800080010000`. */
export function hexAddress(address: Address): string {
  return addressToBigInt(address).toString(16).padStart(16, '0');
}

/** Hexadecimal as reports print it: `0xffff800080010000`. Not for the hot path. */
export function formatAddress(address: Address): string {
  return `0x${addressToBigInt(address).toString(16)}`;
}

/**
 * Parses up to 16 hexadecimal digits, with or without `0x`. Undefined when `text` is anything else,
 * or when an {@link Address} cannot hold the value exactly.
 */
export function parseAddress(text: string): Address | undefined {
  if (!/^(0x)?[0-9a-f]{1,16}$/i.test(text)) return undefined;
  const address = addressFromBigInt(BigInt(`0x${text.replace(/^0x/i, '')}`));
  return Number.isSafeInteger(address) ? address : undefined;
}
