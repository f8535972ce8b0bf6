/**
 * Reads names from the string sections (DWARF 5 section 7.26), and finds the places of wanted ones.
 */
import type { Entry } from './entry.js';
import { type ByteSource, SectionCursor } from './section-cursor.js';
import type { Unit } from './unit.js';

/** The sections that names may be in; undefined for those that a build does not have. */
export interface StringSections {
  readonly str: ByteSource | undefined;
  readonly lineStr: ByteSource | undefined;
  readonly strOffsets: ByteSource | undefined;
}

/** Bytes searched at a time; bytes read for one name; bytes of `.debug_str_offsets` held. */
const SEARCH_WINDOW = 1 << 20;
const NAME_WINDOW = 256;
const INDEX_WINDOW = 1 << 16;
/**
 * Limit on the places where the wanted names were found. A linker merges equal strings, so each
 * occurs once, and possibly as the end of longer strings.
 */
const MAX_PLACES = 1 << 14;

/** Matches the names of entries against a set of wanted names. */
export class Names {
  private readonly str: SectionCursor | undefined;
  private readonly lineStr: SectionCursor | undefined;
  private readonly strOffsets: SectionCursor | undefined;
  private readonly places = new Map<ByteSource, ReadonlyMap<number, string>>();

  /** @param looked the wanted names, in ASCII */
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
   * The wanted name that an entry has; undefined for any other name. The string section is searched
   * once for all wanted names, which is cheaper than reading the name of each entry.
   * @param base where the unit's part of `.debug_str_offsets` begins
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

  /** The name of an entry; '' when it has none, one in another file, or one over 128 characters. */
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

  /**
   * Offsets in the section at which a wanted name starts, alone or as the end of a longer string.
   */
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

/** Longest name that is read, in characters. */
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
