/** Where a server listens: `[HOST:]PORT`. */
import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { fail, ok, type Result } from '../../base/result.js';

/** A TCP endpoint. */
export interface Endpoint {
  /** Name or literal address, without brackets. */
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
}

/** An endpoint without a host means loopback. */
const DEFAULT_HOST = '127.0.0.1';

/** `1234`, `:1234`, `localhost:1234` or `[::1]:1234`; undefined when `text` is none of them. */
export function parseEndpoint(text: string): Endpoint | undefined {
  const match = /^(?:(\[[0-9a-f:.]+\]|[^\s:[\]/]*):)?(\d{1,5})$/i.exec(text);
  if (match === null) return undefined;
  const [, hostText = '', portText = ''] = match;
  const host = hostText.replace(/[[\]]/g, '');
  const port = Number(portText);
  if (port > 65535 || (hostText.startsWith('[') && isIP(host) !== 6)) return undefined;
  return { host: host === '' ? DEFAULT_HOST : host, port };
}

/** `127.0.0.1:1234`, with brackets around an IPv6 address. */
export function formatEndpoint({ host, port }: Endpoint): string {
  return isIP(host) === 6 ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Whether only this machine can reach this literal address. */
export function isLoopback(address: string): boolean {
  if (isIP(address) === 4) return address.startsWith('127.');
  return address === '::1' || /^::ffff:127\./i.test(address);
}

/** The literal address of a host; the error is the system's code, such as ENOTFOUND. */
export async function resolveHost(host: string): Promise<Result<string, string>> {
  try {
    return ok((await lookup(host)).address);
  } catch (error) {
    return fail((error as NodeJS.ErrnoException).code ?? 'unknown');
  }
}
