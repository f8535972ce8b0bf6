/**
 * One client's conversation: acknowledgements, and packets one after the other, with runs of the
 * target in between. It is fed with bytes and asked to advance. It does not know sockets, so that a
 * test controls every byte.
 */
import { Commands, type Reply } from './commands.js';
import { framePacket, PacketReader } from './packet.js';
import type { GdbTarget } from './target.js';

/** Most packets that may wait while the target runs. No debugger sends more. */
const MAX_WAITING = 16;
/** Most times that a packet is sent again in a row. */
const MAX_RESENT = 8;

/** Most lines that one client can cause in the log. */
const MAX_LOGGED = 20;

/** Where a session's bytes and notes go. */
export interface SessionOutput {
  send(bytes: Uint8Array): void;
  /** One line for the person who runs the server. */
  log(line: string): void;
}

/** How a session ended. */
export type SessionEnd = 'detached' | 'killed' | 'broken';

/** One client, from its first byte to its last. */
export class GdbSession {
  /** Set when the connection is to be closed. */
  ended: SessionEnd | undefined;
  private readonly reader = new PacketReader();
  private readonly commands: Commands;
  private readonly waiting: Uint8Array[] = [];
  private acknowledging = true;
  private lastSent: Uint8Array | undefined;
  private resent = 0;
  private logged = 0;

  constructor(
    private readonly target: GdbTarget,
    private readonly output: SessionOutput,
  ) {
    this.commands = new Commands(target);
  }

  /** Whether {@link advance} has something to do. */
  get running(): boolean {
    return this.ended === undefined && this.commands.execution.running;
  }

  /** Bytes from the client. */
  receive(bytes: Uint8Array): void {
    for (const event of this.reader.read(bytes)) {
      if (this.ended !== undefined) return;
      switch (event.kind) {
        case 'packet':
          if (this.acknowledging) this.output.send(ACK);
          this.take(event.payload);
          break;
        case 'wrong-checksum':
          this.refuseChecksum();
          break;
        case 'interrupt':
          this.commands.execution.interrupt();
          break;
        case 'ack':
          this.resent = 0;
          break;
        case 'nak':
          this.resend();
          break;
        case 'oversized':
          this.breakOff('a packet is longer than announced; connection closed');
          break;
        case 'junk':
          this.log('bytes outside packets were ignored');
          break;
      }
    }
  }

  /** Run the target for a slice, and answer what was waiting when it has stopped. */
  advance(): void {
    const { execution } = this.commands;
    const stopped = execution.advance();
    if (stopped === undefined) return;
    if (execution.note !== '') this.console(`${execution.note}\n`);
    this.sendText(stopped);
    while (!execution.running && this.ended === undefined) {
      const next = this.waiting.shift();
      if (next === undefined) return;
      this.answer(this.commands.handle(next));
    }
  }

  private take(payload: Uint8Array): void {
    if (!this.commands.execution.running) {
      this.answer(this.commands.handle(payload));
    } else if (leaves(payload)) {
      const reply = this.commands.handle(payload);
      if (reply.kind === 'leave') this.commands.execution.abandon();
      this.answer(reply);
    } else if (this.waiting.length < MAX_WAITING) {
      this.waiting.push(payload);
    } else {
      this.breakOff('too many packets while the target runs; connection closed');
    }
  }

  private answer(reply: Reply): void {
    switch (reply.kind) {
      case 'send':
        for (const text of reply.texts) this.sendText(text);
        break;
      case 'no-ack':
        this.sendText('OK');
        this.acknowledging = false;
        break;
      case 'resumed':
        break;
      case 'leave':
        if (reply.text !== undefined) this.sendText(reply.text);
        if (reply.how === 'killed') this.target.restart();
        this.ended = reply.how;
        break;
    }
  }

  private refuseChecksum(): void {
    this.log('a packet has a wrong checksum');
    // Without acknowledgements we cannot ask for it again, and do not know what it wanted.
    if (this.acknowledging) this.output.send(NAK);
    else this.sendText('E4a');
  }

  private resend(): void {
    if (this.lastSent === undefined || !this.acknowledging) return;
    if (this.resent++ === MAX_RESENT) {
      this.breakOff('the client refuses every packet; connection closed');
      return;
    }
    this.output.send(this.lastSent);
  }

  private breakOff(why: string): void {
    this.log(why);
    this.commands.execution.abandon();
    this.ended = 'broken';
  }

  private log(line: string): void {
    this.logged++;
    if (this.logged <= MAX_LOGGED) this.output.log(line);
    if (this.logged === MAX_LOGGED) this.output.log('further notes about this client are left out');
  }

  /** Text that gdb prints while the target runs. */
  private console(text: string): void {
    this.sendText(`O${Buffer.from(text).toString('hex')}`);
  }

  private sendText(text: string): void {
    this.lastSent = framePacket(Buffer.from(text, 'latin1'));
    this.output.send(this.lastSent);
  }
}

/**
 * Whether a packet ends the session. It must not wait, because the run might never end by itself.
 */
function leaves(payload: Uint8Array): boolean {
  return /^(D|k$|vKill)/.test(Buffer.from(payload.subarray(0, 5)).toString('latin1'));
}

const ACK = Buffer.from('+');
const NAK = Buffer.from('-');
