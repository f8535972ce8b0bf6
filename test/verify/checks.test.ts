import { beforeAll, describe, expect, it } from 'vitest';
import { openBackend } from '../../emulator/backend.js';
import type { EngineBackend } from '../../emulator/engine.js';
import type { Program } from '../../verify/program.js';
import type { VerifyReport } from '../../verify/report.js';
import { Verifier } from '../../verify/verify.js';
import { branch, branchAndLink, type A64Text } from '../assembled.js';
import { quads, words } from '../elf/elf-builder.js';
import { ROW, type SmallFunction, smallProgram, TEXT } from './small-program.js';

const PUSH = 'stp x29, x30, [sp, #-0x10]!';
const POP = 'ldp x29, x30, [sp], #0x10';
/** PACIASP or PACIBSP, and code that keeps the signed address in a frame. */
const signs = (sign: A64Text, auth: A64Text, leave: A64Text | number = 'ret'): SmallFunction => ({
  name: 'signs',
  code: [sign, PUSH, 'nop', POP, auth, leave],
  rows: [
    ROW.entry(0),
    ROW.signed(4),
    { start: 8, mangled: true, words: [16, -8, -16] },
    ROW.signed(16),
    ROW.entry(20),
  ],
});
const PUSHES: SmallFunction = {
  name: 'pushes',
  code: [PUSH, 'nop', POP, 'ret'],
  rows: [ROW.entry(0), ROW.pushed(4), ROW.entry(12)],
};
const leaf = (name: string, ...code: SmallFunction['code']): SmallFunction => {
  return { name, code, rows: [ROW.entry(0)] };
};
/** SFRAME_F_FDE_SORTED. */
const SORTED = 1;

describe('what verification checks', () => {
  let backend: EngineBackend;
  beforeAll(async () => {
    const opened = await openBackend();
    if (!opened.ok) throw new Error(opened.error.message);
    backend = opened.value;
  });

  const report = (program: Program): VerifyReport => {
    const verifier = Verifier.create(program, backend);
    if (!verifier.ok) throw new Error(verifier.error);
    const its = verifier.value.verify(() => true);
    verifier.value.close();
    return its;
  };
  /** Each finding as `function+offset kind`. */
  const found = (functions: readonly SmallFunction[], flags = 0): string[] =>
    report(smallProgram({ functions, flags })).findings.map(
      ({ fn, start, pc, kind }) => `${fn}+${pc - start} ${kind}`,
    );

  it.each<[string, SmallFunction[]]>([
    ['a frame', [PUSHES]],
    ['a leaf routine', [leaf('leaf', 'mov x9, x30', 'ret')]],
    ['signatures with key A', [signs('paciasp', 'autiasp')]],
    ['signatures with key B', [{ ...signs('pacibsp', 'autibsp'), fde: { keyB: true } }]],
    ['a tail call', [leaf('jumps', branch(4)), PUSHES]],
    ['a function that runs into the next', [leaf('runs', 'nop'), PUSHES]],
    [
      'a call that a function ends with',
      [
        { name: 'calls', code: [PUSH, branchAndLink(4)], rows: [ROW.entry(0), ROW.pushed(4)] },
        leaf('after', 'ret'),
      ],
    ],
    ['a jump to code without a row', [leaf('jumps', branch(4)), { name: 'bare', code: ['ret'] }]],
  ])('finds nothing in %s', (_, functions) => {
    expect(found(functions)).toEqual([]);
  });

  it.each<[string, SmallFunction[], string[]]>([
    [
      'a CFA that is elsewhere',
      [{ ...PUSHES, rows: [ROW.entry(0), { start: 4, words: [32, -8, -16] }, ROW.entry(12)] }],
      ['pushes+4 cfa'],
    ],
    [
      'a return address that is elsewhere',
      [{ ...PUSHES, rows: [ROW.entry(0), { start: 4, words: [16, -16, -16] }, ROW.entry(12)] }],
      ['pushes+4 ra'],
    ],
    [
      'a frame pointer that is elsewhere',
      [{ ...PUSHES, rows: [ROW.entry(0), { start: 4, words: [16, -8, -8] }, ROW.entry(12)] }],
      ['pushes+4 fp'],
    ],
    [
      'no row at the start',
      [{ ...PUSHES, rows: [ROW.pushed(4), ROW.entry(12)] }],
      ['pushes+0 no-row'],
    ],
    [
      'a signature that no row speaks of',
      [leaf('signs', 'paciasp', 'nop', 'autiasp', 'ret')],
      ['signs+4 mangled'],
    ],
    [
      'a row that speaks of a signature before there is one',
      [{ ...leaf('signs', 'paciasp', 'autiasp', 'ret'), rows: [ROW.signed(0), ROW.entry(8)] }],
      ['signs+0 not-mangled'],
    ],
    [
      'a signature with the key that the table does not name',
      [{ ...signs('paciasp', 'autiasp'), fde: { keyB: true } }],
      ['signs+4 pauth-key', 'signs+8 pauth-key', 'signs+16 pauth-key'],
    ],
    [
      'authentication with another key',
      [signs('paciasp', 'autibsp')],
      ['signs+20 ra', 'signs+20 return'],
    ],
    [
      'RETAB of what PACIASP signed',
      [{ ...leaf('signs', 'paciasp', 'retab'), rows: [ROW.entry(0), ROW.signed(4)] }],
      ['signs+4 return'],
    ],
    [
      'an SP that is no multiple of 16',
      [
        {
          name: 'odd',
          // SUB SP, SP, #8 and ADD SP, SP, #8.
          code: [0xd10023ff, 0x910023ff, 'ret'],
          rows: [ROW.entry(0), { start: 4, words: [8] }, ROW.entry(8)],
        },
      ],
      ['odd+4 sp-alignment'],
    ],
    [
      'a leaf routine that moves SP',
      [leaf('leaf', 'sub sp, sp, #0x140', 'add sp, sp, #0x140', 'ret')],
      ['leaf+4 cfa'],
    ],
    [
      'a leaf routine that overwrites LR',
      [leaf('leaf', 'mov x9, x30', branchAndLink(8), 'ret x9'), leaf('other', 'ret')],
      ['leaf+8 ra', 'leaf+8 return'],
    ],
    [
      'a return with the frame still there',
      [{ ...PUSHES, code: [PUSH, 'nop', 'nop', 'ret'], rows: [ROW.entry(0), ROW.pushed(4)] }],
      ['pushes+12 return'],
    ],
    [
      'a tail call with the frame still there',
      [
        { name: 'jumps', code: [PUSH, branch(4)], rows: [ROW.entry(0), ROW.pushed(4)] },
        leaf('other', 'ret'),
      ],
      ['jumps+4 tail-call'],
    ],
    [
      'a tail call, so made, of a function without an FDE',
      [
        { name: 'jumps', code: [PUSH, branch(4)], rows: [ROW.entry(0), ROW.pushed(4)] },
        { name: 'bare', code: [POP, 'ret'] },
      ],
      ['jumps+4 tail-call'],
    ],
    [
      'an FDE that ends before its function does',
      [{ ...PUSHES, fde: { size: 8 }, rows: [ROW.entry(0), ROW.pushed(4)] }],
      ['pushes+4 no-row'],
    ],
    [
      'an FDE that ends with a call that its function goes on from',
      [
        {
          name: 'calls',
          code: [PUSH, branchAndLink(12), POP, 'ret'],
          fde: { size: 8 },
          rows: [ROW.entry(0), ROW.pushed(4)],
        },
        leaf('other', 'ret'),
      ],
      ['calls+4 no-row'],
    ],
    [
      'a jump into the rest of a function, which no FDE covers',
      [
        {
          name: 'jumps',
          code: [PUSH, branch(8), 'nop', POP, 'ret'],
          fde: { size: 8 },
          rows: [ROW.entry(0), ROW.pushed(4)],
        },
      ],
      ['jumps+4 no-row'],
    ],
    [
      'an outermost function that returns',
      [{ name: 'outermost', code: ['ret'], rows: [] }],
      ['outermost+0 outermost-returns'],
    ],
    [
      'an outermost function that ends in a tail call',
      [{ name: 'outermost', code: [branch(4)], rows: [] }, leaf('other', 'ret')],
      ['outermost+0 outermost-returns'],
    ],
    [
      'an outermost function that is called',
      [
        { name: 'outermost', code: [branch(0)], rows: [] },
        { name: 'calls', code: [PUSH, branchAndLink(-8)], rows: [ROW.entry(0), ROW.pushed(4)] },
      ],
      ['outermost+0 outermost-called'],
    ],
    [
      'a row that starts inside an instruction',
      [{ ...PUSHES, rows: [ROW.entry(0), ROW.pushed(2), ROW.entry(12)] }],
      ['pushes+2 row-start-misaligned'],
    ],
    [
      'a row that starts at the end',
      [{ ...leaf('leaf', 'ret'), rows: [ROW.entry(0), ROW.pushed(4)] }],
      ['leaf+4 row-after-end'],
    ],
    [
      'two rows at one place',
      [{ ...leaf('leaf', 'ret'), rows: [ROW.entry(0), ROW.entry(0)] }],
      ['leaf+0 rows-not-rising'],
    ],
    [
      'a function outside the code',
      [leaf('leaf', 'ret'), { ...leaf('data', 'ret'), fde: { start: TEXT + 4, size: 8 } }],
      ['data+0 function-outside-text'],
    ],
    [
      'functions that overlap, the first with each of the others',
      [
        { ...leaf('first', 'nop', 'ret'), fde: { size: 16 } },
        { ...leaf('second', 'ret') },
        { ...leaf('third', 'ret') },
      ],
      ['first+0 size-differs', 'second+0 functions-overlap', 'third+0 functions-overlap'],
    ],
    [
      'a function that starts inside a symbol',
      [{ ...leaf('leaf', 'nop', 'ret'), fde: { start: TEXT + 4, size: 4 } }],
      ['leaf+0 no-such-symbol'],
    ],
    [
      'a function that reaches past its symbol',
      [
        { ...leaf('leaf', 'nop', 'ret'), fde: { size: 12 } },
        { name: 'bare', code: ['ret'] },
      ],
      ['leaf+0 size-differs'],
    ],
  ])('finds %s', (_, functions, expected) => {
    expect(found(functions)).toEqual(expected);
  });

  it('finds functions out of order where the header calls them sorted', () => {
    const [first, second] = [leaf('first', 'ret'), leaf('second', 'ret')];
    const swapped = [
      { ...first, fde: { start: TEXT + 4 } },
      { ...second, fde: { start: TEXT } },
    ];
    expect(found(swapped, SORTED)).toEqual(['first+0 functions-not-rising']);
    expect(found(swapped)).toEqual([]);
    expect(found([first, second], SORTED)).toEqual([]);
  });

  it('does not read a table whose rows are out of order', () => {
    const rows = [ROW.entry(0), ROW.entry(8), ROW.pushed(4)];
    expect(() => smallProgram({ functions: [{ ...PUSHES, rows }] })).toThrow(
      /^small\.elf: \.sframe: .*sfre_start_address of func idx \[0\] .* is 4, not between 8/,
    );
  });

  it('reports rows that no path reaches, and why', () => {
    const dead = leaf('dead', branch(0));
    const calls: SmallFunction = {
      name: 'calls',
      code: [PUSH, branchAndLink(-8), 'nop', POP, 'ret'],
      rows: [ROW.entry(0), ROW.pushed(4), { start: 8, words: [64] }],
    };
    const skips: SmallFunction = {
      name: 'skips',
      code: [branch(8), 'mov x9, x30', 'ret'],
      rows: [ROW.entry(0), { start: 4, words: [64] }, ROW.entry(8)],
    };
    const { findings, unreachedRows, unreached, notes, rows } = report(
      smallProgram({ functions: [dead, calls, skips] }),
    );
    expect(findings).toEqual([]);
    expect(unreachedRows.map(({ fn, row, reason }) => `${fn} ${row} ${reason}`)).toEqual([
      'calls 2 after-noreturn',
      'skips 1 no-path',
    ]);
    expect(unreached.map(({ fn, size, reason }) => `${fn} ${size} ${reason}`)).toEqual([
      'calls 12 after-noreturn',
      'skips 4 no-path',
    ]);
    expect(rows).toEqual({ total: 7, verified: 5, wrong: 0, unreached: 2 });
    expect(notes.map(({ fn, kind, detail }) => `${fn} ${kind}: ${detail}`)).toEqual([
      'calls after-noreturn-call: ' +
        'the return address of a call that never returns has a row that does not describe the call',
    ]);
  });

  it('names a function whose FDE begins at the padding before it', () => {
    const rows = [ROW.entry(0)];
    const functions: SmallFunction[] = [
      leaf('first', 'ret'),
      { name: '', code: ['nop'] },
      { name: 'padded', code: [0xd503245f, 'ret'], rows, fde: { start: TEXT + 4, size: 12 } },
    ];
    const verifier = Verifier.create(smallProgram({ functions }), backend);
    if (!verifier.ok) throw new Error(verifier.error);
    const named = (wanted: string): string[][] =>
      verifier.value.groups((name) => name === wanted).map((group) => group.map((one) => one.name));
    expect(named('padded')).toEqual([['padded-0x4']]);
    expect(named('padded-0x4')).toEqual([['padded-0x4']]);
    expect(named('first')).toEqual([['first']]);
    verifier.value.close();
  });

  it('says which instructions the engine does not know, once each', () => {
    // CNT x0, x1 in a loop; CBNZ x0, .-4; XPACI x2, which is modelled; RETAASPPC.
    const code = [0xdac01c20, 0xb5ffffe0, 0xdac143e2, 0x5500001f];
    const { findings, notes } = report(smallProgram({ functions: [leaf('recent', ...code)] }));
    expect(findings).toEqual([]);
    expect(notes.map(({ kind, pc, word }) => [kind, pc, word])).toEqual([
      ['unknown-instruction', TEXT, 0xdac01c20],
      ['unknown-instruction', TEXT + 12, 0x5500001f],
    ]);
  });

  it('keeps a bounded number of paths with large stacks, and says so', () => {
    const size = 0x1e0000;
    // SUB SP, SP, #0x1e0, LSL #12; STR xzr, [sp]; CBZ x0 over each NOP; ADD SP, SP, #0x1e0, LSL #12.
    const forks = Array.from({ length: 100 }, () => [0xb4000040, 'nop'] as const).flat();
    const deep: SmallFunction = {
      name: 'deep',
      code: [0xd14783ff, 0xf90003ff, ...forks, 0x914783ff, 'ret'],
      rows: [
        { start: 0, words: [0] },
        { start: 4, wordSize: 4, words: [size] },
        { start: 4 * 203, words: [0] },
      ],
    };
    const fde = { startSize: 2 } as const;
    const { findings, notes, instructions } = report(
      smallProgram({ functions: [{ ...deep, fde }] }),
    );
    expect(findings).toEqual([]);
    expect(instructions.reached).toBe(204);
    expect(notes.map(({ kind, detail }) => `${kind}: ${detail}`)).toEqual([
      'step-limit: not all paths were followed: too many paths with large stacks are pending',
    ]);
  });

  describe('in a file that a dynamic linker loads', () => {
    const [PLT, GOT] = [0x30000, 0x40010];
    // ADRP x16, GOT; LDR x17, [x16, #0x10]; ADD x16, x16, #0x10; BR x17.
    const stub = words(0x90000090, 0xf9400a11, 0x91004210, 0xd61f0220);
    const names = Buffer.from('\0abort\0puts\0');

    const JUMP_SLOT = 1026n;
    const GLOB_DAT = 1025n;

    /** A function that calls, and behind the call has code of another path, which has no frame. */
    const calling = (nameOffset: number, type: bigint, call: SmallFunction['code']): Program =>
      smallProgram({
        functions: [
          {
            name: 'calls',
            code: [PUSH, ...call, 'ret'],
            rows: [ROW.entry(0), ROW.pushed(4), ROW.entry(4 + 4 * call.length)],
          },
        ],
        segments: [
          { address: BigInt(PLT), data: stub },
          { address: BigInt(GOT & ~0xfff), data: new Uint8Array(32), flags: 6 },
        ],
        sections: [
          { name: '.plt', type: 1, flags: 6, address: BigInt(PLT), data: stub },
          {
            name: '.rela.plt',
            type: 4,
            flags: 2,
            // Symbol 1.
            data: quads(BigInt(GOT), (1n << 32n) | type, 0n),
            link: 5,
          },
          {
            name: '.dynsym',
            type: 11,
            flags: 2,
            data: quads(0n, 0n, 0n, BigInt(nameOffset), 0n, 0n),
            link: 6,
          },
          { name: '.dynstr', type: 3, flags: 2, data: names },
        ],
      });

    const throughPlt = [branchAndLink(PLT - TEXT - 4)];
    // ADRP x0, GOT; LDR x0, [x0, #0x10]; BLR x0.
    const throughGot = [0x90000180, 0xf9400800, 0xd63f0000];

    it('knows what a stub of the PLT leads to', () => {
      const program = calling(1, JUMP_SLOT, throughPlt);
      expect([...program.stubs]).toEqual([[PLT, 'abort']]);
      expect(program.runnable).toBe(true);
      const { findings, instructions } = report(program);
      expect(findings).toEqual([]);
      expect(instructions).toEqual({ total: 3, reached: 2 });
    });

    it('knows what a word of the GOT stands for', () => {
      const program = calling(1, GLOB_DAT, throughGot);
      expect([...program.imports.values()]).toEqual(['abort']);
      const { findings, instructions } = report(program);
      expect(findings).toEqual([]);
      expect(instructions).toEqual({ total: 5, reached: 4 });
    });

    it.each([
      ['PLT', JUMP_SLOT, throughPlt],
      ['GOT', GLOB_DAT, throughGot],
    ])('goes on behind a call through the %s of a function that returns', (_, type, call) => {
      const { findings } = report(calling(7, type, call));
      const last = 4 + 4 * call.length;
      expect(findings.map(({ kind, pc }) => `${kind} ${pc - TEXT}`)).toEqual([
        `cfa ${last}`,
        `return ${last}`,
      ]);
    });
  });
});
