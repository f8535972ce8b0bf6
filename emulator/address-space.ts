/** `ulimit -v`: what the engine needs of it is far more than the memory it touches. */
import { readFileSync } from 'node:fs';
import { addressSpaceLimit } from './engine-library.js';

/** Bytes that Unicorn reserves for the translations of one CPU, and some for the CPU itself. */
const ENGINE_SPACE = 2 ** 30 + 2 ** 25;

/** Bytes of address space with which everything works: node, three engines beside each other, a disassembler. */
const ENOUGH_SPACE = 6 * 2 ** 30;

/** Fixed for the life of a process that does not change it itself. */
let limit: number | undefined | 'unknown' = 'unknown';

/**
 * Why there is no room for more engines, in one line; undefined when there is, or when that is not known (not
 * Linux). Without this check the engine ends the process, with a line that does not say of what there is too little.
 */
export function lacksAddressSpace(engines: number): string | undefined {
  if (limit === 'unknown') limit = addressSpaceLimit();
  if (limit === undefined) return undefined;
  const used = usedSpace();
  if (used === undefined || limit - used >= engines * ENGINE_SPACE) return undefined;
  return (
    `too little address space: ulimit -v is ${limit / 1024}, of which ${Math.round(used / 1024)} are used; ` +
    `the engine needs ${(engines * ENGINE_SPACE) / 1024} more; ${ENOUGH_SPACE / 1024} is enough for everything`
  );
}

function usedSpace(): number | undefined {
  try {
    const [, kilobytes] =
      /^VmSize:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
    return kilobytes === undefined ? undefined : Number(kilobytes) * 1024;
  } catch {
    return undefined;
  }
}
