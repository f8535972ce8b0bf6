/**
 * Everything that can be wrong with DWARF call frame information, with a one-line message for each.
 */
import { plural } from '../../base/number-text.js';

/** Why a section was refused: the first problem that was found. */
export interface DwarfError {
  readonly kind:
    | 'truncated'
    | 'bad-length'
    | 'bad-cie-pointer'
    | 'unsupported-version'
    | 'unsupported-augmentation'
    | 'unsupported-encoding'
    | 'unsupported-opcode'
    | 'bad-address'
    | 'bad-number'
    | 'no-saved-state'
    | 'cfa-not-register';
  /** The field or opcode, as DWARF 5 section 6.4 names it. */
  readonly field: string;
  /** Offset of the field in the section, in bytes. */
  readonly offset: number;
  /** The offending value; for `truncated`, how many bytes are missing. */
  readonly value: number;
}

/** A one-line message for the user, without a newline. */
export function formatDwarfError(error: DwarfError): string {
  const at = `${error.field} at offset 0x${error.offset.toString(16)}`;
  const value = `0x${error.value.toString(16)}`;
  switch (error.kind) {
    case 'truncated':
      return `call frame information truncated: ${at} needs ${plural(error.value, 'more byte')}`;
    case 'bad-length':
      return `call frame information: ${at} is ${value}, beyond the end of the section`;
    case 'bad-cie-pointer':
      return `call frame information: ${at} leads to ${value}, where no CIE begins`;
    case 'unsupported-version':
      return `call frame information: ${at} is ${error.value}, not 1, 3 or 4`;
    case 'unsupported-augmentation':
      return `call frame information: ${at} has the unknown letter ${value}`;
    case 'unsupported-encoding':
      return `call frame information: ${at} is ${value}, an unsupported pointer encoding`;
    case 'unsupported-opcode':
      return `call frame information: ${at} is ${value}, an unknown instruction`;
    case 'bad-address':
      return `call frame information: ${at} is not a 48-bit address`;
    case 'bad-number':
      return `call frame information: ${at} is a number of more than 53 bits`;
    case 'no-saved-state':
      return `call frame information: ${at} restores a state that was not saved`;
    case 'cfa-not-register':
      return `call frame information: ${at} changes a CFA that is not a register plus an offset`;
  }
}

/** Thrown where a value cannot be read, and caught inside this folder. */
export class DwarfProblem extends Error {
  constructor(readonly error: DwarfError) {
    super(formatDwarfError(error));
  }
}
