/** Everything that can be wrong with an ELF file, with a one-line message for each. */
import { ET_CORE } from './format.js';
import { relocationName } from './relocation-names.js';

/** Where an error is: the file, the field or structure, and its offset. */
interface ElfErrorPlace {
  /** The file, as the caller named it. */
  readonly path: string;
  /** The field or structure, as the ELF specification names it: `e_machine`, `p_memsz[3]`. */
  readonly field: string;
  /** Offset of the field in the (uncompressed) file, in bytes. */
  readonly offset: number;
}

/** Every way in which reading or loading an ELF file can fail. */
export type ElfError = ElfErrorPlace &
  (
    | { readonly kind: 'unreadable'; readonly reason: string }
    | { readonly kind: 'corrupt'; readonly compression: string; readonly reason: string }
    | { readonly kind: 'compressed'; readonly compression: string }
    | { readonly kind: 'bomb'; readonly limit: number; readonly limitedBy: 'ratio' | 'headers' }
    | { readonly kind: 'foreign'; readonly what: string; readonly instead: string }
    | { readonly kind: 'debug-only' }
    | { readonly kind: 'not-elf'; readonly found: string }
    | { readonly kind: 'truncated'; readonly bytes: string; readonly fileSize: number }
    | { readonly kind: 'class-32'; readonly machine: string }
    | { readonly kind: 'big-endian' }
    | { readonly kind: 'machine'; readonly machine: string }
    | { readonly kind: 'relocatable' }
    | { readonly kind: 'file-type'; readonly type: number }
    | { readonly kind: 'no-load-segment' }
    | { readonly kind: 'too-large'; readonly value: string; readonly limit: string }
    | { readonly kind: 'malformed'; readonly reason: string }
    | { readonly kind: 'unsupported-relocation'; readonly type: number }
  );

/** The error for a field whose value makes no sense. */
export function malformed(path: string, field: string, offset: number, reason: string): ElfError {
  return { path, field, offset, kind: 'malformed', reason };
}

/** An error unless the `bytes` bytes of `field` at `offset` lie within a file of `size` bytes. */
export function checkRange(
  path: string,
  size: number,
  field: string,
  offset: bigint,
  bytes: bigint,
): ElfError | undefined {
  if (offset + bytes <= BigInt(size)) return undefined;
  const place = { path, field, offset: Number(offset) };
  return { ...place, kind: 'truncated', bytes: bytes.toString(), fileSize: size };
}

/**
 * One line that names the file, the field and the offset, and says what to do when that is known.
 */
export function describeElfError(error: ElfError): string {
  const at = `${error.field} at offset 0x${error.offset.toString(16)}`;
  return `${error.path}: ${problem(error, at)}`;
}

function problem(error: ElfError, at: string): string {
  switch (error.kind) {
    case 'unreadable':
      return `cannot read the file: ${error.reason}`;
    case 'corrupt':
      return `the ${error.compression} data is corrupt or cut short: ${error.reason}`;
    case 'compressed':
      return `compressed with ${error.compression}; decompress it first`;
    case 'bomb':
      return error.limitedBy === 'headers'
        ? `decompresses to more than the ${error.limit} bytes that its own ELF headers account for`
        : `decompresses to more than ${error.limit} bytes, out of proportion to its size: if it is no decompression bomb, give it decompressed`;
    case 'foreign':
      return `${error.what} (${at}); ${error.instead}`;
    case 'debug-only':
      return `has no code, only debugging information (${at} is SHT_NOBITS), as objcopy --only-keep-debug writes it; the file that it was split from is needed`;
    case 'not-elf':
      return `not an ELF file: ${at} is ${error.found}, expected 7f 45 4c 46`;
    case 'truncated':
      return `truncated: ${at} needs ${error.bytes} bytes, the file has ${error.fileSize}`;
    case 'class-32':
      return `a 32-bit ELF file for ${error.machine} (${at}); a 64-bit AArch64 one is needed`;
    case 'big-endian':
      return `not little-endian (${at}); a little-endian AArch64 file is needed`;
    case 'machine':
      return `built for ${error.machine}, not AArch64 (${at}); an arm64 build of it is needed`;
    case 'relocatable':
      return `a relocatable object (${at} is ET_REL); link it first, for example with ld`;
    case 'file-type':
      return error.type === ET_CORE
        ? `a core dump (${at} is ET_CORE); the program or kernel that dumped it is needed`
        : `neither an executable nor a shared object: ${at} is ${error.type}`;
    case 'no-load-segment':
      return `nothing to load: no PT_LOAD segment (${at})`;
    case 'too-large':
      return `${at} is ${error.value}, more than the limit of ${error.limit}`;
    case 'malformed':
      return `${at}: ${error.reason}`;
    case 'unsupported-relocation':
      return `${relocationName(error.type)} is not supported (${at})`;
  }
}
