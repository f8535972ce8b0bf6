/**
 * `child.js SEED FROM TO PATH`: runs inputs FROM to TO of a seed, and reports each to the parent on
 * fd 3, as one JSON message per line. An input that is verified is first written to PATH, and may
 * be left there.
 */
import { writeSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { openBackend } from '../emulator/backend.js';
import { tablesOf } from '../tables/read-tables.js';
import { exercise, type Outcome } from './exercise.js';
import { readInputs } from './inputs.js';
import type { FuzzMessage } from './message.js';
import { mutate } from './mutate.js';
import { randomIntegers } from '../base/random.js';

/** Inputs from one report of memory use to the next. */
const MEMORY_INTERVAL = 2000;
const TURN_INTERVAL = 20;
/** One input in so many is also verified by execution, which takes much longer than reading. */
const VERIFY_INTERVAL = 20;

const [seed = 0, from = 0, to = 0] = process.argv.slice(2, 5).map(Number);
const path = process.argv[5] ?? '';
const inputs = readInputs().map((input) => {
  const tables = tablesOf(input.path, input.bytes);
  if (!tables.ok) throw new Error(tables.error);
  return { input, tables: tables.value };
});

const backend = await openBackend();
if (!backend.ok) throw new Error(backend.error.message);

const outcomes: Record<Outcome, number> = { 'not-read': 0, 'no-dwarf': 0, read: 0, verified: 0 };
for (let index = from; index < to; index++) {
  say({ kind: 'start', index });
  // Each input has its own seed, so that it can be run alone.
  const random = randomIntegers(Math.imul(seed, 0x9e3779b1) + index);
  const chosen = inputs[random(inputs.length)];
  if (chosen === undefined) break;
  try {
    const execution = index % VERIFY_INTERVAL === 0 ? { backend: backend.value, path } : undefined;
    outcomes[exercise(mutate(chosen.input, random), chosen.tables, execution)]++;
  } catch (error) {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    say({ kind: 'thrown', index, path: chosen.input.path, text });
  }
  // zlib frees its memory on a turn of the event loop.
  if (index % TURN_INTERVAL === 0) await setImmediate();
  if ((index - from + 1) % MEMORY_INTERVAL === 0) tellMemory();
}
tellMemory();
say({ kind: 'end', outcomes });

function tellMemory(): void {
  globalThis.gc?.();
  const { heapUsed, arrayBuffers, rss } = process.memoryUsage();
  say({ kind: 'memory', used: heapUsed + arrayBuffers, rss });
}

function say(message: FuzzMessage): void {
  writeSync(3, `${JSON.stringify(message)}\n`);
}
