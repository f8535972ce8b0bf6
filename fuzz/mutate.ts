/** Seeded changes to a real file. */
import { gzipSync } from 'node:zlib';
import type { FuzzInput } from './inputs.js';

type Random = (limit: number) => number;

/** Values that often break counts, sizes and offsets. */
const WORDS = [
  0, 1, 2, 3, 7, 8, 0x7f, 0x80, 0xff, 0x7fff, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xffffffff,
];

/** Returns one mutated file. Some are cut short; some are compressed, and damaged after that. */
export function mutate({ bytes, places }: FuzzInput, random: Random): Buffer {
  const copy = Buffer.from(bytes);
  for (let n = 1 + random(4); n > 0; n--) {
    const place = places[random(places.length)];
    if (place !== undefined) change(copy, place.from, place.to - place.from, random);
  }
  const how = random(20);
  if (how === 0) return copy.subarray(0, random(copy.length + 1));
  if (how !== 1) return copy;
  const compressed = gzipSync(copy, { level: 1 });
  if (random(2) === 0) change(compressed, 0, compressed.length, random);
  return random(4) === 0 ? compressed.subarray(0, random(compressed.length + 1)) : compressed;
}

function change(bytes: Buffer, from: number, length: number, random: Random): void {
  const at = from + random(length);
  const left = bytes.length - at;
  const word = WORDS[random(WORDS.length)] ?? 0;
  const kind = random(7);
  if (kind === 0 && left >= 4) bytes.writeUInt32LE(word, at);
  else if (kind === 1 && left >= 8) bytes.writeBigUInt64LE(BigInt(word) << BigInt(random(33)), at);
  else if (kind === 2 && left >= 2) bytes.writeUInt16LE(word & 0xffff, at);
  else if (kind === 3) bytes.fill(random(256), at, at + 1 + random(Math.min(64, left)));
  else if (kind === 4) bytes.copyWithin(at, from + random(length), from + random(length) + 32);
  // Aligned fields: make offsets, sizes and indices slightly wrong.
  else if (kind === 5 && left >= 12) {
    const aligned = at - (at & 3);
    bytes.writeInt32LE((bytes.readInt32LE(aligned) + random(65) - 32) | 0, aligned);
  } else bytes[at] = (bytes[at] ?? 0) ^ (1 << random(8));
}
