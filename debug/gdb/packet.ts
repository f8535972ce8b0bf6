/**
 * Framing of the GDB remote serial protocol (GDB manual, appendix E.1 "Overview"): `$payload#cc`,
 * where cc is the sum of the payload's bytes modulo 256, in two hexadecimal digits. In a payload,
 * `}` (0x7d) escapes the next byte, which is XORed with 0x20.
 */
import { hexDigit } from './hex.js';

/**
 * Longest payload accepted or sent, in bytes before unescaping, as promised by `PacketSize`. A
 * write of a whole stack (16 KiB) in hexadecimal does not fit, so gdb splits it.
 */
export const MAX_PACKET = 0x4000;

const DOLLAR = 0x24;
const HASH = 0x23;
const STAR = 0x2a;
const ESCAPE = 0x7d;
const ESCAPE_BIT = 0x20;
const CTRL_C = 0x03;

/** What arrived, in the order of the bytes. */
export type PacketEvent =
  /** A whole packet with the right checksum, unescaped. */
  | { readonly kind: 'packet'; readonly payload: Uint8Array }
  | { readonly kind: 'wrong-checksum' }
  | { readonly kind: 'ack' }
  | { readonly kind: 'nak' }
  /** Ctrl-C, outside a packet. */
  | { readonly kind: 'interrupt' }
  /** A packet grew beyond {@link MAX_PACKET} and was dropped. */
  | { readonly kind: 'oversized' }
  /** Bytes outside packets, or a packet cut off by the next one. */
  | { readonly kind: 'junk' };

/** Where the reader is: between packets, in a payload, or in one of the two checksum digits. */
type Place = 'outside' | 'payload' | 'first-digit' | 'second-digit';

/** Finds packets in bytes as they arrive. Its memory is bounded by one packet. */
export class PacketReader {
  private place: Place = 'outside';
  private readonly payload = new Uint8Array(MAX_PACKET);
  private length = 0;
  private sum = 0;
  private given = 0;
  private inJunk = false;

  /** The events in `bytes`, given what came before. */
  *read(bytes: Uint8Array): Generator<PacketEvent> {
    for (const byte of bytes) {
      const event = this.take(byte);
      if (event !== undefined) yield event;
    }
  }

  private take(byte: number): PacketEvent | undefined {
    switch (this.place) {
      case 'outside':
        return this.takeOutside(byte);
      case 'payload':
        return this.takePayload(byte);
      case 'first-digit':
        this.given = hexDigit(byte);
        this.place = 'second-digit';
        return undefined;
      case 'second-digit':
        return this.finish(hexDigit(byte));
    }
  }

  private takeOutside(byte: number): PacketEvent | undefined {
    const wasJunk = this.inJunk;
    this.inJunk = false;
    switch (byte) {
      case DOLLAR:
        this.start();
        return undefined;
      case 0x2b:
        return { kind: 'ack' };
      case 0x2d:
        return { kind: 'nak' };
      case CTRL_C:
        return { kind: 'interrupt' };
      default:
        this.inJunk = true;
        return wasJunk ? undefined : { kind: 'junk' };
    }
  }

  private start(): void {
    this.place = 'payload';
    this.length = 0;
    this.sum = 0;
  }

  private takePayload(byte: number): PacketEvent | undefined {
    if (byte === HASH) {
      this.place = 'first-digit';
      return undefined;
    }
    if (byte === DOLLAR) {
      this.start();
      return { kind: 'junk' };
    }
    if (this.length === MAX_PACKET) {
      this.place = 'outside';
      this.inJunk = true;
      return { kind: 'oversized' };
    }
    this.payload[this.length++] = byte;
    this.sum = (this.sum + byte) & 0xff;
    return undefined;
  }

  private finish(low: number): PacketEvent {
    this.place = 'outside';
    // A character that is not a digit makes the value -1, which no sum equals.
    const given = this.given < 0 || low < 0 ? -1 : 16 * this.given + low;
    if (given !== this.sum) return { kind: 'wrong-checksum' };
    return { kind: 'packet', payload: unescape(this.payload.subarray(0, this.length)) };
  }
}

/** A copy of the bytes without escapes. An escape at the very end is dropped. */
function unescape(raw: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(raw.length);
  let length = 0;
  let escaped = false;
  for (const byte of raw) {
    if (!escaped && byte === ESCAPE) {
      escaped = true;
      continue;
    }
    bytes[length++] = escaped ? byte ^ ESCAPE_BIT : byte;
    escaped = false;
  }
  return bytes.subarray(0, length);
}

/**
 * `$payload#cc` as it is sent: with `#`, `$`, `}` and `*` escaped, and without run-length encoding.
 */
export function framePacket(payload: Uint8Array): Uint8Array {
  const framed = new Uint8Array(2 * payload.length + 4);
  let length = 0;
  let sum = 0;
  framed[length++] = DOLLAR;
  const put = (byte: number): void => {
    framed[length++] = byte;
    sum = (sum + byte) & 0xff;
  };
  for (const byte of payload) {
    if (byte === HASH || byte === DOLLAR || byte === ESCAPE || byte === STAR) {
      put(ESCAPE);
      put(byte ^ ESCAPE_BIT);
    } else {
      put(byte);
    }
  }
  framed[length++] = HASH;
  for (const digit of sum.toString(16).padStart(2, '0')) framed[length++] = digit.charCodeAt(0);
  return framed.subarray(0, length);
}
