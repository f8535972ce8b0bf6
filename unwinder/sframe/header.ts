/** Decodes the SFrame preamble and header (SFrame spec sections 2.1 and 2.2). */

import { type Result, fail, ok } from '../../base/result.js';
import { type SFrameError } from './error.js';
import {
  ABI_AARCH64_BIG,
  ABI_AARCH64_LITTLE,
  ABI_AMD64_LITTLE,
  ABI_S390X_BIG,
  FDE_SIZE,
  FLAGS_DEFINED,
  HEADER_SIZE,
  SFRAME_MAGIC,
  SFRAME_MAGIC_SWAPPED,
} from './format.js';
import { type SFrameHeader, type SFrameVersion } from './section.js';

/** A row has at least a one-byte start and an info byte. */
const MIN_ROW_SIZE = 2;

/**
 * Decodes the header, and checks that both sub-sections and both counts fit into the section, so
 * that the caller can safely allocate for those counts.
 */
export function decodeHeader(view: DataView): Result<SFrameHeader, SFrameError> {
  const refused = checkPreamble(view);
  if (refused !== undefined) return fail(refused);

  const version = view.getUint8(2) as SFrameVersion;
  const header = readHeader(view, version);
  return checkLayout(view, header) ?? ok(header);
}

/** Checks magic, version, ABI and flags, and that the fixed header is complete. */
function checkPreamble(view: DataView): SFrameError | undefined {
  if (view.byteLength < 2) return truncated('sfp_magic', 0, 2, view.byteLength);
  const magic = view.getUint16(0, true);
  if (magic !== SFRAME_MAGIC && magic !== SFRAME_MAGIC_SWAPPED) {
    return { kind: 'bad-magic', field: 'sfp_magic', offset: 0, value: magic };
  }
  if (view.byteLength < 3) return truncated('sfp_version', 2, 1, 0);
  const version = view.getUint8(2);
  if (version < 1 || version > 3) {
    return { kind: 'unsupported-version', field: 'sfp_version', offset: 2, value: version };
  }

  // Check the ABI before the flags: a section of another architecture should be reported as such.
  if (view.byteLength < 5) return truncated('sfh_abi_arch', 4, 1, 0);
  const abi = view.getUint8(4);
  const name = foreignAbi(abi);
  if (name !== undefined) {
    return { kind: 'unsupported-abi', field: 'sfh_abi_arch', offset: 4, value: abi, abi: name };
  }
  if (magic === SFRAME_MAGIC_SWAPPED) {
    return { kind: 'foreign-endian', field: 'sfp_magic', offset: 0, value: magic };
  }
  if (abi !== ABI_AARCH64_LITTLE) {
    return bad('sfh_abi_arch', 4, abi, 'a known ABI (1 to 4)');
  }

  const flags = view.getUint8(3);
  const defined = FLAGS_DEFINED[version as SFrameVersion];
  if ((flags & ~defined) !== 0) {
    return bad(
      'sfp_flags',
      3,
      flags,
      `a combination of the V${version} flags (0x${defined.toString(16)})`,
    );
  }
  if (view.byteLength < HEADER_SIZE) {
    return truncated('sframe_header', 0, HEADER_SIZE, view.byteLength);
  }

  // On AArch64 each row locates RA and FP (spec section 3.1.2); fixed offsets would contradict
  // that.
  if (view.getInt8(5) !== 0) return bad('sfh_cfa_fixed_fp_offset', 5, view.getInt8(5), '0');
  if (view.getInt8(6) !== 0) return bad('sfh_cfa_fixed_ra_offset', 6, view.getInt8(6), '0');
  return undefined;
}

function foreignAbi(abi: number): string | undefined {
  switch (abi) {
    case ABI_AARCH64_BIG:
      return 'AArch64 big-endian';
    case ABI_AMD64_LITTLE:
      return 'AMD64 little-endian';
    case ABI_S390X_BIG:
      return 's390x big-endian';
    default:
      return undefined;
  }
}

function readHeader(view: DataView, version: SFrameVersion): SFrameHeader {
  const auxHeaderLength = view.getUint8(7);
  const end = HEADER_SIZE + auxHeaderLength;
  return {
    version,
    flags: view.getUint8(3),
    abi: view.getUint8(4),
    cfaFixedFpOffset: view.getInt8(5),
    cfaFixedRaOffset: view.getInt8(6),
    auxHeaderLength,
    functionCount: view.getUint32(0x08, true),
    rowCount: view.getUint32(0x0c, true),
    rowsLength: view.getUint32(0x10, true),
    functionsOffset: end + view.getUint32(0x14, true),
    rowsOffset: end + view.getUint32(0x18, true),
  };
}

/** Checks the layout (spec section 2.2): functions, then rows, all inside the section. */
function checkLayout(
  view: DataView,
  header: SFrameHeader,
): { ok: false; error: SFrameError } | undefined {
  const { auxHeaderLength, functionsOffset, rowsOffset, rowsLength } = header;
  const length = view.byteLength;
  const end = HEADER_SIZE + auxHeaderLength;
  if (end > length) {
    return fail(truncated('auxiliary header', HEADER_SIZE, auxHeaderLength, length - HEADER_SIZE));
  }
  if (rowsOffset > length) {
    return fail(outside('sfh_freoff', 0x18, rowsOffset - end, length - end));
  }
  if (functionsOffset > rowsOffset) {
    return fail(outside('sfh_fdeoff', 0x14, functionsOffset - end, rowsOffset - end));
  }
  const fits = Math.floor((rowsOffset - functionsOffset) / FDE_SIZE[header.version]);
  if (header.functionCount > fits) {
    return fail(outside('sfh_num_fdes', 0x08, header.functionCount, fits));
  }
  if (rowsLength > length - rowsOffset) {
    return fail(outside('sfh_fre_len', 0x10, rowsLength, length - rowsOffset));
  }
  const rowsFit = Math.floor(rowsLength / MIN_ROW_SIZE);
  if (header.rowCount > rowsFit) {
    return fail(outside('sfh_num_fres', 0x0c, header.rowCount, rowsFit));
  }
  return undefined;
}

function truncated(field: string, offset: number, needed: number, available: number): SFrameError {
  return { kind: 'truncated', field, offset, needed, available };
}

function outside(field: string, offset: number, value: number, limit: number): SFrameError {
  return { kind: 'out-of-bounds', field, offset, value, limit };
}

function bad(field: string, offset: number, value: number, expected: string): SFrameError {
  return { kind: 'bad-field', field, offset, value, expected };
}
