import { readFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { codeOffsets } from '../../../kernel-model/vmlinux/code-offsets.js';
import { WANTED_MEMBERS } from '../../../kernel-model/vmlinux/structure-offsets.js';
import { codeOf, expectedOffsets, LAYOUTS, layoutElf } from './layout-fixture.js';

const { kprobeList, kprobeAddress, kprobePreHandler } = WANTED_MEMBERS;
const KPROBE = [kprobeList, kprobeAddress, kprobePreHandler];

describe('a kretprobe with another layout than the kernel has', () => {
  // kretprobe_find_ret_addr(), which tells the instance's, is not in the files.
  const MEMBERS = Object.values(WANTED_MEMBERS).filter(
    ({ needed, struct }) =>
      needed === 'functions with a kretprobe' &&
      /^(kprobe|kretprobe|kretprobe_holder)$/.test(struct),
  );

  it.each(['gcc-no-dwarf.elf', 'gcc-dwarf5.elf'])('in code: %s', (name) => {
    const elf = layoutElf(name);
    const expected = expectedOffsets(elf);
    const source = codeOffsets(codeOf(elf));
    const paths = MEMBERS.map(({ struct, member }) => `${struct}.${member}`);
    expect(paths).toHaveLength(9);
    expect(MEMBERS.map((member) => source.offsetOf(member))).toEqual(
      paths.map((path) => expected.get(path)),
    );
  });

  it('in code of another compiler', () => {
    const elf = layoutElf('clang-dwarf5.elf');
    const expected = expectedOffsets(elf);
    const source = codeOffsets(codeOf(elf));
    // Its load of the task's list has the offset in a register.
    const known = MEMBERS.filter((member) => member !== WANTED_MEMBERS.kretprobeReturnHandler);
    for (const member of known) {
      const path = `${member.struct}.${member.member}`;
      expect([path, source.offsetOf(member)]).toEqual([path, expected.get(path)]);
    }
    expect(source.offsetOf(WANTED_MEMBERS.kretprobeReturnHandler)).toBeUndefined();
  });

  it('is unknown without what gives it a slot', () => {
    const code = codeOf(layoutElf('gcc-no-dwarf.elf'));
    const symbols = new Map([...code.symbols].filter(([one]) => one !== '__get_insn_slot'));
    const source = codeOffsets({ ...code, symbols });
    expect(source.offsetOf(WANTED_MEMBERS.kprobeSlot)).toBeUndefined();
    expect(source.offsetOf(WANTED_MEMBERS.kprobeOpcode)).toBe(132);
  });
});

describe('a kprobe with another layout than the kernel has', () => {
  it.each(['gcc-no-dwarf.elf', 'gcc-dwarf5.elf', 'clang-dwarf5.elf'])('in code: %s', (name) => {
    const elf = layoutElf(name);
    const expected = expectedOffsets(elf);
    const source = codeOffsets(codeOf(elf));
    const found = KPROBE.map((member) => source.offsetOf(member));
    expect(found).toEqual(KPROBE.map(({ member }) => expected.get(`kprobe.${member}`)));
    expect(found).not.toContain(undefined);
    expect(source.evidenceOf?.(kprobeAddress)).toMatch(/^compared with .*get_kprobe\+0x/);
  });

  it('is unknown where two calls do not agree', () => {
    const code = codeOf(layoutElf('gcc-no-dwarf.elf'));
    const aggregate = code.symbols.get('aggr_pre_handler')?.address ?? NaN;
    // LDR X, [X, #imm] with another offset, wherever it was in the list's handler.
    const word = (address: number): number => {
      const old = code.word(address);
      const isHandlers = address > aggregate && (old & 0xffc00000) >>> 0 === 0xf9400000;
      return isHandlers ? old ^ (1 << 12) : old;
    };
    const source = codeOffsets({ ...code, word });
    expect(source.offsetOf(kprobePreHandler)).toBeUndefined();
    expect(source.offsetOf(kprobeAddress)).toBe(72);
  });

  it.each(['get_kprobe', 'kprobe_table'])('is unknown without %s', (name) => {
    const code = codeOf(layoutElf('gcc-no-dwarf.elf'));
    const symbols = new Map([...code.symbols].filter(([one]) => one !== name));
    expect(codeOffsets({ ...code, symbols }).offsetOf(kprobeAddress)).toBeUndefined();
  });
});

it('the files are what their sources were built to', () => {
  type Entry = { readonly sha256: string; readonly sources: Readonly<Record<string, string>> };
  const text = readFileSync(join(LAYOUTS, 'manifest.json'), 'utf8');
  const manifest = JSON.parse(text) as Readonly<Record<string, Entry>>;
  const hash = (file: string): string =>
    createHash('sha256')
      .update(readFileSync(join(LAYOUTS, file)))
      .digest('hex');
  for (const [elf, { sha256, sources }] of Object.entries(manifest)) {
    expect([elf, hash(elf)]).toEqual([elf, sha256]);
    for (const [source, was] of Object.entries(sources)) {
      expect([source, hash(source)]).toEqual([source, was]);
    }
  }
});
