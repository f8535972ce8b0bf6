/** The other end of the protocol, for tests: written from the GDB manual, sharing no line with the stub. */
import { GdbSession } from '../../../debug/gdb/session.js';
import type { GdbTarget } from '../../../debug/gdb/target.js';

/** `$payload#cc`; bytes of the text are Latin-1. */
export function packet(payload: string, checksum?: string): Buffer {
  const bytes = Buffer.from(payload, 'latin1');
  const sum = bytes.reduce((all, byte) => (all + byte) % 256, 0);
  const digits = checksum ?? sum.toString(16).padStart(2, '0');
  return Buffer.concat([Buffer.from('$'), bytes, Buffer.from(`#${digits}`)]);
}

/** The payloads in what a stub sent; throws where a checksum is wrong. */
export function payloads(sent: Buffer): string[] {
  const text = sent.toString('latin1');
  return [...text.matchAll(/\$([^#]*)#([0-9a-f]{2})/g)].map(([whole, raw = '']) => {
    if (packet(raw).toString('latin1') !== whole) throw new Error(`bad checksum: ${whole}`);
    return raw.replace(/\}([^])/g, (_, byte: string) =>
      String.fromCharCode(byte.charCodeAt(0) ^ 0x20),
    );
  });
}

/** A session without a socket. */
export class Talk {
  readonly session: GdbSession;
  readonly log: string[] = [];
  private sent: Buffer[] = [];

  constructor(readonly target: GdbTarget) {
    this.session = new GdbSession(target, {
      send: (bytes) => this.sent.push(Buffer.from(bytes)),
      log: (line) => this.log.push(line),
    });
  }

  /** Everything sent since the last call. */
  take(): Buffer {
    const sent = Buffer.concat(this.sent);
    this.sent = [];
    return sent;
  }

  /** Send bytes and let the target run until it stops; the answer as text. */
  raw(bytes: Buffer | string): string {
    this.session.receive(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes);
    while (this.session.running) this.session.advance();
    return this.take().toString('latin1');
  }

  /** The answers to one packet. */
  askAll(payload: string): string[] {
    return payloads(Buffer.from(this.raw(packet(payload)), 'latin1'));
  }

  /** The one answer to one packet. */
  ask(payload: string): string {
    const answers = this.askAll(payload);
    if (answers.length !== 1) throw new Error(`${answers.length} answers to ${payload}`);
    return answers[0] as string;
  }
}

/** A 64-bit value in the target's byte order. */
export function little64(value: bigint): string {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt.asUintN(64, value));
  return bytes.toString('hex');
}
