/** The abbreviations of units (DWARF 5 section 7.5.3): how each kind of entry is laid out. */
import { Attribute, Form, FORM_SIZES, LEB_FORMS, OFFSET_FORMS } from './constants.js';
import type { SectionCursor } from './section-cursor.js';
import type { Unit } from './unit.js';

/** How entries with one code are laid out. */
export interface Abbreviation {
  /** DW_TAG_*. */
  readonly tag: number;
  readonly hasChildren: boolean;
  /** DW_AT_* and DW_FORM_*, in turns. */
  readonly attributes: readonly number[];
  /** DW_FORM_implicit_const's values, by the attribute; NaN for one of more than 53 bits. */
  readonly constants: ReadonlyMap<number, number>;
  /** Bytes of all attributes, when no value tells their size; -1 otherwise. */
  readonly size: number;
  readonly hasSibling: boolean;
}

/** One unit's, by code. */
export type Abbreviations = ReadonlyMap<number, Abbreviation>;

/** Most in one table, and most attributes of all of them: kernels have some 400, and some 4000. */
const MAX_CODES = 1 << 16;
const MAX_ATTRIBUTES = 1 << 20;
/** Tables that are kept. */
const MAX_KEPT = 4;
/** How often over the section may be read, before it is no compiler's. */
const MAX_READS = 4;

/** Reads each table when a unit wants it, and keeps the last ones. */
export class AbbreviationTables {
  private readonly kept = new Map<string, Abbreviations>();
  private read = 0;
  private attributesLeft = 0;

  constructor(private readonly cursor: SectionCursor) {}

  /** @throws DebugInfoProblem */
  of({ abbreviations, offsetSize, addressSize, version }: Unit): Abbreviations {
    const key = [abbreviations, offsetSize, addressSize, version === 2].join();
    const known = this.kept.get(key);
    if (known !== undefined) return known;
    const { cursor } = this;
    cursor.seek(abbreviations);
    const refSize = version === 2 ? addressSize : offsetSize;
    const table = this.table(offsetSize, addressSize, refSize);
    this.read += cursor.at - abbreviations;
    if (this.read > MAX_READS * cursor.end) {
      cursor.refuse('too-large', 'bytes of tables read', abbreviations, MAX_READS * cursor.end);
    }
    const [oldest] = this.kept.keys();
    if (this.kept.size >= MAX_KEPT && oldest !== undefined) this.kept.delete(oldest);
    this.kept.set(key, table);
    return table;
  }

  private table(offsetSize: number, addressSize: number, refSize: number): Abbreviations {
    const { cursor } = this;
    const start = cursor.at;
    this.attributesLeft = MAX_ATTRIBUTES;
    const table = new Map<number, Abbreviation>();
    for (;;) {
      const code = cursor.uleb('abbreviation code');
      if (code === 0) return table;
      if (table.size >= MAX_CODES) cursor.refuse('too-large', 'table', start, MAX_CODES);
      table.set(code, this.abbreviation(offsetSize, addressSize, refSize));
    }
  }

  private abbreviation(offsetSize: number, addressSize: number, refSize: number): Abbreviation {
    const { cursor } = this;
    const tag = cursor.uleb('tag');
    const hasChildren = cursor.u8('children flag') !== 0;
    const attributes: number[] = [];
    const constants = new Map<number, number>();
    let size = 0;
    for (;;) {
      const attribute = cursor.uleb('attribute');
      const at = cursor.at;
      const form = cursor.uleb('form');
      if (attribute === 0 && form === 0) break;
      if (--this.attributesLeft < 0) {
        cursor.refuse('too-large', 'attributes', at, MAX_ATTRIBUTES);
      }
      attributes.push(attribute, form);
      if (form === Form.IMPLICIT_CONST) constants.set(attribute, this.constant());
      const bytes =
        formSize(form, offsetSize, addressSize, refSize) ??
        cursor.refuse('unsupported-form', 'form', at, form);
      size = size < 0 || bytes < 0 ? -1 : size + bytes;
    }
    const hasSibling = attributes.some((one, i) => i % 2 === 0 && one === Attribute.SIBLING);
    return { tag, hasChildren, attributes, constants, size, hasSibling };
  }

  /** SLEB128 of up to 64 bits. */
  private constant(): number {
    const { cursor } = this;
    const start = cursor.at;
    cursor.passLeb('implicit constant');
    const end = cursor.at;
    if (end - start > 7) return NaN;
    cursor.at = start;
    return cursor.sleb('implicit constant');
  }
}

/** Bytes of a value; -1 when the value says it itself; undefined for a form that is not known. */
function formSize(
  form: number,
  offsetSize: number,
  addressSize: number,
  refSize: number,
): number | undefined {
  const fixed = FORM_SIZES.get(form);
  if (fixed !== undefined) return fixed;
  if (OFFSET_FORMS.has(form)) return offsetSize;
  if (form === Form.ADDR) return addressSize;
  if (form === Form.REF_ADDR) return refSize;
  return LEB_FORMS.has(form) || SELF_SIZED.has(form) ? -1 : undefined;
}

const SELF_SIZED: ReadonlySet<number> = new Set([
  Form.BLOCK,
  Form.BLOCK1,
  Form.BLOCK2,
  Form.BLOCK4,
  Form.EXPRLOC,
  Form.STRING,
  Form.INDIRECT,
]);
