/** Which kinds of exceptions a real kernel cannot take when it was not booted, and why. */
import type { ElfSymbol } from '../../elf/symbols.js';
import { Kind } from '../exception-kind.js';
import { type KnownOffsets, WANTED_MEMBERS } from './structure-offsets.js';

/** Buckets of kprobe_table: 1 << KPROBE_HASH_BITS (kernel/kprobes.c). */
export const KPROBE_BUCKETS = 64;
/** Bytes reserved for a struct kprobe, which has some 120. */
const MAX_KPROBE = 1024;
const KPROBE_MEMBERS = ['kprobeList', 'kprobeAddress', 'kprobePreHandler'] as const;

/** The reasons by kind, in a few words. IRQs and pseudo-NMIs are always taken. */
export function unsupportedExceptions(
  symbols: ReadonlyMap<string, ElfSymbol>,
  known: KnownOffsets,
): ReadonlyMap<number, string> {
  const unsupported = new Map<number, string>();
  const brk = withoutBreakpoints(symbols, known);
  if (brk !== undefined) unsupported.set(Kind.BRK, brk);
  if (!symbols.has('do_serror'))
    unsupported.set(Kind.SERROR, 'no do_serror: SErrors are not taken');
  unsupported.set(
    Kind.SDEI,
    symbols.has('__sdei_asm_handler')
      ? 'built in, but firmware events are not delivered to a real kernel'
      : 'no CONFIG_ARM_SDE_INTERFACE: no firmware events',
  );
  return unsupported;
}

/**
 * Why breakpoints are not taken. They need kprobes, in a table of hash buckets, as since v2.6, and
 * the layout of a kprobe.
 */
function withoutBreakpoints(
  symbols: ReadonlyMap<string, ElfSymbol>,
  known: KnownOffsets,
): string | undefined {
  if (symbols.get('kprobe_table')?.size !== 8 * KPROBE_BUCKETS) {
    return 'no CONFIG_KPROBES: breakpoints are not taken';
  }
  const isKnown = KPROBE_MEMBERS.every((name) => {
    const { value } = known[name];
    return value >= 0 && value <= MAX_KPROBE - 8;
  });
  if (isKnown) return undefined;
  const defines = KPROBE_MEMBERS.map((name) => WANTED_MEMBERS[name].define).join(', ');
  return `the layout of struct kprobe is not known, so breakpoints are not taken: give ${defines} in --offsets`;
}
