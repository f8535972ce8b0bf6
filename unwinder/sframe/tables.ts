/**
 * The tables of a section. A linker that does not know SFrame (lld) concatenates the tables of its
 * inputs, each with a header of its own. Linux (v7.3-rc7) and readelf read only the first.
 */
import { type Address } from '../../base/address.js';
import { type Result, fail, ok } from '../../base/result.js';
import { decodeSFrame } from './decode.js';
import { type SFrameError } from './error.js';
import { SFRAME_MAGIC, SFRAME_MAGIC_SWAPPED } from './format.js';
import { decodeHeader } from './header.js';
import { type SFrameSection } from './section.js';

/** One table of a section. */
export interface SFramePart {
  /** Where it starts in the section, in bytes. */
  readonly offset: number;
  readonly table: SFrameSection;
}

/** A table as a range of bytes, including the padding after it. */
interface Extent {
  readonly from: number;
  readonly to: number;
}

/**
 * Decodes all tables of a section; there is at least one. The first error refuses the whole
 * section; its offset is from the start of the section. Bytes after a table that are neither
 * padding nor a table are skipped, and {@link layoutNote} reports them.
 * @param address where the section is loaded
 */
export function decodeSFrameTables(
  bytes: Uint8Array,
  address: Address,
): Result<readonly SFramePart[], SFrameError> {
  const layout = tableLayout(bytes);
  if (!layout.ok) return layout;
  const parts: SFramePart[] = [];
  for (const { from, to } of layout.value.extents) {
    const decoded = decodeSFrame(bytes.subarray(from, to), address + from);
    if (!decoded.ok) return fail(movedBy(from, decoded.error));
    parts.push({ offset: from, table: decoded.value });
  }
  return ok(parts);
}

/**
 * One line for a file in which a section is more than one table, because a kernel would not find
 * what is in the others, and nothing reads bytes that belong to no table. Undefined when each
 * section is a single table.
 */
export function layoutNote(
  file: string,
  sections: readonly { readonly name: string; readonly data: Uint8Array }[],
): string | undefined {
  for (const { name, data } of sections) {
    const layout = tableLayout(data);
    if (!layout.ok) continue;
    const { extents, unread } = layout.value;
    const notes = [
      ...(extents.length > 1 ? [`${name} holds ${extents.length} tables, ${READ_BY_KERNEL}`] : []),
      ...(unread === undefined ? [] : [`${name} goes on ${unreadText(unread, data)}`]),
    ];
    if (notes.length > 0) return `${file}: ${notes.join('; ')}`;
  }
  return undefined;
}

const READ_BY_KERNEL =
  'one after the other, as lld leaves them: all are read here, but a kernel reads the first only';

/**
 * GNU ld 2.44 and older leave such bytes: with -r, they apply a relocation of the second input
 * there.
 */
function unreadText(offset: number, data: Uint8Array): string {
  const at = `at offset 0x${offset.toString(16)}`;
  const count = data.length - offset;
  const what = count === 1 ? '1 byte that is' : `${count} bytes that are`;
  return `${at} with ${what} neither padding nor a table: not read`;
}

/** What a section consists of. */
interface Layout {
  readonly extents: readonly Extent[];
  /** Offset of the first byte that is neither padding nor part of a table. */
  readonly unread?: number;
}

function tableLayout(bytes: Uint8Array): Result<Layout, SFrameError> {
  const extents: Extent[] = [];
  for (let from = 0; ;) {
    const view = new DataView(bytes.buffer, bytes.byteOffset + from, bytes.byteLength - from);
    const header = decodeHeader(view);
    if (!header.ok) return fail(movedBy(from, header.error));
    const end = from + header.value.rowsOffset + header.value.rowsLength;
    let to = end;
    while (to < bytes.length && bytes[to] === 0) to++;
    extents.push({ from, to });
    if (to === bytes.length) return ok({ extents });
    const rest = new DataView(bytes.buffer, bytes.byteOffset + to, bytes.byteLength - to);
    const magic = rest.byteLength < 2 ? rest.getUint8(0) : rest.getUint16(0, true);
    if (magic !== SFRAME_MAGIC && magic !== SFRAME_MAGIC_SWAPPED) {
      return ok({ extents, unread: to });
    }
    from = to;
  }
}

function movedBy(distance: number, error: SFrameError): SFrameError {
  return { ...error, offset: error.offset + distance };
}
