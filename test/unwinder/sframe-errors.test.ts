import { describe, expect, it } from 'vitest';
import { decodeSFrame } from '../../unwinder/sframe/decode.js';
import { type SFrameError } from '../../unwinder/sframe/error.js';
import { control, encodeSFrame } from './sframe-encoder.js';
import { LAYOUT, type Patch, errorOf, patched, u32 } from './sframe-patch.js';

function flexError(words: number[]): SFrameError {
  const func = { start: 0, size: 4, flex: true, rows: [{ start: 0, words }] };
  return errorOf(encodeSFrame({ version: 3, address: 0x8000, functions: [func] }));
}

describe.each([1, 2, 3] as const)('V%i function and row errors', (version) => {
  const { fdes, fdeSize, fres, info, attribute } = LAYOUT[version];
  const second = fdes + fdeSize;
  const prefix = version === 3 ? 'sfda' : 'sfde';
  /** Of the second function: its rows, and its info byte. */
  const rows = fres + attribute + 3 + attribute;
  const infoAt = version === 3 ? rows - 3 : second + info;

  it.each<[string, Patch, Partial<SFrameError>]>([
    [
      'row offset outside',
      { at: second + (version === 3 ? 12 : 8), bytes: u32(0x100) },
      { kind: 'out-of-bounds', field: `${version === 3 ? 'sfdi' : 'sfde'}_func_start_fre_off` },
    ],
    [
      'FRE type',
      { at: infoAt, bytes: [3] },
      { kind: 'bad-field', field: `${prefix}_func_info.fre_type`, offset: infoAt, value: 3 },
    ],
    [
      'unused info bits',
      { at: infoAt, bytes: [0x40] },
      { kind: 'bad-field', field: `${prefix}_func_info.unused`, offset: infoAt, value: 0x40 },
    ],
    [
      'row past the function',
      { at: rows + 5, bytes: [17] },
      { kind: 'bad-field', field: 'sfre_start_address', offset: rows + 5, value: 17 },
    ],
    [
      'rows out of order',
      { at: rows + 5, bytes: [3] },
      { kind: 'bad-field', field: 'sfre_start_address', offset: rows + 5, value: 3 },
    ],
    [
      'data-word size',
      { at: rows + 6, bytes: [0x63] },
      { kind: 'bad-field', field: 'sfre_info.fre_dataword_size', offset: rows + 6, value: 3 },
    ],
    [
      'data-word count',
      { at: rows + 1, bytes: [(4 << 1) | 1] },
      { kind: 'bad-field', field: 'sfre_info.fre_dataword_count', offset: rows + 1, value: 4 },
    ],
    [
      'data words past the end',
      { at: rows + 6, bytes: [(2 << 1) | 1] },
      { kind: 'truncated', field: 'FRE data words', offset: rows + 7, needed: 2, available: 1 },
    ],
  ])('%s', (_name, patch, error) => {
    expect(errorOf(patched(version, patch))).toMatchObject({ ...error, func: 1 });
  });

  it('rows past the end', () => {
    const bytes = patched(version, { at: 0x10, bytes: u32(2 * attribute + 3 + 5 + 1) });
    expect(errorOf(bytes)).toMatchObject({
      kind: 'truncated',
      field: 'sframe_frame_row_entry',
      offset: rows + 5,
      needed: 2,
      available: 1,
      func: 1,
    });
  });

  it('MASK without a block size', () => {
    const error = { kind: 'bad-field', field: `${prefix}_func_rep_size`, value: 0, func: 1 };
    const bytes = patched(version, { at: infoAt, bytes: [0x10] });
    if (version === 1) expect(decodeSFrame(bytes, 0).ok).toBe(true);
    else
      expect(errorOf(bytes)).toMatchObject({ ...error, offset: infoAt + (version === 3 ? 2 : 1) });
  });
});

describe('what one version or FDE type alone can get wrong', () => {
  it('V1: no data words', () => {
    const rows = [{ start: 0, words: [] }];
    const functions = [{ start: 0, size: 4, rows }];
    expect(errorOf(encodeSFrame({ version: 1, address: 0, functions }))).toMatchObject({
      kind: 'bad-field',
      field: 'sfre_info.fre_dataword_count',
      offset: 28 + 17 + 1,
      value: 0,
    });
  });

  it('V3: FDE type, unused bits of the second info byte, an address that is none', () => {
    const info2 = LAYOUT[3].fres + 3;
    expect(errorOf(patched(3, { at: info2, bytes: [2] }))).toMatchObject({
      kind: 'bad-field',
      field: 'sfda_func_info2.fde_type',
      offset: info2,
      value: 2,
      func: 0,
    });
    expect(errorOf(patched(3, { at: info2, bytes: [0x20] }))).toMatchObject({
      kind: 'bad-field',
      field: 'sfda_func_info2.unused',
      offset: info2,
      value: 0x20,
    });
    expect(errorOf(patched(3, { at: 28 + 16 + 6, bytes: [0, 0x40] }))).toMatchObject({
      kind: 'bad-field',
      field: 'sfdi_func_start_offset',
      offset: 28 + 16,
      func: 1,
    });
  });

  it('flexible rows', () => {
    const words = 28 + 16 + 5 + 2;
    const sp = control({ reg: 31 });
    const load = control({ deref: true });
    const count = { field: 'sfre_info.fre_dataword_count', offset: words - 1 };
    expect(flexError([sp])).toMatchObject({ ...count, value: 1 });
    expect(flexError([sp, 0, load])).toMatchObject({ ...count, value: 3 });
    expect(flexError([sp, 0, load, -8, load])).toMatchObject({ ...count, value: 5 });
    expect(flexError([sp, 0, 0, 0, 0])).toMatchObject({ ...count, value: 5 });
    expect(flexError([load, 0])).toMatchObject({ field: 'cfa_control.reg_p', offset: words });
    expect(flexError([sp | 4, 0])).toMatchObject({ field: 'cfa_control.unused', offset: words });
    expect(flexError([sp, 0, load | 4, 0])).toMatchObject({
      field: 'ra_control.unused',
      offset: words + 2,
    });
    const fp = { start: 0, wordSize: 2 as const, words: [sp, 0, 0, control({ reg: 34 }), 0] };
    const functions = [{ start: 0, size: 4, flex: true, rows: [fp] }];
    expect(errorOf(encodeSFrame({ version: 3, address: 0, functions }))).toMatchObject({
      kind: 'bad-field',
      field: 'fp_control.regnum',
      offset: words + 6,
      value: 34,
      func: 0,
    });
  });
});
