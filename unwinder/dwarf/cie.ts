/** Common information entries (DWARF 5 section 6.4.1), with the augmentations of GCC and LLVM. */

import { type Address } from '../../base/address.js';
import { type CfiCursor } from './cursor.js';
import { DW_EH_PE_ABSPTR, readPointer, skipPointer } from './pointer.js';
import { BLANK_STATE, runInitial, type DwarfState } from './program.js';

/** A decoded CIE: what all FDEs that refer to it share. */
export interface Cie {
  /** Factor of advances, in bytes. */
  readonly codeAlignment: number;
  /** Factor of offsets, in signed bytes. */
  readonly dataAlignment: number;
  /** DWARF number of the return address column. */
  readonly raRegister: number;
  /** DW_EH_PE_* of `initial_location`. */
  readonly pointerEncoding: number;
  /** Augmentation `z`: the entries carry augmentation data, preceded by its length. */
  readonly hasData: boolean;
  /** Augmentation `S`: the frame of a signal handler, whose caller was interrupted. */
  readonly signalFrame: boolean;
  /** Augmentation `B`: return addresses are signed with key B. */
  readonly pauthKeyB: boolean;
  /** The rules after the CIE's initial instructions. */
  readonly initial: DwarfState;
}

/**
 * Reads a CIE and runs its initial instructions.
 * @param cursor at the version field
 * @param sectionAddress address of the section's first byte
 * @throws DwarfProblem
 */
export function readCie(cursor: CfiCursor, sectionAddress: Address): Cie {
  const versionAt = cursor.at;
  const version = cursor.u8('version');
  if (version !== 1 && version !== 3 && version !== 4) {
    cursor.fail('unsupported-version', 'version', versionAt, version);
  }
  const augmentationAt = cursor.at;
  const augmentation = cursor.text('augmentation');
  if (version === 4) {
    const at = cursor.at;
    const addressSize = cursor.u8('address_size');
    if (addressSize !== 8) cursor.fail('unsupported-encoding', 'address_size', at, addressSize);
    const segmentSize = cursor.u8('segment_selector_size');
    if (segmentSize !== 0) {
      cursor.fail('unsupported-encoding', 'segment_selector_size', at + 1, segmentSize);
    }
  }
  const codeAlignment = cursor.uleb('code_alignment_factor');
  const dataAlignment = cursor.sleb('data_alignment_factor');
  const raRegister =
    version === 1 ? cursor.u8('return_address_register') : cursor.uleb('return_address_register');

  const letters = readAugmentation(cursor, augmentation, augmentationAt);
  const known = { codeAlignment, dataAlignment, raRegister, ...letters };
  const initial = runInitial(cursor, {
    ...known,
    initial: BLANK_STATE,
    readLocation: (from) =>
      readPointer(from, 'DW_CFA_set_loc', letters.pointerEncoding, sectionAddress),
  });
  return { ...known, initial };
}

type Letters = Pick<Cie, 'pointerEncoding' | 'hasData' | 'signalFrame' | 'pauthKeyB'>;

function readAugmentation(cursor: CfiCursor, text: string, textAt: number): Letters {
  let pointerEncoding = DW_EH_PE_ABSPTR;
  let signalFrame = false;
  let pauthKeyB = false;
  const hasData = text.startsWith('z');
  const end = hasData ? cursor.uleb('augmentation length') + cursor.at : cursor.at;
  for (let i = 0; i < text.length; i++) {
    const letter = text.charAt(i);
    if (letter === 'z' && i === 0) continue;
    if (letter === 'R' && hasData) pointerEncoding = cursor.u8('FDE pointer encoding');
    else if (letter === 'L' && hasData) cursor.u8('LSDA encoding');
    else if (letter === 'P' && hasData) {
      skipPointer(cursor, 'personality', cursor.u8('personality encoding'));
    } else if (letter === 'S') signalFrame = true;
    else if (letter === 'B') pauthKeyB = true;
    // `G` is memory tagging of the frame (LLVM): it does not affect where registers are saved.
    else if (letter !== 'G') {
      const at = textAt + i;
      cursor.fail('unsupported-augmentation', 'augmentation', at, letter.charCodeAt(0));
    }
  }
  if (hasData) {
    if (end < cursor.at) cursor.fail('bad-length', 'augmentation length', textAt, end - textAt);
    cursor.skip('augmentation data', end - cursor.at);
  }
  return { pointerEncoding, hasData, signalFrame, pauthKeyB };
}
