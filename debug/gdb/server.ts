/**
 * The TCP server of the stub. It serves one client at a time and keeps the state from one to the
 * next. Nothing that arrives over the network can end the process.
 */
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { fail, ok, type Result } from '../../base/result.js';
import { BoundedLog } from './bounded-log.js';
import { type Endpoint, formatEndpoint, isLoopback, resolveHost } from './endpoint.js';
import { GdbSession } from './session.js';
import type { GdbTarget } from './target.js';

/** How a server is started. */
export interface ServerOptions {
  readonly endpoint: Endpoint;
  /** Also listen where other machines can connect. There is no authentication at all. */
  readonly allowRemote: boolean;
  readonly target: GdbTarget;
  /** One line for the person who runs the server. */
  readonly log: (line: string) => void;
}

/** Why there is no server. {@link describeServerError} puts each into one line. */
export type ServerError =
  | { readonly kind: 'not-loopback'; readonly host: string; readonly address: string }
  | { readonly kind: 'unknown-host'; readonly host: string }
  | { readonly kind: 'in-use'; readonly at: string }
  | { readonly kind: 'cannot-listen'; readonly at: string; readonly code: string };

/**
 * Most bytes that may wait for a client that does not read. Beyond that, its packets go unanswered.
 */
const MAX_UNSENT = 1 << 20;
/**
 * Bytes handled before {@link MAX_UNSENT} is checked again and the event loop, with its signals,
 * gets its turn. It is small, because a short packet may ask for much.
 */
const PIECE = 256;
/** After this much silence, the system checks that the peer is still there. */
const KEEP_ALIVE_MS = 30_000;

/** A running server. */
export class GdbServer {
  private client: Client | undefined;
  private readonly log: BoundedLog;

  private constructor(
    private readonly server: Server,
    private readonly options: ServerOptions,
    /** Where it listens, with the actual port. */
    readonly endpoint: Endpoint,
  ) {
    this.log = new BoundedLog(options.log);
    server.on('connection', (socket) => {
      this.accept(socket);
    });
    server.on('error', (error) => {
      this.log.line(`gdb server: ${error.message}`);
    });
  }

  /** Start listening. */
  static async start(options: ServerOptions): Promise<Result<GdbServer, ServerError>> {
    const { host, port } = options.endpoint;
    const resolved = await resolveHost(host);
    if (!resolved.ok) return fail({ kind: 'unknown-host', host });
    const address = resolved.value;
    if (!options.allowRemote && !isLoopback(address)) {
      return fail({ kind: 'not-loopback', host, address });
    }
    const server = createServer({
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: KEEP_ALIVE_MS,
    });
    return new Promise((resolve) => {
      server.once('error', (error: NodeJS.ErrnoException) => {
        const at = formatEndpoint({ host: address, port });
        const code = error.code ?? error.message;
        resolve(
          fail(
            code === 'EADDRINUSE' ? { kind: 'in-use', at } : { kind: 'cannot-listen', at, code },
          ),
        );
      });
      server.listen({ host: address, port, exclusive: true }, () => {
        server.removeAllListeners('error');
        const bound = server.address() as AddressInfo;
        resolve(ok(new GdbServer(server, options, { host: address, port: bound.port })));
      });
    });
  }

  private accept(socket: Socket): void {
    const log = (line: string): void => {
      this.log.line(line);
    };
    const from = formatEndpoint({
      host: socket.remoteAddress ?? '?',
      port: socket.remotePort ?? 0,
    });
    if (this.client?.isServed === true) {
      log(`gdb client ${from} refused: another one is attached`);
      socket.on('error', ignore);
      socket.destroy();
      return;
    }
    // It has left, and will never read what it has not read by now.
    this.client?.close();
    log(`gdb client ${from} attached`);
    const client = new Client(socket, this.options.target, from, log);
    this.client = client;
    socket.on('close', () => {
      client.dropped();
      if (this.client === client) this.client = undefined;
    });
  }

  /** Drop the client and stop listening. */
  async close(): Promise<void> {
    this.client?.close();
    await new Promise<void>((resolve) => {
      this.server.close(() => {
        resolve();
      });
    });
    this.log.sayHidden();
  }
}

function ignore(): void {
  // The connection is being thrown away.
}

/** The socket of a session. */
class Client {
  private readonly session: GdbSession;
  private unread: Uint8Array = new Uint8Array();
  private scheduled = false;
  private gone = false;

  constructor(
    private readonly socket: Socket,
    target: GdbTarget,
    private readonly name: string,
    private readonly log: (line: string) => void,
  ) {
    this.session = new GdbSession(target, {
      send: (bytes) => {
        this.send(bytes);
      },
      log: (line) => {
        log(`gdb client ${name}: ${line}`);
      },
    });
    socket.on('data', (bytes: Buffer) => {
      // Take no more until these are handled, so that what is kept here is bounded by one read.
      socket.pause();
      this.unread = this.unread.length === 0 ? bytes : Buffer.concat([this.unread, bytes]);
      this.turn();
    });
    socket.on('drain', () => {
      this.turn();
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      log(`gdb client ${name}: connection lost (${error.code ?? error.message})`);
    });
  }

  /** Whether it is still being served, so that others are refused. */
  get isServed(): boolean {
    return !this.gone;
  }

  private send(bytes: Uint8Array): void {
    if (!this.gone) this.socket.write(bytes);
  }

  private get isCongested(): boolean {
    return this.socket.writableLength > MAX_UNSENT;
  }

  private turn(): void {
    this.guarded(() => {
      this.takeBytes();
    });
  }

  private takeBytes(): void {
    if (this.isCongested || this.session.ended !== undefined) return;
    const piece = this.unread.subarray(0, PIECE);
    this.unread = this.unread.subarray(PIECE);
    this.session.receive(piece);
    if (this.unread.length === 0) this.socket.resume();
  }

  /** An internal error costs the connection, not the server. */
  private guarded(work: () => void): void {
    if (this.gone) return;
    try {
      work();
    } catch (error) {
      this.log(
        `gdb client ${this.name}: internal error: ${error instanceof Error ? error.message : String(error)}`,
      );
      this.close();
      return;
    }
    if (this.session.ended !== undefined) {
      this.log(`gdb client ${this.name} ${ENDED[this.session.ended]}`);
      this.gone = true;
      this.socket.end();
      // A client that never closes its side must not lock out the next one.
      this.socket.destroySoon();
    } else if (this.hasWork && !this.scheduled) {
      this.scheduled = true;
      setImmediate(() => {
        this.scheduled = false;
        this.guarded(() => {
          this.session.advance();
          this.takeBytes();
        });
      });
    }
  }

  /** Whether there is something to do without another event of the socket. */
  private get hasWork(): boolean {
    return this.session.running || (this.unread.length > 0 && !this.isCongested);
  }

  /** The socket was closed, for whatever reason. */
  dropped(): void {
    if (!this.gone) this.log(`gdb client ${this.name} dropped the connection; state kept`);
    this.gone = true;
  }

  close(): void {
    this.gone = true;
    this.socket.destroy();
  }
}

const ENDED = {
  detached: 'detached; state kept',
  killed: 'killed the target; it is back at its start',
  broken: 'was disconnected; state kept',
} as const;

/** One line for a {@link ServerError}. */
export function describeServerError(error: ServerError): string {
  switch (error.kind) {
    case 'not-loopback':
      return `refusing to listen on ${error.address}, which is not loopback: anyone who can connect controls the guest`;
    case 'unknown-host':
      return `no host '${error.host}' to listen on`;
    case 'in-use':
      return `cannot listen on ${error.at}: the port is in use`;
    case 'cannot-listen':
      return `cannot listen on ${error.at}: ${error.code}`;
  }
}
