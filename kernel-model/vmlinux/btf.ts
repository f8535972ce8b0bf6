/**
 * Structure offsets from a kernel's BTF (Documentation/bpf/btf.rst, v7.3-rc7): the section `.BTF`,
 * which a kernel with CONFIG_DEBUG_INFO_BTF has.
 */
import { fail, ok, type Result } from '../../base/result.js';
import type { OffsetSource } from './structure-offsets.js';

const MAGIC = 0xeb9f;
const HEADER_SIZE = 24;
const TYPE_SIZE = 12;
const MEMBER_SIZE = 12;

/** The kinds of types that are handled here, or that have extra bytes. */
const Kind = {
  INT: 1,
  ARRAY: 3,
  STRUCT: 4,
  UNION: 5,
  ENUM: 6,
  TYPEDEF: 8,
  VOLATILE: 9,
  CONST: 10,
  RESTRICT: 11,
  FUNC_PROTO: 13,
  VAR: 14,
  DATASEC: 15,
  DECL_TAG: 17,
  TYPE_TAG: 18,
  ENUM64: 19,
} as const;
const LAST_KIND = 19;
/** Bytes that follow a type: a fixed number, and a number for each of its `vlen` parts. */
const EXTRA: Readonly<Record<number, readonly [fixed: number, each: number]>> = {
  [Kind.INT]: [4, 0],
  [Kind.ARRAY]: [12, 0],
  [Kind.STRUCT]: [0, 12],
  [Kind.UNION]: [0, 12],
  [Kind.ENUM]: [0, 8],
  [Kind.FUNC_PROTO]: [0, 8],
  [Kind.VAR]: [4, 0],
  [Kind.DATASEC]: [0, 12],
  [Kind.DECL_TAG]: [4, 0],
  [Kind.ENUM64]: [0, 12],
};
/** Limit of nested anonymous structures and modifiers; more is a loop. */
const MAX_NESTING = 32;
/** Members that one look-up may visit, because a few types can be nested in very many ways. */
const MAX_MEMBERS = 1 << 18;

/** All types by number. Only structures are searched. */
class BtfTypes implements OffsetSource {
  readonly origin = 'BTF';
  private readonly structs = new Map<string, number>();
  private membersLeft = 0;

  constructor(
    private readonly view: DataView,
    /** Where each type begins; number 0 is void. */
    private readonly types: readonly number[],
    private readonly strings: Uint8Array,
  ) {
    for (const at of types) {
      if (at > 0 && this.kind(at) === Kind.STRUCT && this.count(at) > 0) {
        const name = this.name(at);
        if (name !== '' && !this.structs.has(name)) this.structs.set(name, at);
      }
    }
  }

  readonly offsetOf: OffsetSource['offsetOf'] = ({ struct, member }) => {
    let at = this.structs.get(struct);
    let offset = 0;
    this.membersLeft = MAX_MEMBERS;
    for (const name of member.split('.')) {
      const found = at === undefined ? undefined : this.member(at, name, 0);
      if (found === undefined) return undefined;
      offset += found.offset;
      at = this.resolve(found.type);
    }
    return offset;
  };

  /**
   * The offset of a member with that name, in bytes from the start of the structure. Searches
   * anonymous members, too.
   */
  private member(
    at: number,
    wanted: string,
    nesting: number,
  ): { readonly offset: number; readonly type: number } | undefined {
    const isStructure = this.kind(at) === Kind.STRUCT || this.kind(at) === Kind.UNION;
    if (!isStructure || nesting > MAX_NESTING) return undefined;
    const { view } = this;
    for (let i = 0; i < this.count(at) && --this.membersLeft > 0; i++) {
      const entry = at + TYPE_SIZE + MEMBER_SIZE * i;
      const type = view.getUint32(entry + 4, true);
      const bits = view.getUint32(entry + 8, true) & (this.hasBitfields(at) ? 0xffffff : -1);
      const name = this.name(entry);
      if (name === wanted) return { offset: (bits >>> 0) / 8, type };
      const inner = name === '' ? this.resolve(type) : undefined;
      const found = inner === undefined ? undefined : this.member(inner, wanted, nesting + 1);
      if (found !== undefined) return { ...found, offset: found.offset + (bits >>> 0) / 8 };
    }
    return undefined;
  }

  /** The type, without typedefs and qualifiers. */
  private resolve(type: number): number | undefined {
    let at = this.types[type];
    for (let i = 0; i < MAX_NESTING && at !== undefined && at > 0; i++) {
      switch (this.kind(at)) {
        case Kind.TYPEDEF:
        case Kind.VOLATILE:
        case Kind.CONST:
        case Kind.RESTRICT:
        case Kind.TYPE_TAG:
          at = this.types[this.view.getUint32(at + 8, true)];
          break;
        default:
          return at;
      }
    }
    return undefined;
  }

  private kind(at: number): number {
    return (this.view.getUint32(at + 4, true) >>> 24) & 0x1f;
  }

  private count(at: number): number {
    return this.view.getUint32(at + 4, true) & 0xffff;
  }

  private hasBitfields(at: number): boolean {
    return this.view.getUint32(at + 4, true) >>> 31 === 1;
  }

  private name(at: number): string {
    const start = this.view.getUint32(at, true);
    const end = this.strings.indexOf(0, start);
    return end < 0 ? '' : Buffer.from(this.strings.subarray(start, end)).toString('latin1');
  }
}

/** Reads a `.BTF` section. The error is one line, without the file's name. */
export function readBtf(section: Uint8Array): Result<OffsetSource, string> {
  const view = new DataView(section.buffer, section.byteOffset, section.byteLength);
  if (section.length < HEADER_SIZE)
    return fail(`.BTF: ${section.length} bytes are too few for a header`);
  const magic = view.getUint16(0, true);
  if (magic !== MAGIC) return fail(`.BTF: magic is 0x${magic.toString(16)}, expected 0xeb9f`);
  const base = view.getUint32(4, true);
  const [low, high] = [
    base + view.getUint32(8, true),
    base + view.getUint32(8, true) + view.getUint32(12, true),
  ];
  const stringsAt = base + view.getUint32(16, true);
  const stringsEnd = stringsAt + view.getUint32(20, true);
  if (Math.max(high, stringsEnd) > section.length) {
    return fail(
      `.BTF: its header asks for ${Math.max(high, stringsEnd)} bytes of ${section.length}`,
    );
  }
  const types = [0];
  for (let at = low; at < high;) {
    if (at + TYPE_SIZE > high) return fail(`.BTF: half a type at offset 0x${at.toString(16)}`);
    const info = view.getUint32(at + 4, true);
    const kind = (info >>> 24) & 0x1f;
    if (kind === 0 || kind > LAST_KIND) {
      return fail(
        `.BTF: unknown kind ${kind} of type ${types.length} at offset 0x${at.toString(16)}`,
      );
    }
    const [fixed, each] = EXTRA[kind] ?? [0, 0];
    types.push(at);
    at += TYPE_SIZE + fixed + each * (info & 0xffff);
    if (at > high) return fail(`.BTF: type ${types.length - 1} runs out of the section`);
  }
  return ok(new BtfTypes(view, types, section.subarray(stringsAt, stringsEnd)));
}
