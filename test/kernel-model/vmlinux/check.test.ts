/** What doctor says of where structure offsets come from. */
import { describe, expect, it } from 'vitest';
import { loadElf } from '../../../elf/image.js';
import { Kind } from '../../../kernel-model/exception-kind.js';
import { parseOffsets } from '../../../kernel-model/vmlinux/offsets-file.js';
import type { OffsetSource } from '../../../kernel-model/vmlinux/structure-offsets.js';
import { checkVmlinux } from '../../../kernel-model/vmlinux/check.js';
import { loadStub } from '../../../kernel-model/stub.js';
import { must } from '../../cpu-fixture.js';
import { repositoryPath } from '../../machine-fixture.js';

const elf = must(loadElf(repositoryPath('kernel-model/guest/vmlinux')));
const { stub } = must(loadStub());

const given = parseOffsets('o.h', '#define TSK_STACK 32\n');
const btf: OffsetSource = { origin: 'BTF', offsetOf: () => 8 };
const dwarf: OffsetSource = { ...btf, origin: 'DWARF' };

it.each([
  [[], [], 'from init_task'],
  [['.debug_info'], [dwarf], 'from DWARF'],
  [['.debug_info', '.BTF'], [btf], 'from BTF; not used: DWARF'],
  [['.BTF'], [must(given), btf], 'from offsets file, BTF'],
])('says which sources offsets are from, with sections %j', (names, sources, detail) => {
  const [some] = elf.sections;
  if (some === undefined) throw new Error('the guest has sections');
  const sections = [...elf.sections, ...names.map((name) => ({ ...some, name }))];
  const { items } = must(
    checkVmlinux(
      { ...elf, sections, section: (name) => sections.find((section) => section.name === name) },
      sources,
      stub,
    ),
  );
  expect(items.find(({ what }) => what === 'structure offsets')).toEqual({
    what: 'structure offsets',
    state: 'ok',
    detail,
  });
});

describe('breakpoints', () => {
  const [table] = elf.symbols;
  if (table === undefined) throw new Error('the guest has symbols');
  const others = elf.symbols.filter(({ name }) => name !== 'kprobe_table');
  const symbols = [...others, { ...table, name: 'kprobe_table', size: 512, absolute: false }];
  const kernel = { ...elf, symbols, section: () => undefined };

  it('are not taken when struct kprobe is not known, and what to give is said', () => {
    const check = must(checkVmlinux(kernel, [], stub));
    expect(check.items.find(({ what }) => what === 'brk')).toEqual({
      what: 'brk',
      state: 'missing',
      detail:
        'the layout of struct kprobe is not known, so breakpoints are not taken: give KPROBE_HLIST, KPROBE_ADDR, KPROBE_PRE_HANDLER in --offsets',
    });
    expect(check.kernel?.unbooted?.unsupported.has(Kind.BRK)).toBe(true);
  });

  it('are taken with the offsets that are given', () => {
    const text = '#define KPROBE_HLIST 16\n#define KPROBE_ADDR 88\n#define KPROBE_PRE_HANDLER 0\n';
    const given = parseOffsets('o.h', text);
    if (!given.ok) throw new Error(given.error);
    const { kernel: image } = must(checkVmlinux(kernel, [given.value], stub));
    expect(image?.unbooted?.unsupported.has(Kind.BRK)).toBe(false);
    const words = image?.state?.words ?? [];
    const probe = (image?.unbooted?.kprobeAddress ?? NaN) - 88;
    const buckets = words.filter(({ value }) => value === probe + 16);
    expect(buckets).toHaveLength(64);
    expect(words.filter(({ address }) => address === probe)).toHaveLength(1);
  });
});
