/** Structure offsets from a kernel's DWARF, for members that no better source has. */
import { sectionBytes, type SectionBytes, SectionUnreadable } from '../../elf/section-bytes.js';
import type { ElfImage } from '../../elf/image.js';
import { fail, ok, type Result } from '../../base/result.js';
import type { OffsetSource, WantedMember } from './structure-offsets.js';
import { formatDebugInfoError } from '../../elf/debug-info/error.js';
import { findMembers, type FoundMember } from '../../elf/debug-info/members.js';

/**
 * Reads DWARF until the last of the structures is found.
 * @param members the members to find; the source knows no others
 * @returns undefined when there is no DWARF or none of the members. The error is one line, without
 * the file's name
 */
export function dwarfOffsets(
  elf: ElfImage,
  members: readonly WantedMember[],
): Result<OffsetSource | undefined, string> {
  const wanted = members.filter((member) => isInKernel(elf, member));
  if (wanted.length === 0) return ok(undefined);
  try {
    const info = sectionBytes(elf, '.debug_info');
    const abbrev = sectionBytes(elf, '.debug_abbrev');
    if (info === undefined || abbrev === undefined) return ok(undefined);
    const other = (name: string): SectionBytes | undefined => sectionBytes(elf, name);
    const found = findMembers(
      {
        info,
        abbrev,
        str: other('.debug_str'),
        lineStr: other('.debug_line_str'),
        strOffsets: other('.debug_str_offsets'),
      },
      wanted,
    );
    if (!found.ok) return fail(formatDebugInfoError(found.error));
    return ok(sourceOf(wanted, found.value));
  } catch (error) {
    if (error instanceof SectionUnreadable) return fail(error.message);
    throw error;
  }
}

function sourceOf(
  wanted: readonly WantedMember[],
  found: readonly (FoundMember | undefined)[],
): OffsetSource {
  const byDefine = new Map(wanted.map(({ define }, i) => [define, found[i]]));
  return {
    origin: 'DWARF',
    offsetOf: ({ define }) => byDefine.get(define)?.offset,
    evidenceOf: ({ define, struct }) => {
      const entry = byDefine.get(define)?.entry;
      return entry === undefined ? undefined : `${struct} at 0x${entry.toString(16)}`;
    },
  };
}

/**
 * Symbols without which a kernel does not have a structure. Without this check, all units would be
 * searched for it.
 */
const PROOF: readonly (readonly [struct: RegExp, symbols: readonly string[]])[] = [
  [/^kprobe$/, ['kprobe_table']],
  [/^(kretprobe|objpool)/, ['__kretprobe_trampoline', 'arch_rethook_trampoline']],
];

function isInKernel({ symbols }: ElfImage, { struct }: WantedMember): boolean {
  const proof = PROOF.find(([pattern]) => pattern.test(struct))?.[1];
  return proof === undefined || symbols.some(({ name }) => proof.includes(name));
}
