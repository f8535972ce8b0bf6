/**
 * Finds the offsets of structure members in DWARF 2 to 5. A vmlinux can have hundreds of megabytes
 * of `.debug_info`, so reading stops at the unit that defines the last structure wanted. Held in
 * memory are 1 MiB of `.debug_info`, 256 KiB of `.debug_abbrev`, up to four abbreviation tables,
 * and 1 MiB of a string section.
 */
import { type Abbreviation, type Abbreviations, AbbreviationTables } from './abbreviations.js';
import { Tag } from './constants.js';
import { emptyEntry, type Entry, EntryReader } from './entry.js';
import { type DebugInfoError, DebugInfoProblem } from './error.js';
import { fail, ok, type Result } from '../../base/result.js';
import { Names, type StringSections } from './names.js';
import { type ByteSource, SectionCursor } from './section-cursor.js';
import { readUnit, type Unit } from './unit.js';

/** The sections of a build with debugging information, decompressed. */
export interface DebugInfoSections extends StringSections {
  readonly info: ByteSource;
  readonly abbrev: ByteSource;
}

/** A member to find. */
export interface MemberPath {
  /** Name of the structure, which is at file scope. */
  readonly struct: string;
  /** Dotted path through nested members, `thread.cpu_context`. Anonymous members are left out. */
  readonly member: string;
}

/** Where the member lies. */
export interface FoundMember {
  /** Bytes from the start of the structure. */
  readonly offset: number;
  /** Offset in `.debug_info` of the structure's entry. */
  readonly entry: number;
}

/** Bytes of `.debug_info` and of `.debug_abbrev` held in memory. */
const INFO_WINDOW = 1 << 20;
const ABBREV_WINDOW = 1 << 18;
/** Limit on nested anonymous structures and on chains of type modifiers; more is a loop. */
const MAX_NESTING = 32;
/**
 * Limit on entries read while resolving members; task_struct with all it contains has a few
 * thousand.
 */
const MAX_ENTRIES = 1 << 18;
/** Limit on unit headers read while resolving references between units. */
const MAX_UNITS = 1 << 22;

/**
 * Finds members. The first definition of each structure at file scope counts. Declarations, type
 * units and split units are skipped: they define none.
 * @returns one result for each path, undefined where the structure or the member was not found
 */
export function findMembers(
  sections: DebugInfoSections,
  paths: readonly MemberPath[],
): Result<readonly (FoundMember | undefined)[], DebugInfoError> {
  try {
    return ok(new MemberSearch(sections, paths).run());
  } catch (problem) {
    if (problem instanceof DebugInfoProblem) return fail(problem.error);
    throw problem;
  }
}

interface Structure {
  readonly at: number;
  readonly unit: Unit;
}

interface Member {
  readonly name: string;
  readonly type: number;
  readonly location: number;
}

class MemberSearch {
  private readonly cursor: SectionCursor;
  private readonly reader: EntryReader;
  private readonly tables: AbbreviationTables;
  private readonly names: Names;
  private readonly structures = new Map<string, Structure>();
  private readonly looked: ReadonlySet<string>;
  private readonly members = new Map<number, readonly Member[]>();
  private readonly entry: Entry = emptyEntry();
  private entriesLeft = MAX_ENTRIES;
  private unitsLeft = MAX_UNITS;
  /** Where the part of `.debug_str_offsets` that {@link baseUnit} uses begins. */
  private base = 0;
  /** Offset of the unit that {@link base} belongs to; -1 for none. */
  private baseUnit = -1;

  constructor(
    private readonly sections: DebugInfoSections,
    private readonly paths: readonly MemberPath[],
  ) {
    const { info, abbrev } = sections;
    this.cursor = new SectionCursor('.debug_info', info, INFO_WINDOW);
    this.reader = new EntryReader(this.cursor);
    this.tables = new AbbreviationTables(new SectionCursor('.debug_abbrev', abbrev, ABBREV_WINDOW));
    this.looked = new Set(paths.map(({ struct }) => struct));
    this.names = new Names(info, sections, [...this.looked]);
  }

  run(): (FoundMember | undefined)[] {
    const { size } = this.sections.info;
    for (let at = 0; at < size && this.structures.size < this.looked.size;) {
      const unit = readUnit(this.cursor, at);
      if (unit.hasStructures) this.search(unit);
      at = unit.end;
    }
    return this.paths.map(({ struct, member }) => {
      const structure = this.structures.get(struct);
      if (structure === undefined) return undefined;
      const offset = this.offsetOf(structure, member.split('.'));
      return offset === undefined ? undefined : { offset, entry: structure.at };
    });
  }

  /** Searches a unit's file scope for the structures that are wanted. */
  private search(unit: Unit): void {
    const { cursor, reader, entry } = this;
    const table = this.tables.of(unit);
    this.enter(unit, unit.entries);
    let depth = 0;
    while (cursor.at < unit.end) {
      const at = cursor.at;
      const abbreviation = this.abbreviation(table);
      if (abbreviation === undefined) {
        depth--;
        if (depth <= 0) return;
        continue;
      }
      let sibling: number;
      if (depth === 1 && abbreviation.tag === Tag.STRUCTURE) {
        reader.read(unit, abbreviation, entry);
        ({ sibling } = entry);
        if (this.isFound(unit, at) && this.structures.size === this.looked.size) return;
      } else sibling = reader.pass(unit, abbreviation);
      if (abbreviation.hasChildren) {
        if (sibling >= 0 && depth > 0) this.jump(unit, sibling);
        else depth++;
      } else if (depth === 0) return;
    }
  }

  /** Records the entry just read when it is the first definition of a wanted structure. */
  private isFound(unit: Unit, at: number): boolean {
    const { entry } = this;
    if (entry.isDeclaration || entry.name === 'none') return false;
    const base = entry.name === 'index' ? this.stringsOf(unit) : 0;
    const name = this.names.lookedFor(entry, unit, base);
    if (name === undefined || this.structures.has(name)) return false;
    this.structures.set(name, { at, unit });
    return true;
  }

  /** The abbreviation of the entry at the cursor; undefined at the end of a list of siblings. */
  private abbreviation(table: Abbreviations): Abbreviation | undefined {
    const { cursor } = this;
    const at = cursor.at;
    const code = cursor.uleb('abbreviation code');
    if (code === 0) return undefined;
    const abbreviation = table.get(code);
    return abbreviation ?? cursor.refuse('no-abbreviation', 'abbreviation code', at, code);
  }

  /** Moves to a later entry of the unit. Moving back is refused: it could loop. */
  private jump(unit: Unit, to: number): void {
    const { cursor } = this;
    if (to < cursor.at || to > unit.end) cursor.refuse('bad-reference', 'sibling', cursor.at, to);
    cursor.at = to;
  }

  /** Moves to an entry of `unit`, and limits the cursor to that unit. */
  private enter(unit: Unit, at: number): void {
    const { cursor } = this;
    if (at < unit.entries || at >= unit.end) cursor.refuse('bad-reference', 'type', at, at);
    cursor.seek(at);
    cursor.end = unit.end;
  }

  /**
   * Where a unit's part of `.debug_str_offsets` begins, from the unit's entry. Keeps the cursor.
   */
  private stringsOf(unit: Unit): number {
    if (this.baseUnit === unit.start) return this.base;
    const { cursor, reader } = this;
    const { at } = cursor;
    const entry = emptyEntry();
    const table = this.tables.of(unit);
    this.enter(unit, unit.entries);
    const abbreviation = this.abbreviation(table);
    if (abbreviation !== undefined) reader.read(unit, abbreviation, entry);
    // Without the attribute the section has one part, which begins after its header.
    const { strOffsetsBase } = entry;
    this.base = strOffsetsBase >= 0 ? strOffsetsBase : unit.offsetSize === 8 ? 16 : 8;
    this.baseUnit = unit.start;
    cursor.at = at;
    return this.base;
  }

  private offsetOf(structure: Structure, path: readonly string[]): number | undefined {
    let inside: Structure | undefined = structure;
    let offset = 0;
    for (const [i, name] of path.entries()) {
      const found: Member | undefined = inside && this.memberOf(inside, name, 0);
      if (found === undefined) return undefined;
      offset += found.location;
      const isLast = i === path.length - 1;
      inside = isLast ? undefined : this.structureAt(structure.unit, found.type);
    }
    return Number.isSafeInteger(offset) && offset >= 0 ? offset : undefined;
  }

  /** The member of that name; members of anonymous members count as the structure's own. */
  private memberOf(structure: Structure, wanted: string, nesting: number): Member | undefined {
    if (nesting > MAX_NESTING) return undefined;
    for (const member of this.membersOf(structure)) {
      if (member.name === wanted) return member;
      if (member.name !== '' || member.type < 0) continue;
      const inner = this.structureAt(structure.unit, member.type);
      const found = inner && this.memberOf(inner, wanted, nesting + 1);
      if (found !== undefined) return { ...found, location: found.location + member.location };
    }
    return undefined;
  }

  private membersOf({ at, unit }: Structure): readonly Member[] {
    // Count repeated visits too: a few entries can form a graph with very many paths.
    const known = this.members.get(at);
    this.count(known?.length ?? 0, at);
    if (known !== undefined) return known;
    const { cursor, reader } = this;
    const table = this.tables.of(unit);
    this.enter(unit, at);
    const members: Member[] = [];
    const entry = emptyEntry();
    let depth = 0;
    while (cursor.at < unit.end) {
      this.count(1, at);
      const abbreviation = this.abbreviation(table);
      if (abbreviation === undefined) {
        depth--;
        if (depth <= 0) break;
        continue;
      }
      reader.read(unit, abbreviation, entry);
      if (depth === 1 && abbreviation.tag === Tag.MEMBER) {
        const base = entry.name === 'index' ? this.stringsOf(unit) : 0;
        const name = this.names.of(entry, unit, base);
        members.push({ name, type: entry.type, location: entry.location });
      }
      if (abbreviation.hasChildren) {
        if (entry.sibling >= 0 && depth > 0) this.jump(unit, entry.sibling);
        else depth++;
      } else if (depth === 0) break;
    }
    this.members.set(at, members);
    return members;
  }

  /**
   * The structure or union that the type at an entry resolves to, through typedefs and qualifiers.
   */
  private structureAt(from: Unit, type: number): Structure | undefined {
    let unit = from;
    let at = type;
    const entry = emptyEntry();
    for (let i = 0; i < MAX_NESTING && at >= 0; i++) {
      this.count(1, at);
      if (at < unit.start || at >= unit.end) unit = this.unitAt(at);
      const table = this.tables.of(unit);
      this.enter(unit, at);
      const abbreviation = this.abbreviation(table);
      if (abbreviation === undefined) return undefined;
      this.reader.read(unit, abbreviation, entry);
      switch (abbreviation.tag) {
        case Tag.STRUCTURE:
        case Tag.CLASS:
        case Tag.UNION:
          return entry.isDeclaration ? undefined : { at, unit };
        case Tag.TYPEDEF:
        case Tag.CONST:
        case Tag.VOLATILE:
        case Tag.RESTRICT:
        case Tag.ATOMIC:
          at = entry.type;
          break;
        default:
          return undefined;
      }
    }
    return undefined;
  }

  private unitAt(at: number): Unit {
    for (let start = 0; start < this.sections.info.size;) {
      if (--this.unitsLeft < 0) this.cursor.refuse('too-large', 'units', start, MAX_UNITS);
      const unit = readUnit(this.cursor, start);
      if (at < unit.end) return unit;
      start = unit.end;
    }
    return this.cursor.refuse('bad-reference', 'type', at, at);
  }

  private count(entries: number, at: number): void {
    this.entriesLeft -= entries;
    if (this.entriesLeft < 0) this.cursor.refuse('too-large', 'entries', at, MAX_ENTRIES);
  }
}
