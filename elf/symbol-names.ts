/**
 * Symbol names: which are only markers, which alias to prefer, and which resemble a misspelt name.
 */
import type { ElfSymbol } from './symbols.js';

/**
 * What a mapping symbol of that name says about the bytes after it (ELF for the Arm 64-bit
 * Architecture, mapping symbols); undefined for any other name. A mapping symbol that objcopy renamed
 * has a prefix, as in `__pi_$x`.
 */
export function mappingOf(name: string): 'code' | 'data' | undefined {
  const at = name.indexOf('$');
  if (at < 0 || !/^\w*\$[dx](\.|$)/.test(name)) return undefined;
  return name[at + 1] === 'd' ? 'data' : 'code';
}

/**
 * Whether a symbol is only a marker for tools: a mapping symbol, or an assembler-local `.L` label.
 */
export function isMarker({ name, kind, size, global }: ElfSymbol): boolean {
  if (name === '') return true;
  if (global || kind !== 'other') return false;
  return name.startsWith('.L') || (size === 0 && mappingOf(name) !== undefined);
}

/**
 * Orders the symbols of one address, best name first: sized symbols before labels, functions
 * before objects, then as kallsyms does (scripts/kallsyms.c, v7.3-rc7): strong before weak,
 * fewer leading underscores first.
 */
export function compareAliases(a: ElfSymbol, b: ElfSymbol): number {
  return (
    Number(b.size > 0) - Number(a.size > 0) ||
    KIND_ORDER[a.kind] - KIND_ORDER[b.kind] ||
    Number(a.weak) - Number(b.weak) ||
    underscores(a.name) - underscores(b.name)
  );
}

const KIND_ORDER = { function: 0, object: 1, other: 2 } as const;

function underscores(name: string): number {
  let count = 0;
  while (name[count] === '_') count++;
  return count;
}

/** The name of a function whose FDE begins in the padding `bytes` before its symbol: `symbol-0x4`. */
export function nameBefore(symbol: string, bytes: number): string {
  return `${symbol}-0x${bytes.toString(16)}`;
}

/** Sections of records about symbols (include/linux/export.h, scripts/mod/modpost.c, v7.3-rc7). */
const RECORD = /^__(ksymtab|kcrctab|kstrtab|kstrtabns|crc|export_symbol|UNIQUE_ID)_/;

/** Whether a name is of a marker or of a record about another symbol: nobody means one. */
function isRecordName(name: string): boolean {
  return name.startsWith('$') || name.startsWith('.L') || RECORD.test(name);
}

/** At most `limit` names that resemble a misspelt one, nearest first: for error messages. */
export function nearestNames(wanted: string, names: Iterable<string>, limit: number): string[] {
  const worst = Math.max(2, Math.ceil(wanted.length / 3));
  const near: { name: string; distance: number }[] = [];
  for (const name of names) {
    if (isRecordName(name)) continue;
    const distance = distanceWithin(wanted, name, worst);
    if (distance <= worst) near.push({ name, distance });
  }
  near.sort((a, b) => a.distance - b.distance || (a.name < b.name ? -1 : 1));
  return near.slice(0, limit).map(({ name }) => name);
}

/** Edit distance, or any number above `worst`. A name that contains `wanted` has distance 1. */
function distanceWithin(wanted: string, name: string, worst: number): number {
  if (name === wanted) return 0;
  if (wanted.length >= 4 && name.includes(wanted)) return 1;
  if (Math.abs(wanted.length - name.length) > worst) return Infinity;
  let above = Array.from({ length: name.length + 1 }, (_, i) => i);
  for (let i = 1; i <= wanted.length; i++) {
    const row = [i];
    for (let j = 1; j <= name.length; j++) {
      const replace = (above[j - 1] as number) + Number(wanted[i - 1] !== name[j - 1]);
      row.push(Math.min(replace, (above[j] as number) + 1, (row[j - 1] as number) + 1));
    }
    if (Math.min(...row) > worst) return Infinity;
    above = row;
  }
  return above[name.length] as number;
}
