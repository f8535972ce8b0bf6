/** What doctor says of where structure offsets come from. */
import { expect, it } from 'vitest';
import { loadElf } from '../../emulator/elf-image.js';
import { checkVmlinux } from '../../kernel-model/vmlinux-check.js';
import { loadStub } from '../../sweep/stub.js';
import { must } from '../cpu-fixture.js';
import { repositoryPath } from '../machine-fixture.js';

const elf = must(loadElf(repositoryPath('kernel-model/guest/vmlinux')));
const { stub } = must(loadStub());

it.each([
  [[], 'ok', 'from init_task, code; DWARF is not read'],
  [
    ['.debug_info'],
    'missing',
    'from init_task, code; DWARF is not read, though the file has it: give --offsets for the rest',
  ],
  [['.debug_info', '.BTF'], 'ok', 'from BTF, init_task, code; DWARF is not read'],
])('says that DWARF is not read, with sections %j', (names, state, detail) => {
  const [some] = elf.sections;
  if (some === undefined) throw new Error('the guest has sections');
  const sections = [...elf.sections, ...names.map((name) => ({ ...some, name }))];
  const { items } = must(
    checkVmlinux(
      { ...elf, sections, section: (name) => sections.find((section) => section.name === name) },
      [],
      stub,
    ),
  );
  expect(items.find(({ what }) => what === 'structure offsets')).toEqual({
    what: 'structure offsets',
    state,
    detail,
  });
});
