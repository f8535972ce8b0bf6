/** Files that the sframe commands read. */
import type { ObjectLayout } from '../elf/file.js';
import { whyNoSFrame } from '../elf/sections.js';
import type { Result } from '../base/result.js';
import { type FileTables, readTables } from '../tables/read-tables.js';
import { UsageError } from './usage-error.js';

/** @throws UsageError */
export function mustRead(file: string, layout?: ObjectLayout): FileTables {
  return must(readTables(file, layout));
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
