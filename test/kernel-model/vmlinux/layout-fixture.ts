/** The files of test/fixtures/dwarf: structures with other layouts than the kernel's, and what the compiler says of them. */
import { join } from 'node:path';
import { type ElfImage, loadElf } from '../../../elf/image.js';
import type { KernelCode } from '../../../kernel-model/vmlinux/code-scan.js';
import type { WantedMember } from '../../../kernel-model/vmlinux/structure-offsets.js';
import { symbolsByName } from '../../../kernel-model/vmlinux/image.js';
import { must } from '../../cpu-fixture.js';

/** The folder. */
export const LAYOUTS = join(import.meta.dirname, '../../fixtures/dwarf');

/** One of the files. */
export function layoutElf(name: string): ElfImage {
  return must(loadElf(join(LAYOUTS, name)));
}

/** Bytes of a file at an address. */
function bytesAt({ segments }: ElfImage, address: number, size: number): DataView {
  for (const { address: low, data } of segments) {
    const at = data.byteOffset + address - low;
    if (address >= low && address + size <= low + data.length) {
      return new DataView(data.buffer, at, size);
    }
  }
  return new DataView(new ArrayBuffer(size));
}

/** Its symbols and code. */
export function codeOf(elf: ElfImage): KernelCode {
  return {
    symbols: symbolsByName(elf),
    word: (address) => bytesAt(elf, address, 4).getUint32(0, true),
  };
}

const ENTRY = 64;
const NAME = 56;

/** What offsetof() gave when it was compiled, by `structure.member`. */
export function expectedOffsets(elf: ElfImage): ReadonlyMap<string, number> {
  const table = elf.symbols.find(({ name }) => name === 'expected');
  if (table === undefined) throw new Error('the fixture has a table of offsets');
  const offsets = new Map<string, number>();
  for (let at = table.address; at < table.address + table.size; at += ENTRY) {
    const entry = bytesAt(elf, at, ENTRY);
    const text = Buffer.from(entry.buffer, entry.byteOffset, NAME).toString('latin1');
    offsets.set(text.replace(/\0.*$/, ''), Number(entry.getBigUint64(NAME, true)));
  }
  return offsets;
}

/** A member that is looked for, from `structure.member`. */
export function wantedMember(path: string): WantedMember {
  const dot = path.indexOf('.');
  const [struct, member] = [path.slice(0, dot), path.slice(dot + 1)];
  return { define: path.toUpperCase(), struct, member, needed: 'a test' };
}
