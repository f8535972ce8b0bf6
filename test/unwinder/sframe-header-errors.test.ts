import { describe, expect, it } from 'vitest';
import { type SFrameError, formatSFrameError } from '../../unwinder/sframe/error.js';
import { type Patch, errorOf, patched, u32 } from './sframe-patch.js';

describe('header errors name the field and its offset', () => {
  const bad = 'bad-field';
  it.each<[string, 1 | 2 | 3, Patch, Partial<SFrameError>, string]>([
    [
      'magic',
      3,
      { at: 0, bytes: [0x7f, 0x45] },
      { kind: 'bad-magic', field: 'sfp_magic', offset: 0, value: 0x457f },
      'not an SFrame section: sfp_magic at offset 0x0 is 0x457f, not 0xdee2',
    ],
    [
      'byte order without an ABI to name',
      3,
      { at: 0, bytes: [0xde, 0xe2] },
      { kind: 'foreign-endian', field: 'sfp_magic', offset: 0, value: 0xe2de },
      'SFrame section is big-endian with an unknown ABI: sfp_magic at offset 0x0 is 0xe2de',
    ],
    [
      'version 0',
      3,
      { at: 2, bytes: [0] },
      { kind: 'unsupported-version', field: 'sfp_version', offset: 2, value: 0 },
      'unsupported SFrame version: sfp_version at offset 0x2 is 0, not 1, 2 or 3',
    ],
    [
      'version 4',
      3,
      { at: 2, bytes: [4] },
      { kind: 'unsupported-version', field: 'sfp_version', offset: 2, value: 4 },
      'unsupported SFrame version: sfp_version at offset 0x2 is 4, not 1, 2 or 3',
    ],
    [
      'AArch64 big-endian',
      3,
      { at: 0, bytes: [0xde, 0xe2, 3, 0, 1] },
      { kind: 'unsupported-abi', field: 'sfh_abi_arch', offset: 4, value: 1 },
      'SFrame section is for AArch64 big-endian, not AArch64 little-endian: sfh_abi_arch at offset 0x4 is 1',
    ],
    [
      'AMD64',
      2,
      { at: 4, bytes: [3, 0, 0xf8] },
      { kind: 'unsupported-abi', field: 'sfh_abi_arch', offset: 4, value: 3 },
      'SFrame section is for AMD64 little-endian, not AArch64 little-endian: sfh_abi_arch at offset 0x4 is 3',
    ],
    [
      's390x',
      2,
      { at: 0, bytes: [0xde, 0xe2, 2, 0, 4] },
      { kind: 'unsupported-abi', field: 'sfh_abi_arch', offset: 4, value: 4 },
      'SFrame section is for s390x big-endian, not AArch64 little-endian: sfh_abi_arch at offset 0x4 is 4',
    ],
    [
      'ABI',
      3,
      { at: 4, bytes: [9] },
      { kind: bad, field: 'sfh_abi_arch', offset: 4, value: 9 },
      'SFrame sfh_abi_arch at offset 0x4 is 9, not a known ABI (1 to 4)',
    ],
    [
      'PCREL in V1',
      1,
      { at: 3, bytes: [4] },
      { kind: bad, field: 'sfp_flags', offset: 3, value: 4 },
      'SFrame sfp_flags at offset 0x3 is 4, not a combination of the V1 flags (0x3)',
    ],
    [
      'FRAME_POINTER in V3',
      3,
      { at: 3, bytes: [2] },
      { kind: bad, field: 'sfp_flags', offset: 3, value: 2 },
      'SFrame sfp_flags at offset 0x3 is 2, not a combination of the V3 flags (0x5)',
    ],
    [
      'fixed FP',
      3,
      { at: 5, bytes: [0xf0] },
      { kind: bad, field: 'sfh_cfa_fixed_fp_offset', offset: 5, value: -16 },
      'SFrame sfh_cfa_fixed_fp_offset at offset 0x5 is -16, not 0',
    ],
    [
      'fixed RA',
      3,
      { at: 6, bytes: [0xf8] },
      { kind: bad, field: 'sfh_cfa_fixed_ra_offset', offset: 6, value: -8 },
      'SFrame sfh_cfa_fixed_ra_offset at offset 0x6 is -8, not 0',
    ],
    [
      'auxiliary header',
      3,
      { at: 7, bytes: [200] },
      { kind: 'truncated', field: 'auxiliary header', offset: 28, needed: 200, available: 53 },
      'SFrame section truncated: auxiliary header at offset 0x1c needs 200 bytes, 53 left',
    ],
    [
      'number of functions',
      3,
      { at: 8, bytes: u32(0xffff_ffff) },
      { kind: 'out-of-bounds', field: 'sfh_num_fdes', offset: 8, value: 0xffff_ffff, limit: 2 },
      'SFrame sfh_num_fdes at offset 0x8 is 4294967295, beyond its limit 2',
    ],
    [
      'number of rows',
      3,
      { at: 12, bytes: u32(0xffff_ffff) },
      { kind: 'out-of-bounds', field: 'sfh_num_fres', offset: 12, value: 0xffff_ffff, limit: 10 },
      'SFrame sfh_num_fres at offset 0xc is 4294967295, beyond its limit 10',
    ],
    [
      'row length',
      3,
      { at: 16, bytes: u32(22) },
      { kind: 'out-of-bounds', field: 'sfh_fre_len', offset: 16, value: 22, limit: 21 },
      'SFrame sfh_fre_len at offset 0x10 is 22, beyond its limit 21',
    ],
    [
      'function offset',
      3,
      { at: 20, bytes: u32(33) },
      { kind: 'out-of-bounds', field: 'sfh_fdeoff', offset: 20, value: 33, limit: 32 },
      'SFrame sfh_fdeoff at offset 0x14 is 33, beyond its limit 32',
    ],
    [
      'row offset',
      3,
      { at: 24, bytes: u32(0x8000_0000) },
      { kind: 'out-of-bounds', field: 'sfh_freoff', offset: 24, value: 0x8000_0000, limit: 53 },
      'SFrame sfh_freoff at offset 0x18 is 2147483648, beyond its limit 53',
    ],
    [
      'more rows claimed than functions have',
      3,
      { at: 12, bytes: u32(5) },
      { kind: 'count-mismatch', field: 'sfh_num_fres', offset: 12, value: 5, counted: 3 },
      'SFrame sfh_num_fres at offset 0xc is 5, but the functions have 3 rows',
    ],
    [
      'fewer rows claimed than functions have',
      3,
      { at: 12, bytes: u32(2) },
      { kind: 'count-mismatch', field: 'sfh_num_fres', offset: 12, func: 1, counted: 3 },
      'SFrame sfh_num_fres of func idx [1] at offset 0xc is 2, but the functions have 3 rows',
    ],
  ])('%s', (_name, version, patch, error, line) => {
    const actual = errorOf(patched(version, patch));
    expect(actual).toMatchObject(error);
    expect(formatSFrameError(actual)).toBe(line);
  });

  it('says which field a short section cuts', () => {
    const whole = patched(3);
    const cut = (length: number): SFrameError => errorOf(whole.subarray(0, length));
    expect(cut(0)).toMatchObject({ kind: 'truncated', field: 'sfp_magic', available: 0 });
    expect(cut(1)).toMatchObject({ kind: 'truncated', field: 'sfp_magic', available: 1 });
    expect(cut(2)).toMatchObject({ kind: 'truncated', field: 'sfp_version', offset: 2 });
    expect(cut(4)).toMatchObject({ kind: 'truncated', field: 'sfh_abi_arch', offset: 4 });
    expect(cut(27)).toMatchObject({ kind: 'truncated', field: 'sframe_header', needed: 28 });
    expect(cut(28)).toMatchObject({ kind: 'out-of-bounds', field: 'sfh_freoff' });
    expect(cut(80)).toMatchObject({ kind: 'out-of-bounds', field: 'sfh_fre_len' });
  });
});
