/** Sections of every version and variant, with the rules expected of them at chosen PCs. */

import { type FunctionSpec, type RowSpec, type SectionSpec, control } from './sframe-encoder.js';

/** A section and what `RuleTable` must say; `none` means no entry. */
export interface Sample {
  name: string;
  spec: SectionSpec;
  expected: [pc: number, rule: string][];
  /** readelf of binutils 2.47 prints it (it refuses V1). */
  readelf: boolean;
}

const TEXT = -0x7fff_8000_0000; // 0xffff800080000000
const SECTION = TEXT + 0x70_0000;
const SP = control({ reg: 31 });
const CFA_LOAD = control({ deref: true });

/** One row of each kind a default FDE can have, in `wordSize` bytes. */
function defaultRows(version: number, wordSize: 1 | 2 | 4): RowSpec[] {
  const rows: RowSpec[] = [
    { start: 0, wordSize, words: [0] },
    { start: 4, wordSize, words: [0], mangled: true },
    { start: 8, wordSize, words: [32, -24, -32], mangled: true },
    { start: 12, wordSize, words: [48, -40, -48], base: 'fp' },
    { start: 20, wordSize, words: [16, -8] },
    { start: 24, wordSize, words: [32, 0, -16] },
  ];
  if (version > 1) rows.push({ start: 28, wordSize, words: [] });
  return rows;
}

function defaultExpectation(version: number, at: number): [number, string][] {
  return [
    [at - 4, 'none'],
    [at, 'CFA=SP+0 RA=x30 FP=x29'],
    [at + 4, 'CFA=SP+0 RA=x30 FP=x29 signed-A'],
    [at + 8, 'CFA=SP+32 RA=*(CFA-24) FP=*(CFA-32) signed-A'],
    [at + 12, 'CFA=FP+48 RA=*(CFA-40) FP=*(CFA-48)'],
    [at + 16, 'CFA=FP+48 RA=*(CFA-40) FP=*(CFA-48)'],
    [at + 20, 'CFA=SP+16 RA=*(CFA-8) FP=x29'],
    [at + 24, 'CFA=SP+32 RA=x30 FP=*(CFA-16)'],
    [at + 28, version > 1 ? 'outermost' : 'CFA=SP+32 RA=x30 FP=*(CFA-16)'],
    [at + 39, version > 1 ? 'outermost' : 'CFA=SP+32 RA=x30 FP=*(CFA-16)'],
    [at + 40, 'none'],
  ];
}

/** All three start sizes times all three data-word sizes. */
function defaultSample(version: 1 | 2 | 3, flags: number): Sample {
  const functions: FunctionSpec[] = [];
  const expected: [number, string][] = [];
  for (const startSize of [1, 2, 4] as const) {
    for (const wordSize of [1, 2, 4] as const) {
      const start = TEXT + 0x100 * functions.length;
      functions.push({ start, size: 40, startSize, rows: defaultRows(version, wordSize) });
      expected.push(...defaultExpectation(version, start));
    }
  }
  return {
    name: `V${version} flags ${flags}: default FDEs, all start and data-word sizes`,
    spec: { version, flags, address: SECTION, functions },
    expected,
    readelf: version > 1,
  };
}

const WIDE: FunctionSpec = {
  start: TEXT + 0x1_0000,
  size: 0x2_0000,
  startSize: 4,
  keyB: true,
  rows: [
    { start: 0, words: [-128, 127, -1] },
    { start: 0xff, wordSize: 2, words: [-32768, 32767, -129] },
    { start: 0x1_0001, wordSize: 4, words: [0x7fff_ffff, -0x8000_0000, 128], mangled: true },
  ],
};

const MASK: FunctionSpec = {
  start: TEXT + 0x20,
  size: 0x40,
  repSize: 16,
  rows: [
    { start: 4, words: [16, -8, -16] },
    { start: 12, words: [0] },
  ],
};

const FLEX_ROWS: [RowSpec, string][] = [
  [{ start: 0, words: [SP, 16] }, 'CFA=SP+16 RA=x30 FP=x29'],
  [{ start: 4, words: [control({ reg: 29, deref: true }), -8] }, 'CFA=*(FP-8) RA=x30 FP=x29'],
  [
    { start: 8, mangled: true, words: [control({ reg: 9 }), -8, CFA_LOAD, -8, CFA_LOAD, -16] },
    'CFA=x9-8 RA=*(CFA-8) FP=*(CFA-16) signed-B',
  ],
  [{ start: 12, words: [SP, 0, 0, CFA_LOAD, -16] }, 'CFA=SP+0 RA=x30 FP=*(CFA-16)'],
  [{ start: 16, words: [SP, 0, control({ reg: 9 }), 0] }, 'CFA=SP+0 RA=x9+0 FP=x29'],
  [
    {
      start: 20,
      words: [SP, 0, control({ reg: 9, deref: true }), 8, control({ reg: 31, deref: true }), -4],
    },
    'CFA=SP+0 RA=*(x9+8) FP=*(SP-4)',
  ],
  [{ start: 24, words: [SP, 0, 0, control({ reg: 10 }), 0] }, 'CFA=SP+0 RA=x30 FP=x10+0'],
  // Not dereferenced and no register, yet not the padding word: regnum is ignored.
  [{ start: 28, words: [SP, 0, 8, 4] }, 'CFA=SP+0 RA=CFA+4 FP=x29'],
  [{ start: 32, words: [] }, 'outermost'],
  [{ start: 36, words: [SP, 0, 0] }, 'CFA=SP+0 RA=x30 FP=x29'],
  [
    { start: 40, words: [SP, 0, control({ reg: 30 }), 0, control({ reg: 29 }), 0] },
    'CFA=SP+0 RA=x30 FP=x29',
  ],
  [
    { start: 44, wordSize: 2, words: [SP, 512, CFA_LOAD, -512, CFA_LOAD, -504] },
    'CFA=SP+512 RA=*(CFA-512) FP=*(CFA-504)',
  ],
  [
    {
      start: 48,
      wordSize: 4,
      words: [control({ reg: 30, deref: true }), -100000, CFA_LOAD, 70000],
    },
    'CFA=*(x30-100000) RA=*(CFA+70000) FP=x29',
  ],
];

function flexSample(flags: number): Sample {
  const start = TEXT + 0x400;
  const rows = FLEX_ROWS.map(([row]) => row);
  return {
    name: `V3 flags ${flags}: flexible FDE`,
    spec: {
      version: 3,
      flags,
      address: SECTION,
      functions: [
        { start, size: 52, flex: true, keyB: true, rows },
        { start: start + 0x100, size: 8, flex: true, rows: [] },
      ],
    },
    expected: [
      ...FLEX_ROWS.map(([row, rule]): [number, string] => [start + row.start, rule]),
      [start + 0x100, 'none'],
    ],
    readelf: true,
  };
}

/** MASK repeats from the function's start, whatever the start is a multiple of. */
function maskSample(version: 2 | 3): Sample {
  const at = MASK.start;
  return {
    name: `V${version}: MASK, rows that start late, wide offsets, unsorted table`,
    spec: {
      version,
      flags: 4,
      address: SECTION,
      aux: [1, 2, 3, 4, 5],
      gap: 3,
      functions: [WIDE, { ...MASK, start: at + 4 }],
    },
    expected: [
      [at + 4, 'none'],
      [at + 8, 'CFA=SP+16 RA=*(CFA-8) FP=*(CFA-16)'],
      [at + 16, 'CFA=SP+0 RA=x30 FP=x29'],
      [at + 20, 'none'],
      [at + 20 + 4, 'CFA=SP+16 RA=*(CFA-8) FP=*(CFA-16)'],
      [at + 4 + 0x3c, 'CFA=SP+0 RA=x30 FP=x29'],
      [at + 4 + 0x40, 'none'],
      [WIDE.start, 'CFA=SP-128 RA=*(CFA+127) FP=*(CFA-1)'],
      [WIDE.start + 0xfe, 'CFA=SP-128 RA=*(CFA+127) FP=*(CFA-1)'],
      [WIDE.start + 0xff, 'CFA=SP-32768 RA=*(CFA+32767) FP=*(CFA-129)'],
      [WIDE.start + 0x1_0000, 'CFA=SP-32768 RA=*(CFA+32767) FP=*(CFA-129)'],
      [WIDE.start + 0x1_ffff, 'CFA=SP+2147483647 RA=*(CFA-2147483648) FP=*(CFA+128) signed-B'],
    ],
    readelf: true,
  };
}

const NO_ROWS: FunctionSpec = { start: TEXT, size: 8, rows: [] };
const SIGNAL: FunctionSpec = {
  start: TEXT + 8,
  size: 8,
  signal: true,
  rows: [{ start: 0, words: [16] }],
};

export const samples: Sample[] = [
  defaultSample(1, 0),
  defaultSample(1, 3),
  defaultSample(2, 0),
  defaultSample(2, 5),
  defaultSample(2, 7),
  defaultSample(3, 0),
  defaultSample(3, 1),
  defaultSample(3, 5),
  flexSample(0),
  flexSample(4),
  maskSample(2),
  maskSample(3),
  {
    name: 'V1: row starts of a MASK function are masks',
    spec: {
      version: 1,
      address: SECTION,
      functions: [
        {
          ...MASK,
          rows: [
            { start: 0, words: [16] },
            { start: 8, words: [24] },
          ],
        },
      ],
    },
    expected: [
      [MASK.start, 'CFA=SP+16 RA=x30 FP=x29'],
      [MASK.start + 8, 'CFA=SP+24 RA=x30 FP=x29'],
      [MASK.start + 16, 'CFA=SP+16 RA=x30 FP=x29'],
      [MASK.start + 28, 'CFA=SP+24 RA=x30 FP=x29'],
    ],
    readelf: false,
  },
  {
    name: 'V2: a function without rows has no rule',
    spec: { version: 2, address: SECTION, functions: [NO_ROWS] },
    expected: [[TEXT, 'none']],
    readelf: true,
  },
  {
    name: 'V3: a default function without rows is outermost; signal frames',
    spec: { version: 3, flags: 1, address: SECTION, functions: [NO_ROWS, SIGNAL] },
    expected: [
      [TEXT, 'outermost'],
      [TEXT + 4, 'outermost'],
      [TEXT + 8, 'CFA=SP+16 RA=x30 FP=x29 signal'],
    ],
    readelf: true,
  },
  {
    name: 'V3: a function more than 4 GiB from its section',
    spec: {
      version: 3,
      flags: 5,
      address: SECTION,
      functions: [{ start: 0x40_0000, size: 4, rows: [{ start: 0, words: [0] }] }],
    },
    expected: [[0x40_0000, 'CFA=SP+0 RA=x30 FP=x29']],
    readelf: true,
  },
  {
    name: 'V3: no functions',
    spec: { version: 3, address: SECTION, functions: [] },
    expected: [[TEXT, 'none']],
    readelf: true,
  },
];
