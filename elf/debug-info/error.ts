/** Everything that can be wrong with DWARF type information, with a one-line message for each. */

/** Why a section was refused: the first problem that was found. */
export interface DebugInfoError {
  readonly kind:
    | 'truncated'
    | 'bad-number'
    | 'bad-length'
    | 'bad-reference'
    | 'no-abbreviation'
    | 'unsupported-version'
    | 'unsupported-form'
    | 'too-large';
  readonly section: string;
  /** The field, as DWARF 5 section 7.5 names it. */
  readonly field: string;
  /** In the (decompressed) section, in bytes. */
  readonly offset: number;
  /** The offending value; for `too-large`, the limit. */
  readonly value: number;
}

/** A one-line message for the user, without a newline. */
export function formatDebugInfoError(error: DebugInfoError): string {
  const at = `${error.section}: ${error.field} at offset 0x${error.offset.toString(16)}`;
  const value = `0x${error.value.toString(16)}`;
  switch (error.kind) {
    case 'truncated':
      return `${at} runs past the end of the unit or the section`;
    case 'bad-number':
      return `${at} is a number of more than 53 bits`;
    case 'bad-length':
      return `${at} is ${value}, which points outside the section`;
    case 'bad-reference':
      return `${at} refers to ${value}, which does not follow it or is in no unit`;
    case 'no-abbreviation':
      return `${at} is ${error.value}, and the unit has no such abbreviation`;
    case 'unsupported-version':
      return `${at} is ${error.value}, not 2 to 5`;
    case 'unsupported-form':
      return `${at} is ${value}, an unknown form`;
    case 'too-large':
      return `${at}: more than ${error.value}, the limit`;
  }
}

/** Thrown where a value cannot be read, and caught inside this folder. */
export class DebugInfoProblem extends Error {
  constructor(readonly error: DebugInfoError) {
    super(formatDebugInfoError(error));
  }
}
