/**
 * The file under verification as the executor needs it: bytes at addresses, the ranges that hold
 * code, the SFrame tables and the symbols.
 */
import { type Address, formatAddress } from '../base/address.js';
import { DynamicLinker } from '../elf/dynamic-linker.js';
import { describeElfError } from '../elf/error.js';
import { type ElfImage, loadElf } from '../elf/image.js';
import { loadObject } from '../elf/object-image.js';
import { SymbolTable } from '../elf/symbol-table.js';
import type { ElfSymbol } from '../elf/symbols.js';
import { fail, ok, type Result } from '../base/result.js';
import type { DwarfFunction } from '../unwinder/dwarf/rows.js';
import { decodeSFrame } from '../unwinder/sframe/decode.js';
import { formatSFrameError } from '../unwinder/sframe/error.js';
import type { SFrameSection } from '../unwinder/sframe/section.js';
import { readDwarfFunctions } from './dwarf-rules.js';
import { readStubs } from './plt.js';

/** Bytes that are loaded, relocated, at their address. */
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

/** What is verified. */
export interface Program {
  readonly path: string;
  /** Not an object, and all its relocations are known: the debugger can run it. */
  readonly runnable: boolean;
  /** By rising address. */
  readonly pieces: readonly Piece[];
  /** By rising address. */
  readonly code: readonly CodeRange[];
  readonly tables: readonly SFrameSection[];
  /** What `.eh_frame` and `.debug_frame` say, by start of the function. */
  readonly dwarf: ReadonlyMap<Address, DwarfFunction>;
  readonly symbols: SymbolTable;
  /** Symbols that functions may be named by, by address; a file may have none. */
  readonly functions: readonly ElfSymbol[];
  /** Names of the functions that stubs of a PLT lead to, by the stub's address. */
  readonly stubs: ReadonlyMap<Address, string>;
  /** Names of symbols that the file does not define, by the addresses that stand for them. */
  readonly imports: ReadonlyMap<Address, string>;
  /** Address and bytes of a loaded section, or of what lies between two symbols. */
  area(section: string, startSymbol: string, endSymbol: string): Piece | undefined;
}

/** Load a file for verification. The error is one line. */
export function loadProgram(path: string): Result<Program, string> {
  const linked = loadElf(path);
  const isObject = !linked.ok && linked.error.kind === 'relocatable';
  const image = isObject ? loadObject(path) : linked;
  return image.ok ? programOf(image.value) : fail(describeElfError(image.error));
}

/** The program of a parsed image. */
export function programOf(image: ElfImage): Result<Program, string> {
  const { path } = image;
  if (image.sframe.length === 0) {
    const dwarf = ['.eh_frame', '.debug_frame'].find((name) => image.section(name) !== undefined);
    const hint = dwarf === undefined ? '' : `, only ${dwarf}`;
    return fail(`${path}: no .sframe section${hint}: nothing to verify`);
  }
  const linker = new DynamicLinker();
  const whole = image.applyRelocations(0, linker);
  // Types that are not known are data: calls are stepped over, and loads give what they give.
  const loaded = whole.ok ? whole : image.applyRelocations(0, 'keep');
  if (!loaded.ok) return fail(describeElfError(loaded.error));
  const pieces: Piece[] = loaded.value.map(({ address, data }, i) => {
    const length = image.segments[i]?.data.length ?? data.length;
    return { address, data: data.subarray(0, length) };
  });
  const tables: SFrameSection[] = [];
  for (const { name, data, address } of image.sframe) {
    const decoded = decodeSFrame(bytesAt(pieces, address, data.length) ?? data, address);
    if (!decoded.ok) return fail(`${path}: ${name}: ${formatSFrameError(decoded.error)}`);
    tables.push(decoded.value);
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

/** How many times the code of a file its functions may cover: work is done for each. */
const OVERLAP = 8;

/** Sizes that would cost time and memory without bound; undefined when there is none. */
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
        return `.sframe: FDE ${fde} at ${at} has ${size} bytes, all code of the file ${bytes}`;
      }
      total += size;
      if (total > OVERLAP * bytes) {
        return `.sframe: the functions up to FDE ${fde} cover ${total} bytes, all code ${bytes}`;
      }
    }
  }
  return undefined;
}

function codeRanges(image: ElfImage): CodeRange[] {
  const sections = image.sections
    .filter(({ executable, size }) => executable && size > 0)
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
