/** Files that the sframe commands read. */
import type { ElfFile, ObjectLayout } from '../elf/file.js';
import { whyNoSFrame } from '../elf/sections.js';
import type { Result } from '../base/result.js';
import { type FileTables, readTables } from '../tables/read-tables.js';
import { layoutNote } from '../unwinder/sframe/tables.js';
import { complain } from './output.js';
import { UsageError } from './usage-error.js';

/** Tells on standard error of a file that a kernel would read only a part of. @throws UsageError */
export function mustRead(file: string, layout?: ObjectLayout): FileTables {
  const tables = must(readTables(file, layout));
  warnOfLayout(file, tables.elf);
  return tables;
}

/** One line on standard error where a section holds more than one table, or bytes of none. */
export function warnOfLayout(file: string, { sframe }: Pick<ElfFile, 'sframe'>): void {
  const note = layoutNote(file, sframe);
  if (note !== undefined) complain(`warning: ${note}`);
}

/** The same for a file that must have an .sframe section. @throws UsageError */
export function mustHaveSFrame(file: string, layout?: ObjectLayout): FileTables {
  const tables = mustRead(file, layout);
  if (tables.sframe.length === 0) {
    throw new UsageError(`${file}: ${whyNoSFrame(tables.elf.sections)}`);
  }
  return tables;
}

/** The value, or the error as the user's. @throws UsageError */
export function must<T>(result: Result<T, string>): T {
  if (!result.ok) throw new UsageError(result.error);
  return result.value;
}
