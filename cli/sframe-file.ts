/** Reads the files of the sframe commands. */
import type { ObjectLayout } from '../elf/file.js';
import { whyNoSFrame } from '../elf/sections.js';
import type { Result } from '../base/result.js';
import { type FileTables, readTables } from '../tables/read-tables.js';
import { layoutNote } from '../unwinder/sframe/tables.js';
import { complain } from './output.js';
import { UsageError } from './usage-error.js';

/**
 * Reads a file. Warns on standard error if a kernel would read only a part of its tables.
 * @throws UsageError
 */
export function mustRead(file: string, layout?: ObjectLayout): FileTables {
  const tables = must(readTables(file, layout));
  const note = layoutNote(file, tables.elf.sframe);
  if (note !== undefined) complain(`warning: ${note}`);
  return tables;
}

/** As {@link mustRead}, for a file that must have an .sframe section. @throws UsageError */
export function mustHaveSFrame(file: string, layout?: ObjectLayout): FileTables {
  const tables = mustRead(file, layout);
  if (tables.sframe.length === 0) {
    throw new UsageError(`${file}: ${whyNoSFrame(tables.elf.sections)}`);
  }
  return tables;
}

/** The value of a result. @throws UsageError with its error */
export function must<T>(result: Result<T, string>): T {
  if (!result.ok) throw new UsageError(result.error);
  return result.value;
}
