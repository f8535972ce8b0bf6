/** The unwind rules of all code on a machine. */
import { fail, ok, type Result } from '../base/result.js';
import type { ElfImage } from '../elf/image.js';
import { RuleTable } from '../unwinder/rule-table.js';
import { formatSFrameError } from '../unwinder/sframe/error.js';
import type { SFrameSection } from '../unwinder/sframe/section.js';
import { decodeSFrameTables } from '../unwinder/sframe/tables.js';

/** Why a `.sframe` section cannot be used. */
export interface SFrameProblem {
  readonly kind: 'sframe';
  readonly path: string;
  readonly message: string;
}

/** The unwind rules of images. An image without `.sframe` adds none. */
export function buildRules(images: readonly ElfImage[]): Result<RuleTable, SFrameProblem> {
  const sections: SFrameSection[] = [];
  for (const image of images) {
    for (const section of image.sframe) {
      const decoded = decodeSFrameTables(section.data, section.address);
      if (!decoded.ok) {
        const message = formatSFrameError(decoded.error);
        return fail({ kind: 'sframe', path: image.path, message });
      }
      sections.push(...decoded.value.map(({ table }) => table));
    }
  }
  return ok(new RuleTable(sections));
}
