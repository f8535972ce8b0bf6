import {
  copyFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ElfImage, loadElf, parseElf } from '../../../elf/image.js';
import { loadZstd } from '../../../elf/zstd-stream.js';
import {
  WANTED_MEMBERS,
  type WantedMember,
} from '../../../kernel-model/vmlinux/structure-offsets.js';
import { dwarfOffsets } from '../../../kernel-model/vmlinux/dwarf-offsets.js';
import { must } from '../../cpu-fixture.js';
import { buildElf } from '../../elf/elf-builder.js';
import { sample } from '../../exhaustive.js';
import { expectedOffsets, LAYOUTS, layoutElf, wantedMember } from './layout-fixture.js';

/** Bytes of a section that are changed. */
const CHANGED = 60;

beforeAll(loadZstd);

/** Every member of the table, and the trampoline without which no kernel has kretprobes. */
function wantedOf(elf: ElfImage): readonly WantedMember[] {
  return [...expectedOffsets(elf).keys()].map(wantedMember);
}

function withTrampoline(elf: ElfImage): ElfImage {
  const [some] = elf.symbols;
  if (some === undefined) throw new Error('the fixture has symbols');
  return { ...elf, symbols: [...elf.symbols, { ...some, name: '__kretprobe_trampoline' }] };
}

function found(elf: ElfImage): Record<string, number | undefined> | string {
  const wanted = wantedOf(elf);
  const source = dwarfOffsets(withTrampoline(elf), wanted);
  if (!source.ok) return source.error;
  return Object.fromEntries(
    wanted.map((member) => [`${member.struct}.${member.member}`, source.value?.offsetOf(member)]),
  );
}

describe('offsets from DWARF are what offsetof() gave', () => {
  it.each([
    'gcc-dwarf4.elf',
    'gcc-dwarf5.elf',
    'gcc-dwarf64.elf',
    'gcc-zlib.elf',
    'gcc-zstd.elf',
    'gcc-gnu-zlib.elf',
    'clang-dwarf4.elf',
    'clang-dwarf5.elf',
  ])('%s', (name) => {
    const elf = layoutElf(name);
    const expected = Object.fromEntries(expectedOffsets(elf));
    const wanted = Object.values(WANTED_MEMBERS).map(({ struct, member }) => `${struct}.${member}`);
    expect(Object.keys(expected)).toEqual(expect.arrayContaining(wanted));
    expect(found(elf)).toEqual(expected);
  });

  it('and say which structure in .debug_info', () => {
    const source = must(dwarfOffsets(layoutElf('gcc-dwarf5.elf'), [wantedMember('kprobe.addr')]));
    expect(source?.evidenceOf?.(wantedMember('kprobe.addr'))).toMatch(/^kprobe at 0x[0-9a-f]+$/);
  });
});

describe('there is nothing', () => {
  it('in type units', () => {
    const offsets = found(layoutElf('gcc-types.elf'));
    expect(new Set(Object.values(offsets))).toEqual(new Set([undefined]));
  });

  it('without DWARF, and without kprobes', () => {
    const wanted = [wantedMember('kprobe.addr')];
    expect(must(dwarfOffsets(layoutElf('gcc-no-dwarf.elf'), wanted))).toBeUndefined();
    const elf = layoutElf('gcc-dwarf5.elf');
    const symbols = elf.symbols.filter(({ name }) => name !== 'kprobe_table');
    expect(must(dwarfOffsets({ ...elf, symbols }, wanted))).toBeUndefined();
  });

  it.each(['kprobe.first', 'kprobe.nothing', 'task_struct.small.no', 'hlist_node.x'])(
    'called %s',
    (path) => {
      const source = must(dwarfOffsets(layoutElf('gcc-dwarf5.elf'), [wantedMember(path)]));
      expect(source?.offsetOf(wantedMember(path))).toBeUndefined();
    },
  );
});

describe('corrupt DWARF', () => {
  const change = (file: string, section: string, at: number, bytes: readonly number[]): string => {
    const whole = Buffer.from(readFileSync(join(LAYOUTS, file)));
    const { offset } = must(parseElf(file, whole)).section(section) ?? { offset: NaN };
    whole.set(bytes, offset + at);
    const offsets = found(must(parseElf(file, whole)));
    return typeof offsets === 'string' ? offsets : 'found';
  };

  it.each([
    ['gcc-dwarf5.elf', '.debug_info', 0, [0xff, 0xff, 0xff, 0x7f], /unit_length .* 0x7fffffff, /],
    ['gcc-dwarf5.elf', '.debug_info', 0, [0, 0, 0, 0], /^\.debug_info: unit_length at offset 0x0/],
    ['gcc-dwarf5.elf', '.debug_info', 4, [9], /version at offset 0x4 is 9, not 2 to 5/],
    ['gcc-dwarf5.elf', '.debug_info', 12, [0x7f], /code at offset 0xc is 127, and the unit has/],
    [
      'gcc-dwarf5.elf',
      '.debug_abbrev',
      4,
      [0xff, 0x7e],
      /form at offset 0x4 is 0x3f7f, an unknown form/,
    ],
    ['gcc-zlib.elf', '.debug_info', 30, [0xff, 0xff], /^\.debug_info is compressed but corrupt: /],
    ['gcc-zstd.elf', '.debug_info', 30, [0xff, 0xff], /^\.debug_info is compressed but corrupt: /],
    ['gcc-zlib.elf', '.debug_info', 0, [7], /^\.debug_info has compression type 7, not 1 or 2$/],
    ['gcc-zlib.elf', '.debug_info', 8, [0, 0xff], /^\.debug_info decompresses to less than/],
    ['gcc-gnu-zlib.elf', '.zdebug_info', 0, [0], /^\.zdebug_info does not begin with 'ZLIB'/],
  ] as const)('%s %s+%i %j is one line', (file, section, at, bytes, message) => {
    const line = change(file, section, at, bytes);
    expect(line).toMatch(message);
    expect(line).not.toMatch(/\n|NaN|undefined/);
  });

  it.each(['gcc-dwarf5.elf', 'gcc-dwarf64.elf', 'clang-dwarf5.elf', 'clang-dwarf4.elf'])(
    'of any kind is an answer or one line: %s',
    (file) => {
      const whole = readFileSync(join(LAYOUTS, file));
      const { sections } = must(parseElf(file, whole));
      const debug = sections.filter(({ name }) => /^\.debug_(info|abbrev|str)/.test(name));
      for (const { name, size, offset } of debug) {
        const places = Array.from({ length: Math.ceil(size / 3) }, (_, i) => 3 * i);
        for (const at of sample(places, CHANGED)) {
          const copy = Buffer.from(whole);
          copy[offset + at] = (at * 7 + 0x81) & 0xff;
          const answer = found(must(parseElf(file, copy)));
          if (typeof answer === 'string') expect(answer, name).not.toMatch(/\n|NaN|undefined/);
        }
      }
    },
  );
});

it('that would be gone through for ever is given up', () => {
  // 1: a unit; 2: a structure with a name; 3: an anonymous member.
  const abbrev = [1, 0x11, 1, 0, 0, 2, 0x13, 1, 3, 8, 0, 0, 3, 0x0d, 0, 0x49, 0x13, 0, 0, 0];
  const body = [1];
  const header = 12;
  let inner = header;
  const word = (value: number): number[] => [...Buffer.from(Uint32Array.of(value).buffer)];
  for (let i = 0; i < 31; i++) {
    const at = header + body.length;
    const name = i === 30 ? 'kprobe' : 's';
    body.push(2, ...Buffer.from(`${name}\0`));
    if (i > 0) body.push(3, ...word(inner), 3, ...word(inner));
    body.push(0);
    inner = at;
  }
  body.push(0);
  const info = Uint8Array.from([...word(body.length + 8), 5, 0, 1, 8, ...word(0), ...body]);
  const file = buildElf({
    sections: [
      { name: '.debug_info', type: 1, data: info },
      { name: '.debug_abbrev', type: 1, data: Uint8Array.from(abbrev) },
    ],
    symbols: [{ name: 'kprobe_table', value: 0n, size: 512 }],
  });
  const source = dwarfOffsets(must(parseElf('a.elf', file)), [wantedMember('kprobe.addr')]);
  expect(source).toMatchObject({
    error: expect.stringMatching(/^\.debug_info: entries at .*: more than 262144, /) as string,
  });
});

/** A `.debug_info` of one unit that is followed by as many bytes as are wanted, in a file with holes. */
describe('a large file', () => {
  const folder = mkdtempSync(join(tmpdir(), 'kunwind-dwarf-'));
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  it('is read up to the last structure', () => {
    const path = join(folder, 'vmlinux');
    copyFileSync(join(LAYOUTS, 'gcc-dwarf5.elf'), path);
    const elf = must(loadElf(path));
    let read = 0;
    const counted: ElfImage = {
      ...elf,
      sections: elf.sections,
      section: (name) => {
        const section = elf.section(name);
        // Behind the units there is what could not be read at all.
        return section && (name === '.debug_info' ? { ...section, size: 2 ** 33 } : section);
      },
      read: (offset, length) => {
        read += length;
        return elf.read(offset, Math.min(length, 2 ** 20));
      },
    };
    const wanted = [wantedMember('kprobe.addr'), wantedMember('task_struct.stack')];
    const source = must(dwarfOffsets(counted, wanted));
    expect(source?.offsetOf(wantedMember('kprobe.addr'))).toBe(72);
    expect(read).toBeLessThan(2 ** 21);
  });

  it('whose end is missing is one line', () => {
    const path = join(folder, 'cut');
    writeFileSync(path, readFileSync(join(LAYOUTS, 'gcc-dwarf5.elf')));
    const elf = must(loadElf(path));
    writeFileSync(path, '');
    expect(existsSync(path)).toBe(true);
    const source = dwarfOffsets(elf, [wantedMember('kprobe.addr')]);
    expect(source).toEqual({
      ok: false,
      error: `.debug_info cannot be read: ${path} became shorter while it was read`,
    });
  });
});
