/** Names in the string sections (DWARF 5 section 7.26): where those that are looked for are, and what one is. */
import type { Entry } from './entry.js';
import { type ByteSource, SectionCursor } from './section-cursor.js';
import type { Unit } from './unit.js';

/** The sections that names may be in; a build has some of them. */
export interface StringSections {
  readonly str: ByteSource | undefined;
  readonly lineStr: ByteSource | undefined;
  readonly strOffsets: ByteSource | undefined;
}

/** Bytes searched at a time, and bytes read for one name. */
const SEARCH_WINDOW = 1 << 20;
const NAME_WINDOW = 256;
const INDEX_WINDOW = 1 << 16;
/** Most places of one name: a linker merges equal strings, so that there is one, and some as the ends of others. */
const MAX_PLACES = 1 << 14;

/** Compares names of entries with some that are looked for. */
export class Names {
  private readonly str: SectionCursor | undefined;
  private readonly lineStr: SectionCursor | undefined;
  private readonly strOffsets: SectionCursor | undefined;
  private readonly places = new Map<ByteSource, ReadonlyMap<number, string>>();

  /** @param looked names of structures, in ASCII */
  constructor(
    private readonly info: ByteSource,
    private readonly sections: StringSections,
    private readonly looked: readonly string[],
  ) {
    const { str, lineStr, strOffsets } = sections;
    this.str = str && new SectionCursor('.debug_str', str, NAME_WINDOW);
    this.lineStr = lineStr && new SectionCursor('.debug_line_str', lineStr, NAME_WINDOW);
    this.strOffsets =
      strOffsets && new SectionCursor('.debug_str_offsets', strOffsets, INDEX_WINDOW);
  }

  /**
   * Which of the names looked for an entry has. Its section is searched for them once, and not read for each entry.
   * @param base of the unit in `.debug_str_offsets`
   */
  lookedFor(entry: Entry, unit: Unit, base: number): string | undefined {
    const { str, lineStr } = this.sections;
    switch (entry.name) {
      case 'debug_str':
        return this.placesIn(str, '.debug_str').get(entry.nameAt);
      case 'debug_line_str':
        return this.placesIn(lineStr, '.debug_line_str').get(entry.nameAt);
      case 'index': {
        const places = this.placesIn(str, '.debug_str');
        return places.get(this.indexed(entry.nameAt, unit, base));
      }
      case 'debug_info': {
        if (!this.looked.some(({ length }) => length === entry.nameSize)) return undefined;
        const cursor = new SectionCursor('.debug_info', this.info, NAME_WINDOW);
        const name = nameAt(cursor, entry.nameAt);
        return this.looked.includes(name) ? name : undefined;
      }
      case 'none':
      case 'elsewhere':
        return undefined;
    }
  }

  /** The name of an entry; '' when it has none, or one of another file. */
  of(entry: Entry, unit: Unit, base: number): string {
    switch (entry.name) {
      case 'debug_str':
        return nameAt(this.str, entry.nameAt);
      case 'debug_line_str':
        return nameAt(this.lineStr, entry.nameAt);
      case 'index':
        return nameAt(this.str, this.indexed(entry.nameAt, unit, base));
      case 'debug_info':
        return nameAt(new SectionCursor('.debug_info', this.info, NAME_WINDOW), entry.nameAt);
      case 'none':
      case 'elsewhere':
        return '';
    }
  }

  private indexed(index: number, { offsetSize }: Unit, base: number): number {
    const cursor = this.strOffsets;
    if (cursor === undefined) return -1;
    const at = base + index * offsetSize;
    cursor.seek(at);
    return cursor.offset('string offset', offsetSize);
  }

  /** Every place of a string that is, or ends with, a name that is looked for. */
  private placesIn(source: ByteSource | undefined, section: string): ReadonlyMap<number, string> {
    if (source === undefined) return NOWHERE;
    const known = this.places.get(source);
    if (known !== undefined) return known;
    const places = new Map<number, string>();
    const overlap = Math.max(...this.looked.map((name) => name.length));
    for (let at = 0; at < source.size; at += SEARCH_WINDOW) {
      const length = Math.min(SEARCH_WINDOW + overlap, source.size - at);
      const bytes = source.read(at, length);
      const window = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      for (const name of this.looked) {
        const text = `${name}\0`;
        for (let i = window.indexOf(text); i >= 0; i = window.indexOf(text, i + 1)) {
          places.set(at + i, name);
          if (places.size > MAX_PLACES) {
            new SectionCursor(section, source, 1).refuse('too-large', name, at + i, MAX_PLACES);
          }
        }
      }
    }
    this.places.set(source, places);
    return places;
  }
}

const NOWHERE: ReadonlyMap<number, string> = new Map();

/** Longest name that is told from others. */
const MAX_NAME = 128;

function nameAt(cursor: SectionCursor | undefined, at: number): string {
  if (cursor === undefined) return '';
  cursor.seek(at);
  let name = '';
  for (let byte = cursor.u8('name'); byte !== 0; byte = cursor.u8('name')) {
    name += String.fromCharCode(byte);
    if (name.length > MAX_NAME) return '';
  }
  return name;
}
