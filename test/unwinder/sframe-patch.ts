/** A small section of each version, patched at known places, for the tests of errors. */

import { decodeSFrame } from '../../unwinder/sframe/decode.js';
import { type SFrameError } from '../../unwinder/sframe/error.js';
import { type FunctionSpec, encodeSFrame } from './sframe-encoder.js';

const FUNCTIONS: FunctionSpec[] = [
  { start: 0x1000, size: 16, rows: [{ start: 0, words: [16] }] },
  {
    start: 0x2000,
    size: 16,
    rows: [
      { start: 4, words: [16, -8, -16] },
      { start: 8, words: [16] },
    ],
  },
];

/** Where the encoder puts things: the header, 2 functions, then 5 + 3 and 5 + 5 + 3 bytes. */
export const LAYOUT = {
  1: { fdes: 28, fdeSize: 17, fres: 28 + 34, info: 16, attribute: 0 },
  2: { fdes: 28, fdeSize: 20, fres: 28 + 40, info: 16, attribute: 0 },
  3: { fdes: 28, fdeSize: 16, fres: 28 + 32, info: 0, attribute: 5 },
} as const;

export interface Patch {
  at: number;
  bytes: number[];
}

export function errorOf(bytes: Uint8Array): SFrameError {
  const section = decodeSFrame(bytes, 0x8000);
  if (section.ok) throw new Error('decoded');
  return section.error;
}

export function patched(version: 1 | 2 | 3, ...patches: Patch[]): Uint8Array {
  const bytes = encodeSFrame({ version, address: 0x8000, functions: FUNCTIONS });
  for (const { at, bytes: values } of patches) bytes.set(values, at);
  return bytes;
}

export const u32 = (value: number): number[] =>
  [0, 8, 16, 24].map((shift) => (value >>> shift) & 0xff);
