/** Names of relocation types, as readelf prints them (ELF for the Arm 64-bit Architecture). */
import {
  R_AARCH64_ABS32,
  R_AARCH64_ABS64,
  R_AARCH64_COPY,
  R_AARCH64_GLOB_DAT,
  R_AARCH64_IRELATIVE,
  R_AARCH64_JUMP_SLOT,
  R_AARCH64_PREL32,
  R_AARCH64_PREL64,
  R_AARCH64_RELATIVE,
  R_AARCH64_TLS_DTPMOD64,
  R_AARCH64_TLS_DTPREL64,
  R_AARCH64_TLS_TPREL64,
  R_AARCH64_TLSDESC,
} from './format.js';

/** Types that a linker leaves in a linked file, including data relocations. */
const NAMES: ReadonlyMap<number, string> = new Map([
  [R_AARCH64_ABS64, 'ABS64'],
  [R_AARCH64_ABS32, 'ABS32'],
  [259, 'ABS16'],
  [R_AARCH64_PREL64, 'PREL64'],
  [R_AARCH64_PREL32, 'PREL32'],
  [262, 'PREL16'],
  [580, 'AUTH_ABS64'],
  [R_AARCH64_COPY, 'COPY'],
  [R_AARCH64_GLOB_DAT, 'GLOB_DAT'],
  [R_AARCH64_JUMP_SLOT, 'JUMP_SLOT'],
  [R_AARCH64_RELATIVE, 'RELATIVE'],
  [R_AARCH64_TLS_DTPMOD64, 'TLS_DTPMOD64'],
  [R_AARCH64_TLS_DTPREL64, 'TLS_DTPREL64'],
  [R_AARCH64_TLS_TPREL64, 'TLS_TPREL64'],
  [R_AARCH64_TLSDESC, 'TLSDESC'],
  [R_AARCH64_IRELATIVE, 'IRELATIVE'],
  [1041, 'AUTH_RELATIVE'],
]);

/** `R_AARCH64_GLOB_DAT`, or `relocation type 1099` for a type without a known name. */
export function relocationName(type: number): string {
  const name = NAMES.get(type);
  return name === undefined ? `relocation type ${type}` : `R_AARCH64_${name}`;
}
