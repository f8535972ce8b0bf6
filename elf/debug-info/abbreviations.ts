/** Abbreviation tables (DWARF 5 section 7.5.3): the layout of each kind of entry in a unit. */
import { Attribute, Form, FORM_SIZES, LEB_FORMS, OFFSET_FORMS } from './constants.js';
import type { SectionCursor } from './section-cursor.js';
import type { Unit } from './unit.js';

/** The layout of the entries that have one abbreviation code. */
export interface Abbreviation {
  /** DW_TAG_*. */
  readonly tag: number;
  readonly hasChildren: boolean;
  /** DW_AT_* and DW_FORM_*, alternating. */
  readonly attributes: readonly number[];
  /** Values of DW_FORM_implicit_const by attribute; NaN for one that may need more than 53 bits. */
  readonly constants: ReadonlyMap<number, number>;
  /** Total bytes of the attributes; -1 when one of them has a variable size. */
  readonly size: number;
  readonly hasSibling: boolean;
}

/** The abbreviations of one unit, by code. */
export type Abbreviations = ReadonlyMap<number, Abbreviation>;

/** Limits on the codes and on all attributes of one table; kernels have about 400 and 4000. */
const MAX_CODES = 1 << 16;
const MAX_ATTRIBUTES = 1 << 20;
/** Number of tables kept. */
const MAX_KEPT = 4;
/** How many times its own size the section may be read; no compiler's output needs more. */
const MAX_READS = 4;

/** Reads each table when a unit needs it, and keeps the most recent ones. */
export class AbbreviationTables {
  private readonly kept = new Map<string, Abbreviations>();
  private read = 0;
  private attributesLeft = 0;

  constructor(private readonly cursor: SectionCursor) {}

  /** The abbreviations of a unit. @throws DebugInfoProblem */
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

  /** An SLEB128 of any length; NaN when it takes more than 7 bytes. */
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

/**
 * Bytes of a value of `form`; -1 when the value determines its own size; undefined when unknown.
 */
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
