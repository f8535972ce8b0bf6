/** Sections with several tables, as lld leaves them. */
import { describe, expect, it } from 'vitest';
import { buildRules } from '../../../lab/rules.js';
import { parseElf } from '../../../elf/image.js';
import { tablesOf } from '../../../tables/read-tables.js';
import { formatSFrameError } from '../../../unwinder/sframe/error.js';
import { layoutNote, decodeSFrameTables } from '../../../unwinder/sframe/tables.js';
import { programOf } from '../../../verify/program.js';
import { buildElf, words } from '../../elf/elf-builder.js';
import { encodeSFrame, type SectionSpec } from '../sframe-encoder.js';

const ADDRESS = 0x8000;
const TEXT = 0x10000;

/** A table with one function of 8 bytes, which says where it is itself. */
function table(address: number, start: number, version: 1 | 2 | 3 = 3): Uint8Array {
  const spec: SectionSpec = {
    version,
    flags: version === 1 ? 0 : 4,
    address,
    functions: [{ start, size: 8, rows: [{ start: 0, words: [0] }] }],
  };
  return encodeSFrame(spec);
}

/** Tables one after the other, with so many zeroes after each. */
function concatenated(count: number, padding: number, versions: readonly (1 | 2 | 3)[] = []) {
  const parts: Uint8Array[] = [];
  let at = ADDRESS;
  for (let i = 0; i < count; i++) {
    const one = table(at, TEXT + 8 * i, versions[i]);
    parts.push(one, new Uint8Array(padding));
    at += one.length + padding;
  }
  return Buffer.concat(parts);
}

function startsOf(bytes: Uint8Array): number[] | string {
  const decoded = decodeSFrameTables(bytes, ADDRESS);
  return decoded.ok
    ? decoded.value.flatMap((part) => [...part.table.functions.start])
    : formatSFrameError(decoded.error);
}

describe('a section', () => {
  it.each([
    [1, 0],
    [1, 24],
    [2, 0],
    [2, 3],
    [3, 8],
  ])('of %i tables with %i bytes of padding is read to its end', (count, padding) => {
    const expected = Array.from({ length: count }, (_, i) => TEXT + 8 * i);
    expect(startsOf(concatenated(count, padding))).toEqual(expected);
  });

  it('may have tables of different versions', () => {
    expect(startsOf(concatenated(2, 4, [3, 2]))).toEqual([TEXT, TEXT + 8]);
  });

  it.each<[string, Uint8Array, RegExp]>([
    [
      'the start of a header',
      Uint8Array.of(0xe2, 0xde, 3, 4, 2),
      /^SFrame section truncated: sframe_header at offset 0x\w+ needs 28/,
    ],
    [
      'a table of no version',
      Uint8Array.of(0xe2, 0xde, 9, 4, 2),
      /^unsupported SFrame version: sfp_version at offset 0x\w+ is 9/,
    ],
  ])('that ends in %s is refused, and says where', (_, rest, expected) => {
    const good = concatenated(2, 0);
    const message = startsOf(Buffer.concat([good, rest]));
    expect(message).toMatch(expected);
    const at = Number(/offset (0x\w+)/.exec(String(message))?.[1]);
    expect(at).toBeGreaterThanOrEqual(good.length);
  });

  it('whose second table is damaged is refused as a whole', () => {
    const bytes = concatenated(2, 0);
    bytes.writeUInt32LE(99, bytes.length / 2 + 8);
    expect(startsOf(bytes)).toMatch(
      /^SFrame sfh_num_fdes at offset 0x\w+ is 99, beyond its limit 1$/,
    );
  });
});

describe('a file with two tables', () => {
  const data = concatenated(2, 4);
  const file = (sframe: Uint8Array): Buffer =>
    buildElf({
      segments: [
        { address: BigInt(ADDRESS), data: sframe, flags: 4 },
        { address: BigInt(TEXT), data: words(0xd503201f, 0xd65f03c0, 0xd503201f, 0xd65f03c0) },
      ],
      sections: [
        {
          name: '.text',
          type: 1,
          flags: 6,
          address: BigInt(TEXT),
          data: words(0xd503201f, 0xd65f03c0, 0xd503201f, 0xd65f03c0),
        },
        { name: '.sframe', type: 0x6ffffff4, flags: 2, address: BigInt(ADDRESS), data: sframe },
      ],
      symbols: [],
    });

  it('is read whole by the table commands, the verifier and the sweeps', () => {
    const tables = tablesOf('FILE', file(data));
    expect(tables.ok && tables.value.sframe.map(({ name }) => name)).toEqual([
      '.sframe',
      `.sframe+0x${(data.length / 2).toString(16)}`,
    ]);
    const image = parseElf('FILE', file(data));
    if (!image.ok) throw new Error('not read');
    const program = programOf(image.value);
    expect(program.ok && program.value.tables).toHaveLength(2);
    const rules = buildRules([image.value]);
    if (!rules.ok) throw new Error(rules.error.message);
    expect(rules.value.find(TEXT)).toBeGreaterThanOrEqual(0);
    expect(rules.value.find(TEXT + 8)).toBeGreaterThanOrEqual(0);
    expect(rules.value.find(TEXT + 16)).toBe(-1);
  });

  it('is said to be read differently by a kernel', () => {
    const note = (sframe: Uint8Array): string | undefined => {
      const image = parseElf('FILE', file(sframe));
      return image.ok ? layoutNote('FILE', image.value.sframe) : 'not read';
    };
    expect(note(data)).toBe(
      'FILE: .sframe holds 2 tables, one after the other, as lld leaves them: ' +
        'all are read here, but a kernel reads the first only',
    );
    expect(note(concatenated(1, 4))).toBeUndefined();
  });

  it.each([
    ['garbage', words(0x12345678)],
    ['an odd byte', Uint8Array.of(0xe2)],
  ])('with %s after them is read, and what is not read is told', (_, rest) => {
    const sframe = Buffer.concat([data, Buffer.alloc(3), rest]);
    const tables = tablesOf('FILE', file(sframe));
    expect(tables.ok && tables.value.sframe).toHaveLength(2);
    const image = parseElf('FILE', file(sframe));
    if (!image.ok) throw new Error('not read');
    const program = programOf(image.value);
    expect(program.ok && program.value.tables).toHaveLength(2);
    expect(layoutNote('FILE', image.value.sframe)).toContain(
      `reads the first only; .sframe goes on at offset 0x${(data.length + 3).toString(16)} with ` +
        `${rest.length === 1 ? '1 byte that is' : '4 bytes that are'} neither padding nor a table: not read`,
    );
  });
});
