/**
 * `npm run fuzz -- [--count N] [--seed S] [--from I]`: mutated real files through every reader.
 *
 * Inputs run in a child process. The child reports an input that throws. When an input kills the
 * child, or takes longer than the limit, the parent notices, and starts a new child at the next
 * input. Exit status: 0 nothing found, 1 something found, 2 wrong usage. `--from I --count 1` runs
 * input I of a seed alone.
 */
import { plural } from '../base/number-text.js';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { FuzzMessage } from './message.js';

/** Limit for one input. An ordinary one takes some milliseconds. */
const TIME_LIMIT_MS = 10_000;
/** Heap of the child in MiB. An input that needs more ends it. */
const MAX_HEAP = 512;
/**
 * Allowed growth of the memory in use after garbage collection, from the first report to the last,
 * in bytes.
 */
const MAX_GROWTH = 48 * 2 ** 20;
/** Inputs that end or hang their child before the run is given up. */
const MAX_ENDED = 3;
const CHILD = fileURLToPath(new URL('child.js', import.meta.url));

interface ChildEnd {
  /** The input that ran last. */
  readonly last: number;
  /** Why the child ended early. */
  readonly failure: string | undefined;
}

/** A range of inputs of a seed, and where one is written for the verifier. */
interface Inputs {
  readonly seed: number;
  readonly from: number;
  readonly to: number;
  readonly path: string;
}

interface Totals {
  readonly findings: string[];
  readonly memory: number[];
  readonly outcomes: Record<string, number>;
  highestRss: number;
  /** Called with each input. */
  readonly started: (index: number) => void;
}

/** Inputs of which a run takes so long that it says how far it is: one line in ten percent. */
const MANY = 1000;

/** Tells of an input's number on standard error, when it is one to tell of. */
function teller(first: number, count: number): (index: number) => void {
  let tenths = -1;
  return (index) => {
    const reached = Math.floor((10 * (index - first)) / count);
    if (count < MANY || reached <= tenths) return;
    tenths = reached;
    process.stderr.write(`fuzz: ${tenths * 10}% of ${count} inputs\n`);
  };
}

function runChild({ seed, from, to, path }: Inputs, totals: Totals): Promise<ChildEnd> {
  return new Promise((resolve) => {
    const flags = ['--expose-gc', `--max-old-space-size=${MAX_HEAP}`];
    const args = [...flags, CHILD, String(seed), String(from), String(to), path];
    const child = spawn(process.execPath, args, {
      stdio: ['ignore', 'inherit', 'inherit', 'pipe'],
    });
    let last = from - 1;
    let hung = false;
    const kill = (): void => {
      hung = true;
      child.kill('SIGKILL');
    };
    const timer = setTimeout(kill, TIME_LIMIT_MS);
    const looks: number[] = [];
    const lines = createInterface({ input: child.stdio[3] as Readable });
    lines.on('line', (line) => {
      const message = JSON.parse(line) as FuzzMessage;
      switch (message.kind) {
        case 'start':
          last = message.index;
          totals.started(last);
          timer.refresh();
          break;
        case 'thrown':
          totals.findings.push(`input ${message.index} (${message.path}): ${message.text}`);
          break;
        case 'memory':
          looks.push(message.used);
          totals.highestRss = Math.max(totals.highestRss, message.rss);
          break;
        case 'end':
          for (const [name, n] of Object.entries(message.outcomes)) {
            totals.outcomes[name] = (totals.outcomes[name] ?? 0) + n;
          }
          break;
      }
    });
    const closed = new Promise<void>((done) => lines.once('close', done));
    child.once('close', (status, signal) => {
      clearTimeout(timer);
      void closed.then(() => {
        const grown = (looks.at(-1) ?? 0) - (looks[0] ?? 0);
        if (grown > MAX_GROWTH) totals.findings.push(`${grown} bytes more in use at the end`);
        totals.memory.push(...looks);
        const how = hung
          ? `more than ${TIME_LIMIT_MS} ms`
          : `the process ended: ${signal ?? status ?? ''}`;
        resolve({ last, failure: hung || status !== 0 ? how : undefined });
      });
    });
  });
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      count: { type: 'string', default: '100000' },
      seed: { type: 'string', default: '1' },
      from: { type: 'string', default: '0' },
    },
  });
  const [count, seed, first] = [values.count, values.seed, values.from].map(Number);
  if (count === undefined || seed === undefined || first === undefined) return 2;
  if (![count, seed, first].every((n) => Number.isSafeInteger(n) && n >= 0)) {
    process.stderr.write('fuzz: --count, --seed and --from must be whole numbers\n');
    return 2;
  }
  if (count === 0) {
    process.stderr.write('fuzz: --count 0 tries nothing\n');
    return 2;
  }
  const totals: Totals = {
    findings: [],
    memory: [],
    outcomes: {},
    highestRss: 0,
    started: teller(first, count),
  };
  let ended = 0;
  const began = performance.now();
  const to = first + count;
  const folder = mkdtempSync(join(tmpdir(), 'kunwind-fuzz-'));
  for (let from = first; from < to;) {
    const { last, failure } = await runChild(
      { seed, from, to, path: join(folder, 'input') },
      totals,
    );
    if (failure === undefined) break;
    totals.findings.push(`input ${last}: ${failure}`);
    if (++ended === MAX_ENDED) break;
    from = Math.max(from, last) + 1;
  }
  rmSync(folder, { recursive: true });
  const seconds = (performance.now() - began) / 1000;
  for (const finding of totals.findings.slice(0, 20)) process.stdout.write(`${finding}\n`);
  const outcomes = Object.entries(totals.outcomes).map(([name, n]) => `${n} ${name}`);
  const mebibytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(0)} MiB`;
  process.stdout.write(
    `${plural(count, 'input')} of seed ${seed}: ${plural(totals.findings.length, 'finding')}; ${outcomes.join(', ')}; ` +
      `in use ${mebibytes(totals.memory[0] ?? 0)} at first, ${mebibytes(totals.memory.at(-1) ?? 0)} at last, ` +
      `at most ${mebibytes(totals.highestRss)} resident; ${(count / seconds).toFixed(0)}/s\n`,
  );
  return totals.findings.length > 0 ? 1 : 0;
}

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`fuzz: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 2;
}
