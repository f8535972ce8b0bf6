/**
 * An SFrame section as text, byte for byte as `readelf --sframe` of binutils 2.47 prints it, except for
 * the addresses that readelf gets wrong (docs/verifier.md, "Where readelf prints other addresses"). That
 * readelf refuses V1, which is printed in the same layout, as binutils 2.40 did.
 */

import { type Address, hexAddress, formatAddress } from '../../base/address.js';
import {
  FDE_TYPE_FLEX,
  F_FDE_FUNC_START_PCREL,
  F_FDE_SORTED,
  F_FRAME_POINTER,
  INFO2_FDE_TYPE,
  INFO_PAUTH_KEY_B,
  INFO_PCTYPE_MASK,
  INFO_SIGNAL,
  ROW_MANGLED_RA,
} from './format.js';
import { rowColumns } from './row-text.js';
import { type SFrameSection } from './section.js';

/** The properties of one function that a dump shows. */
export interface FunctionFacts {
  /** Row starts are offsets in a repeated block, not in the function. */
  readonly isMask: boolean;
  readonly isFlex: boolean;
  readonly isSignalFrame: boolean;
  readonly isKeyB: boolean;
}

/**
 * Yields the lines of the dump, without newlines.
 * @param name name of the section
 * @param functionName names a function at the end of its line; readelf prints no names
 */
export function* dumpSFrame(
  section: SFrameSection,
  name = '.sframe',
  functionName?: (start: Address, size: number) => string,
): Generator<string> {
  const { header, functions, rows } = section;
  const view = sectionView(section);
  yield `Contents of the SFrame section ${name}:`;
  yield '  Header :';
  yield '';
  yield `    Version: SFRAME_VERSION_${header.version}`;
  const flags = flagNames(header.flags);
  const last = flags.length - 1;
  for (let i = 0; i <= last; i++) {
    yield `${i === 0 ? '    Flags: ' : '           '}${flags[i] ?? ''}${i < last ? ',' : ''}`;
  }
  if (last < 0) yield '    Flags: NONE';
  yield `    Num FDEs: ${header.functionCount}`;
  yield `    Num FREs: ${header.rowCount}`;
  yield '';
  yield '  Function Index :';

  for (let f = 0; f < functions.count; f++) {
    const facts = functionFacts(section, f);
    const start = functions.start[f] as number;
    const attributes = (facts.isSignalFrame ? 'S' : '') + (facts.isFlex ? 'F' : '');
    yield '';
    yield (
      `    func idx [${f}]: pc = ${formatAddress(start)}, size = ${functions.size[f] as number} bytes` +
      (attributes === '' ? '' : `, attr = "${attributes}"`) +
      (facts.isKeyB ? ', pauth = B key' : '') +
      (functionName === undefined ? '' : ` <${functionName(start, functions.size[f] as number)}>`)
    );
    yield `    STARTPC${facts.isMask ? '[m]' : '   '}      CFA       FP        RA           `;
    const first = functions.firstRow[f] as number;
    const end = first + (functions.rowCount[f] as number);
    for (let row = first; row < end; row++) {
      const offset = rows.start[row] as number;
      const pc = hexAddress(facts.isMask ? offset : start + offset);
      const infoOffset = rows.infoOffset[row] as number;
      const columns = rowColumns(view, infoOffset, facts.isFlex, functionName === undefined);
      if (columns === undefined) {
        yield `    ${pc}  RA undefined`;
        continue;
      }
      const isMangled = (view.getUint8(infoOffset) & ROW_MANGLED_RA) !== 0;
      const ra = columns.ra + (isMangled ? '[s]' : '   ');
      yield `    ${pc}  ${columns.cfa.padEnd(10)}${columns.fp.padEnd(10)}${ra.padEnd(13)}`;
    }
  }
}

/** The names of the flags that are set, in bit order. */
export function flagNames(flags: number): string[] {
  const names: string[] = [];
  if ((flags & F_FDE_SORTED) !== 0) names.push('SFRAME_F_FDE_SORTED');
  if ((flags & F_FRAME_POINTER) !== 0) names.push('SFRAME_F_FRAME_POINTER');
  if ((flags & F_FDE_FUNC_START_PCREL) !== 0) names.push('SFRAME_F_FDE_FUNC_START_PCREL');
  return names;
}

/** Decodes the info bytes of function `f` (SFrame spec section 2.3.3). */
export function functionFacts(section: SFrameSection, f: number): FunctionFacts {
  const info = section.functions.info[f] as number;
  const info2 = section.functions.info2[f] as number;
  return {
    isMask: (info & INFO_PCTYPE_MASK) !== 0,
    isFlex: (info2 & INFO2_FDE_TYPE) === FDE_TYPE_FLEX,
    isSignalFrame: (info & INFO_SIGNAL) !== 0,
    isKeyB: (info & INFO_PAUTH_KEY_B) !== 0,
  };
}

/** A view over the section's bytes. */
export function sectionView(section: SFrameSection): DataView {
  const { buffer, byteOffset, byteLength } = section.bytes;
  return new DataView(buffer, byteOffset, byteLength);
}
