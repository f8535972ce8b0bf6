/** Everything that can be wrong with DWARF call frame information, and one line for each. */

/** Why a section was refused: the first problem found. `offset` is in the section, in bytes. */
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
  /** The field or opcode in the words of DWARF 5 section 6.4. */
  readonly field: string;
  readonly offset: number;
  /** The offending value, or for `truncated` the bytes that are needed. */
  readonly value: number;
}

/** One line about `error`, without a newline. */
export function formatDwarfError(error: DwarfError): string {
  const at = `${error.field} at offset 0x${error.offset.toString(16)}`;
  const value = `0x${error.value.toString(16)}`;
  switch (error.kind) {
    case 'truncated':
      return `call frame information truncated: ${at} needs ${error.value} more bytes`;
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
      return `call frame information: ${at} changes a CFA that is not register and offset`;
  }
}

/** Thrown inside the decoder only, where a value cannot be read; never leaves the folder. */
export class DwarfProblem extends Error {
  constructor(readonly error: DwarfError) {
    super(formatDwarfError(error));
  }
}
