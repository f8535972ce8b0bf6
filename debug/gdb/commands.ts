/**
 * The packets of the GDB remote serial protocol that query, change or resume (GDB manual, appendix
 * E.2 "Packets" and E.4 "General Query Packets"), for one all-stop target with one thread, number
 * 1. An unknown packet gets the empty reply that the protocol requires.
 */
import { type Address, addressFromBigInt } from '../../base/address.js';
import { Reg } from '../../emulator/registers.js';
import { Breakpoints, PointType } from './breakpoints.js';
import { type ClientFeatures, Execution } from './execution.js';
import { fixedAnswer, SUPPORTED } from './fixed-answers.js';
import { fromHex, parseHex32, parseHex64, toHex } from './hex.js';
import { MAX_PACKET } from './packet.js';
import {
  ALL_REGISTER_BYTES,
  GDB_REGISTERS,
  readGdbRegister,
  targetDescription,
  writeGdbRegister,
} from './register-table.js';
import type { GdbTarget } from './target.js';
import { actionOfTheThread, namesTheThread } from './thread-id.js';

/** What to do in reply to a packet. */
export type Reply =
  | { readonly kind: 'send'; readonly texts: readonly string[] }
  /** Send OK, and no acknowledgements from then on. */
  | { readonly kind: 'no-ack' }
  /** The target runs, and the reply comes when it stops. */
  | { readonly kind: 'resumed' }
  /** The client leaves. The reply, if any, is the last thing sent. */
  | { readonly kind: 'leave'; readonly text?: string; readonly how: 'detached' | 'killed' };

/** Malformed or out of range; EINVAL. */
const MALFORMED = 'E16';
/** Nothing is mapped there; EFAULT. */
const NOT_MAPPED = 'E0e';
/** Cannot be changed; EPERM. */
const REFUSED = 'E01';
const TOO_MANY = 'E1c';

/** Most bytes of memory in one reply, which takes two hexadecimal digits for each. */
const MAX_READ = MAX_PACKET / 2 - 8;
/** Bytes of a `monitor` command's output in one packet. */
const CONSOLE_CHUNK = 2048;
/** Most bytes of a command's output altogether. */
const MAX_CONSOLE = 1 << 18;
/** Longest watched range, in bytes. */
const MAX_WATCHED = 1 << 20;

const send = (text: string): Reply => ({ kind: 'send', texts: [text] });
const RESUMED: Reply = { kind: 'resumed' };

/** Answers the packets of one client. */
export class Commands {
  readonly execution: Execution;
  private readonly breakpoints = new Breakpoints();
  private readonly features: ClientFeatures = { swbreak: false, hwbreak: false };
  private readonly description = targetDescription();

  constructor(private readonly target: GdbTarget) {
    this.execution = new Execution(target, this.breakpoints, this.features);
  }

  /** Answer a packet, whatever it is. */
  handle(payload: Uint8Array): Reply {
    const text = Buffer.from(payload).toString('latin1');
    const rest = text.slice(1);
    switch (text.charAt(0)) {
      case '?':
        return send(this.execution.status());
      case 'g':
        return send(this.readAll());
      case 'G':
        return send(this.writeAll(rest));
      case 'p':
        return send(this.readOne(rest));
      case 'P':
        return send(this.writeOne(rest));
      case 'm':
        return send(this.readMemory(rest));
      case 'M':
        return send(this.writeMemory(rest, (data) => fromHex(data)));
      case 'X':
        return send(this.writeMemory(rest, (data) => Buffer.from(data, 'latin1')));
      case 'c':
      case 's':
        return this.resumeAt(rest, text.charAt(0) === 's');
      case 'C':
      case 'S':
        return this.resumeWithSignal(rest, text.charAt(0) === 'S');
      case 'b':
        return this.reverse(text);
      case 'Z':
      case 'z':
        return send(this.point(text.charAt(0) === 'Z', rest));
      case 'H':
        return send(
          /^[gc]/.test(rest) && namesTheThread(rest.slice(1)) === true ? 'OK' : MALFORMED,
        );
      case 'T':
        return send(
          { true: 'OK', false: REFUSED, undefined: MALFORMED }[`${namesTheThread(rest)}`],
        );
      case 'D':
        return this.leave(rest, 'detached');
      case 'k':
        return { kind: 'leave', how: 'killed' };
      case 'q':
      case 'Q':
        return this.query(text);
      case 'v':
        return this.verbose(text);
      default:
        return send('');
    }
  }

  private readAll(): string {
    return GDB_REGISTERS.map((_, number) => this.registerText(number)).join('');
  }

  private registerText(number: number): string {
    const register = GDB_REGISTERS[number];
    if (register === undefined) return MALFORMED;
    return toHex(readGdbRegister(this.target, register));
  }

  /** As in QEMU and gdbserver, registers that cannot be stored are silently left as they are. */
  private writeAll(digits: string): string {
    const bytes = fromHex(digits);
    if (bytes?.length !== ALL_REGISTER_BYTES) return MALFORMED;
    let at = 0;
    for (const register of GDB_REGISTERS) {
      writeGdbRegister(this.target, register, bytes.subarray(at, at + register.size));
      at += register.size;
    }
    return 'OK';
  }

  private readOne(digits: string): string {
    return this.registerText(parseHex32(digits) ?? -1);
  }

  private writeOne(text: string): string {
    const [number = '', digits = ''] = text.split('=');
    const register = GDB_REGISTERS[parseHex32(number) ?? -1];
    const bytes = fromHex(digits);
    if (register === undefined || bytes?.length !== register.size) return MALFORMED;
    return writeGdbRegister(this.target, register, bytes) ? 'OK' : REFUSED;
  }

  private readMemory(text: string): string {
    const range = parseRange(text);
    if (range === undefined) return MALFORMED;
    if (range.length === 0) return '';
    const bytes = this.target.readMemory(range.address, Math.min(range.length, MAX_READ));
    return bytes === undefined ? NOT_MAPPED : toHex(bytes);
  }

  private writeMemory(text: string, decode: (data: string) => Uint8Array | undefined): string {
    const colon = text.indexOf(':');
    const range = colon < 0 ? undefined : parseRange(text.slice(0, colon));
    const bytes = decode(text.slice(colon + 1));
    if (range === undefined || bytes?.length !== range.length) return MALFORMED;
    // gdb sends an empty write to ask whether X is supported.
    if (range.length === 0) return 'OK';
    return this.target.writeMemory(range.address, bytes) ? 'OK' : NOT_MAPPED;
  }

  /** @param digits where to resume; empty: at the PC */
  private resumeAt(digits: string, single: boolean): Reply {
    if (digits !== '') {
      const pc = parseHex64(digits);
      if (pc === undefined) return send(MALFORMED);
      const low = Number(pc & 0xffffffffn);
      if (!this.target.writeRegister(Reg.PC, low, Number(pc >> 32n))) return send(REFUSED);
    }
    this.execution.resume('forward', single);
    return RESUMED;
  }

  /** `signal;address`. The signal is ignored, because nothing here could take it. */
  private resumeWithSignal(text: string, single: boolean): Reply {
    const match = /^[0-9a-f]{2}(?:;(.+))?$/i.exec(text);
    return match === null ? send(MALFORMED) : this.resumeAt(match[1] ?? '', single);
  }

  private reverse(text: string): Reply {
    if (text !== 'bc' && text !== 'bs') return send('');
    this.execution.resume('backward', text === 'bs');
    return RESUMED;
  }

  /** `Z type,address,kind`; conditions and commands after `;` are evaluated by gdb itself. */
  private point(set: boolean, text: string): string {
    const [typeText = '', ...rest] = text.split(',');
    const type = /^[0-9]$/.test(typeText) ? Number(typeText) : -1;
    if (type < PointType.SOFTWARE || type > PointType.ACCESS) return '';
    const range = parseRange((rest.join(',').split(';')[0] ?? '').trim());
    if (range === undefined || range.length > MAX_WATCHED) return MALFORMED;
    const { address, length } = range;
    if (!set) this.breakpoints.remove(type, address, length);
    else if (!this.breakpoints.add(type, address, length)) return TOO_MANY;
    return 'OK';
  }

  private query(text: string): Reply {
    const name = /^[A-Za-z]*/.exec(text)?.[0] ?? '';
    const rest = text.slice(name.length);
    const fixed = fixedAnswer(name);
    if (fixed !== undefined) return send(fixed);
    switch (name) {
      case 'qSupported':
        this.features.swbreak = /[:;]swbreak\+/.test(rest);
        this.features.hwbreak = /[:;]hwbreak\+/.test(rest);
        return send(SUPPORTED);
      case 'QStartNoAckMode':
        return { kind: 'no-ack' };
      case 'qXfer':
        return send(this.transfer(rest));
      case 'qRcmd':
        return this.monitor(rest);
      default:
        return send('');
    }
  }

  private transfer(text: string): string {
    const match = /^:features:read:([^:]*):([0-9a-f]{1,8}),([0-9a-f]{1,8})$/i.exec(text);
    if (match === null) return text.startsWith(':features:read:') ? MALFORMED : '';
    const [, annex = '', offsetText = '', lengthText = ''] = match;
    if (annex !== 'target.xml') return 'E00';
    const offset = parseInt(offsetText, 16);
    const length = Math.min(parseInt(lengthText, 16), MAX_READ);
    if (offset > this.description.length) return MALFORMED;
    const part = this.description.slice(offset, offset + length);
    return `${offset + part.length < this.description.length ? 'm' : 'l'}${part}`;
  }

  private monitor(text: string): Reply {
    const bytes = text.startsWith(',') ? fromHex(text.slice(1)) : undefined;
    if (bytes === undefined) return send(MALFORMED);
    const output = Buffer.from(this.target.monitor(Buffer.from(bytes).toString('utf8')));
    const texts: string[] = [];
    const end = Math.min(output.length, MAX_CONSOLE);
    for (let at = 0; at < end; at += CONSOLE_CHUNK) {
      texts.push(`O${toHex(output.subarray(at, Math.min(at + CONSOLE_CHUNK, end)))}`);
    }
    return { kind: 'send', texts: [...texts, 'OK'] };
  }

  private verbose(text: string): Reply {
    if (text === 'vCont?') return send('vCont;c;C;s;S');
    if (/^vKill(;|$)/.test(text)) return this.leave(text.slice('vKill'.length), 'killed');
    if (!text.startsWith('vCont;')) return send('');
    const action = actionOfTheThread(text.slice('vCont;'.length));
    if (action === undefined) return send(MALFORMED);
    this.execution.resume('forward', /^s/i.test(action));
    return RESUMED;
  }

  /** @param text empty, or `;PID`, which gdb makes up without the multiprocess extension */
  private leave(text: string, how: 'detached' | 'killed'): Reply {
    if (!/^(;[0-9a-f]+)?$/i.test(text)) return send(MALFORMED);
    return { kind: 'leave', text: 'OK', how };
  }
}

/** `address,length` in hexadecimal. */
function parseRange(text: string): { address: Address; length: number } | undefined {
  const [addressText = '', lengthText = '', ...more] = text.split(',');
  const value = parseHex64(addressText);
  const length = parseHex32(lengthText);
  if (more.length > 0 || value === undefined || length === undefined) return undefined;
  const address = addressFromBigInt(value);
  // Nothing can be mapped at an address that a number does not represent exactly.
  return Number.isSafeInteger(address) ? { address, length } : undefined;
}
