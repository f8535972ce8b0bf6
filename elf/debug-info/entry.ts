/**
 * Debugging information entries (DWARF 5 section 7.5.2): reads the attributes that structures need.
 */
import type { Abbreviation } from './abbreviations.js';
import { Attribute, Form, FORM_SIZES, LEB_FORMS, OFFSET_FORMS } from './constants.js';
import type { SectionCursor } from './section-cursor.js';
import type { Unit } from './unit.js';

/**
 * Where an entry's name is: an offset in one of the sections, an `index` into `.debug_str_offsets`,
 * or `elsewhere`, in another file.
 */
export type NamePlace =
  'none' | 'debug_str' | 'debug_line_str' | 'debug_info' | 'index' | 'elsewhere';

/** The attributes of one entry. A search reuses one object for every entry. */
export interface Entry {
  name: NamePlace;
  /** Offset in that section in bytes, or the index. */
  nameAt: number;
  /** Bytes of a name that is in the entry itself, without its NUL. */
  nameSize: number;
  isDeclaration: boolean;
  /** Offset in `.debug_info` of the next sibling; -1 when the entry has no DW_AT_sibling. */
  sibling: number;
  /** Offset in `.debug_info` of its type's entry; -1 when it has none, or one in another file. */
  type: number;
  /**
   * Bytes from the start of the structure: 0 when not given, NaN when not a whole number of bytes.
   */
  location: number;
  /** Where a unit's part of `.debug_str_offsets` begins; -1 when the unit's entry does not say. */
  strOffsetsBase: number;
}

/** An entry with no attributes. */
export function emptyEntry(): Entry {
  return {
    name: 'none',
    nameAt: 0,
    nameSize: 0,
    isDeclaration: false,
    sibling: -1,
    type: -1,
    location: 0,
    strOffsetsBase: -1,
  };
}

const OP_CONSTU = 0x10;
const OP_PLUS = 0x22;
const OP_PLUS_UCONST = 0x23;

/**
 * Reads the attributes of entries. Both methods expect the cursor after the abbreviation code, and
 * leave it after the attributes.
 */
export class EntryReader {
  constructor(private readonly cursor: SectionCursor) {}

  /** Skips all attributes. @returns the offset of the sibling, or -1 when the entry has none */
  pass(unit: Unit, abbreviation: Abbreviation): number {
    const { cursor } = this;
    if (!abbreviation.hasSibling && abbreviation.size >= 0) {
      cursor.pass('attributes', abbreviation.size);
      return -1;
    }
    const { attributes } = abbreviation;
    let sibling = -1;
    for (let i = 0; i < attributes.length; i += 2) {
      const form = attributes[i + 1] ?? 0;
      if (attributes[i] === Attribute.SIBLING) sibling = this.reference(unit, form);
      else this.passForm(unit, form);
    }
    return sibling;
  }

  /** Reads the attributes into `entry`. @throws DebugInfoProblem */
  read(unit: Unit, { attributes, constants }: Abbreviation, entry: Entry): void {
    entry.name = 'none';
    entry.isDeclaration = false;
    entry.sibling = entry.type = entry.strOffsetsBase = -1;
    entry.location = 0;
    for (let i = 0; i < attributes.length; i += 2) {
      const attribute = attributes[i] ?? 0;
      const form = attributes[i + 1] ?? 0;
      switch (attribute) {
        case Attribute.NAME:
          this.readName(unit, form, entry);
          break;
        case Attribute.DECLARATION:
          entry.isDeclaration = form === Form.FLAG_PRESENT || this.cursor.u8('declaration') !== 0;
          break;
        case Attribute.SIBLING:
          entry.sibling = this.reference(unit, form);
          break;
        case Attribute.TYPE:
          entry.type = this.reference(unit, form);
          break;
        case Attribute.MEMBER_LOCATION:
          entry.location += this.location(unit, form, constants.get(attribute));
          break;
        case Attribute.DATA_BIT_OFFSET: {
          const bytes = this.constant(unit, form, constants.get(attribute)) / 8;
          entry.location += Number.isInteger(bytes) ? bytes : NaN;
          break;
        }
        case Attribute.BIT_OFFSET:
          // A DWARF 3 bit field counts bits from the end of its storage unit: no byte offset.
          this.passForm(unit, form);
          entry.location = NaN;
          break;
        case Attribute.STR_OFFSETS_BASE:
          entry.strOffsetsBase = this.cursor.offset('str_offsets_base', unit.offsetSize);
          break;
        default:
          this.passForm(unit, form);
      }
    }
  }

  private readName(unit: Unit, form: number, entry: Entry): void {
    const { cursor } = this;
    const { offsetSize } = unit;
    entry.name = 'index';
    switch (form) {
      case Form.STRING:
        entry.name = 'debug_info';
        entry.nameAt = cursor.at;
        this.passForm(unit, form);
        entry.nameSize = cursor.at - entry.nameAt - 1;
        return;
      case Form.STRP:
        entry.name = 'debug_str';
        entry.nameAt = cursor.offset('name', offsetSize);
        return;
      case Form.LINE_STRP:
        entry.name = 'debug_line_str';
        entry.nameAt = cursor.offset('name', offsetSize);
        return;
      case Form.STRX:
      case Form.GNU_STR_INDEX:
        entry.nameAt = cursor.uleb('name');
        return;
      case Form.STRX1:
        entry.nameAt = cursor.u8('name');
        return;
      case Form.STRX2:
        entry.nameAt = cursor.u16('name');
        return;
      case Form.STRX3:
        entry.nameAt = cursor.u16('name') + 0x10000 * cursor.u8('name');
        return;
      case Form.STRX4:
        entry.nameAt = cursor.u32('name');
        return;
      default:
        entry.name = 'elsewhere';
        this.passForm(unit, form);
    }
  }

  /**
   * DW_AT_data_member_location: a number, or an expression that adds one (DWARF 5 section 5.7.6).
   */
  private location(unit: Unit, form: number, constant: number | undefined): number {
    const { cursor } = this;
    const length = this.blockLength(form);
    if (length < 0) {
      // Before DWARF 4 these two forms are offsets of location lists.
      const isList = unit.version < 4 && (form === Form.DATA4 || form === Form.DATA8);
      const value = this.constant(unit, form, constant);
      return isList || form === Form.SEC_OFFSET ? NaN : value;
    }
    const end = cursor.at + length;
    if (length > cursor.end - cursor.at) cursor.fail('truncated', 'location', cursor.at, length);
    let value = NaN;
    if (length > 0) {
      const op = cursor.u8('location');
      if (op === OP_PLUS_UCONST) value = cursor.uleb('location');
      else if (op === OP_CONSTU) {
        value = cursor.uleb('location');
        if (cursor.at >= end || cursor.u8('location') !== OP_PLUS) value = NaN;
      }
    }
    const isWhole = cursor.at === end;
    cursor.at = end;
    return isWhole ? value : NaN;
  }

  /** A constant; NaN when the form is not one. */
  private constant(unit: Unit, form: number, constant: number | undefined): number {
    const { cursor } = this;
    switch (form) {
      case Form.IMPLICIT_CONST:
        return constant ?? NaN;
      case Form.DATA1:
        return cursor.u8('constant');
      case Form.DATA2:
        return cursor.u16('constant');
      case Form.DATA4:
        return cursor.u32('constant');
      case Form.DATA8:
        return cursor.word('constant');
      case Form.UDATA:
        return cursor.uleb('constant');
      case Form.SDATA:
        return cursor.sleb('constant');
      default:
        this.passForm(unit, form);
        return NaN;
    }
  }

  /** The offset in `.debug_info` that a reference names; -1 when it names another file. */
  private reference(unit: Unit, form: number): number {
    const { cursor } = this;
    switch (form) {
      case Form.REF1:
        return unit.start + cursor.u8('reference');
      case Form.REF2:
        return unit.start + cursor.u16('reference');
      case Form.REF4:
        return unit.start + cursor.u32('reference');
      case Form.REF8:
        return unit.start + cursor.offset('reference', 8);
      case Form.REF_UDATA:
        return unit.start + cursor.uleb('reference');
      case Form.REF_ADDR:
        return cursor.offset('reference', unit.version === 2 ? unit.addressSize : unit.offsetSize);
      default:
        this.passForm(unit, form);
        return -1;
    }
  }

  /** The length in bytes of the block that follows; -1 when the form is not a block. */
  private blockLength(form: number): number {
    const { cursor } = this;
    switch (form) {
      case Form.BLOCK1:
        return cursor.u8('block length');
      case Form.BLOCK2:
        return cursor.u16('block length');
      case Form.BLOCK4:
        return cursor.u32('block length');
      case Form.BLOCK:
      case Form.EXPRLOC:
        return cursor.uleb('block length');
      default:
        return -1;
    }
  }

  private passForm(unit: Unit, form: number): void {
    const { cursor } = this;
    const size = FORM_SIZES.get(form);
    if (size !== undefined) cursor.pass('attribute', size);
    else if (OFFSET_FORMS.has(form)) cursor.pass('attribute', unit.offsetSize);
    else if (LEB_FORMS.has(form)) cursor.passLeb('attribute');
    else if (form === Form.ADDR) cursor.pass('attribute', unit.addressSize);
    else if (form === Form.STRING) while (cursor.u8('string') !== 0);
    else if (form === Form.REF_ADDR) {
      cursor.pass('attribute', unit.version === 2 ? unit.addressSize : unit.offsetSize);
    } else if (form === Form.INDIRECT) {
      const at = cursor.at;
      const real = cursor.uleb('form');
      // Neither a second indirection nor a value in the abbreviation makes sense here.
      const isForm = real !== Form.INDIRECT && real !== Form.IMPLICIT_CONST;
      if (!isForm) cursor.refuse('unsupported-form', 'form', at, real);
      this.passForm(unit, real);
    } else {
      const at = cursor.at;
      const length = this.blockLength(form);
      if (length < 0) cursor.refuse('unsupported-form', 'form', at, form);
      cursor.pass('block', length);
    }
  }
}
