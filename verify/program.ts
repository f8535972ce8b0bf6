/**
 * The file under verification as the executor needs it: loaded bytes, the ranges that hold code, the
 * SFrame tables and the symbols.
 */
import { type Address, formatAddress } from '../base/address.js';
import { DynamicLinker } from '../elf/dynamic-linker.js';
import { describeElfError } from '../elf/error.js';
import { SHT_NOBITS } from '../elf/format.js';
import { type ElfImage, loadElf } from '../elf/image.js';
import { loadObject } from '../elf/object-image.js';
import { whyNoSFrame } from '../elf/sections.js';
import { SymbolTable } from '../elf/symbol-table.js';
import type { ElfSymbol } from '../elf/symbols.js';
import { fail, ok, type Result } from '../base/result.js';
import type { DwarfFunction } from '../unwinder/dwarf/rows.js';
import { formatSFrameError } from '../unwinder/sframe/error.js';
import type { SFrameSection } from '../unwinder/sframe/section.js';
import { decodeSFrameTables, layoutNote } from '../unwinder/sframe/tables.js';
import { readDwarfFunctions } from './dwarf-rules.js';
import { readStubs } from './plt.js';

/** Loaded bytes, after relocation. */
export interface Piece {
  readonly address: Address;
  readonly data: Uint8Array;
}

/** A section that holds code. */
export interface CodeRange {
  readonly name: string;
  readonly low: Address;
  readonly high: Address;
}

/** A file under verification. */
export interface Program {
  readonly path: string;
  /** Whether the debugger can run it: it is no object, and all its relocations are known. */
  readonly runnable: boolean;
  /** By rising address. */
  readonly pieces: readonly Piece[];
  /** By rising address. */
  readonly code: readonly CodeRange[];
  readonly tables: readonly SFrameSection[];
  /** One line when a kernel would not read all of its SFrame sections: {@link layoutNote}. */
  readonly layoutNote: string | undefined;
  /** The functions of `.eh_frame` and `.debug_frame`, by start address. */
  readonly dwarf: ReadonlyMap<Address, DwarfFunction>;
  readonly symbols: SymbolTable;
  /** Function symbols, by rising address; a file may have none. */
  readonly functions: readonly ElfSymbol[];
  /** For each PLT stub, by its address, the name of the function that it calls. */
  readonly stubs: ReadonlyMap<Address, string>;
  /** Names of symbols that the file does not define, by the addresses that stand for them. */
  readonly imports: ReadonlyMap<Address, string>;
  /** The bytes between two symbols, or those of a section where a symbol is missing. */
  area(section: string, startSymbol: string, endSymbol: string): Piece | undefined;
}

/** Load a file for verification. The error is one line. */
export function loadProgram(path: string): Result<Program, string> {
  const linked = loadElf(path);
  const isObject = !linked.ok && linked.error.kind === 'relocatable';
  const image = isObject ? loadObject(path) : linked;
  return image.ok ? programOf(image.value) : fail(describeElfError(image.error));
}

/** The program of a parsed image. The error is one line. */
export function programOf(image: ElfImage): Result<Program, string> {
  const { path } = image;
  if (image.sframe.length === 0) {
    const dwarf = ['.eh_frame', '.debug_frame'].find((name) => image.section(name) !== undefined);
    const hint = dwarf === undefined ? '' : `, only ${dwarf}`;
    return fail(`${path}: ${whyNoSFrame(image.sections)}${hint}: nothing to verify`);
  }
  const linker = new DynamicLinker();
  const whole = image.applyRelocations(0, linker);
  // Data with an unknown relocation stays as linked. No harm: calls are stepped over anyway.
  const loaded = whole.ok ? whole : image.applyRelocations(0, 'keep');
  if (!loaded.ok) return fail(describeElfError(loaded.error));
  const pieces: Piece[] = loaded.value.map(({ address, data }, i) => {
    const length = image.segments[i]?.data.length ?? data.length;
    return { address, data: data.subarray(0, length) };
  });
  const tables: SFrameSection[] = [];
  for (const { name, data, address } of image.sframe) {
    const decoded = decodeSFrameTables(bytesAt(pieces, address, data.length) ?? data, address);
    if (!decoded.ok) return fail(`${path}: ${name}: ${formatSFrameError(decoded.error)}`);
    tables.push(...decoded.value.map(({ table }) => table));
  }
  const code = codeRanges(image);
  const excess = checkSizes(tables, code);
  if (excess !== undefined) return fail(`${path}: ${excess}`);
  const dwarf = readDwarfFunctions(path, image.dwarfFrames);
  if (!dwarf.ok) return dwarf;
  const symbols = new SymbolTable([image]);
  return ok({
    path,
    runnable: image.type !== 'rel' && whole.ok,
    pieces,
    code,
    tables,
    layoutNote: layoutNote(path, image.sframe),
    dwarf: dwarf.value,
    symbols,
    functions: [...symbols.functions()],
    stubs: readStubs(image),
    imports: linker.symbolAddresses(),
    area: (section, start, end) => areaOf(image, pieces, symbols, [section, start, end]),
  });
}

/** Loaded bytes at an address, or undefined where they are not all in one piece. */
export function bytesAt(
  pieces: readonly Piece[],
  address: Address,
  length: number,
): Uint8Array | undefined {
  for (const piece of pieces) {
    const at = address - piece.address;
    if (at >= 0 && at + length <= piece.data.length) return piece.data.subarray(at, at + length);
  }
  return undefined;
}

/** The functions of a table may cover the code of the file this many times: each costs work. */
const OVERLAP = 8;

/** Refuse sizes that would cost time and memory without bound: one line, or undefined. */
function checkSizes(
  tables: readonly SFrameSection[],
  code: readonly CodeRange[],
): string | undefined {
  const bytes = code.reduce((sum, { low, high }) => sum + high - low, 0);
  let total = 0;
  for (const { functions } of tables) {
    for (let fde = 0; fde < functions.count; fde++) {
      const size = functions.size[fde] as number;
      const at = formatAddress(functions.start[fde] as number);
      if (size > bytes) {
        return `.sframe: FDE ${fde} at ${at} has ${size} bytes, but the file has only ${bytes} bytes of code`;
      }
      total += size;
      if (total > OVERLAP * bytes) {
        return `.sframe: the functions up to FDE ${fde} cover ${total} bytes, but the file has only ${bytes} bytes of code`;
      }
    }
  }
  return undefined;
}

function codeRanges(image: ElfImage): CodeRange[] {
  const sections = image.sections
    .filter(({ executable, type, size }) => executable && type !== SHT_NOBITS && size > 0)
    .map(({ name, address, size }) => ({ name, low: address, high: address + size }));
  const segments = image.segments
    .filter(({ executable }) => executable)
    .map(({ address, data }) => ({ name: 'PT_LOAD', low: address, high: address + data.length }));
  return (sections.length > 0 ? sections : segments).sort((a, b) => a.low - b.low);
}

function areaOf(
  image: ElfImage,
  pieces: readonly Piece[],
  symbols: SymbolTable,
  [name, startSymbol, endSymbol]: readonly [string, string, string],
): Piece | undefined {
  const section = image.section(name);
  const start = symbols.byName(startSymbol)?.address ?? section?.address;
  const end =
    symbols.byName(endSymbol)?.address ??
    (section === undefined ? undefined : section.address + section.size);
  if (start === undefined || end === undefined || end <= start) return undefined;
  const data = bytesAt(pieces, start, end - start);
  return data && { address: start, data };
}
