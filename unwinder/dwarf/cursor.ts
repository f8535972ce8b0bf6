/** Reads call frame information. Its problems are {@link DwarfError}s. */
import { ByteCursor } from '../../base/byte-cursor.js';
import { type DwarfError, DwarfProblem } from './error.js';

export class CfiCursor extends ByteCursor<DwarfError['kind']> {
  override fail(kind: DwarfError['kind'], field: string, offset: number, value: number): never {
    throw new DwarfProblem({ kind, field, offset, value });
  }
}
