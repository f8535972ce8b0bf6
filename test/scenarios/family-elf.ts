/** A family's ELF and `.sframe`, to check a description against what was built. */
import { join, resolve } from 'node:path';
import { expect } from 'vitest';
import { loadElf } from '../../elf/image.js';
import type { ElfSymbol } from '../../elf/symbols.js';
import type {
  GuestKernelName,
  PointFilter,
  Scenario,
  ScenarioFamily,
} from '../../scenarios/scenario.js';
import { formatRule } from '../../unwinder/rule-text.js';
import { RuleTable } from '../../unwinder/rule-table.js';
import { decodeSFrame } from '../../unwinder/sframe/decode.js';

const ROOT = resolve(import.meta.dirname, '../..');

/** What the tests ask of a built family. */
export interface FamilyElf {
  readonly functions: ReadonlyMap<string, ElfSymbol>;
  /** The function's unwind rules as text, each once, in the order of the code; `none` without an entry. */
  rules(name: string): string[];
  /** The function's instruction words. */
  words(name: string): number[];
}

/** Loads `scenarios/<name>/<elf>`, built for a guest kernel. */
export function familyElf(family: ScenarioFamily, kernel: GuestKernelName = 'linux'): FamilyElf {
  const name = family.elf ?? '';
  const file = kernel === 'linux' ? name : name.replace(/\.elf$/, '-recover.elf');
  return readElf(join(ROOT, 'scenarios', family.name, file));
}

/** Loads a guest kernel. */
export function kernelElf(kernel: GuestKernelName = 'linux'): FamilyElf {
  const file = kernel === 'linux' ? 'vmlinux' : 'vmlinux-recover';
  return readElf(join(ROOT, 'kernel-model/guest', file));
}

function readElf(path: string): FamilyElf {
  const loaded = loadElf(path);
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.error));
  const sections = loaded.value.sframe.map((section) => {
    const decoded = decodeSFrame(section.data, section.address);
    if (!decoded.ok) throw new Error(JSON.stringify(decoded.error));
    return decoded.value;
  });
  const table = new RuleTable(sections);
  // `ld -R` also lists the guest kernel's functions, which are not in this file.
  const own = loaded.value.symbols.filter(({ kind, absolute }) => kind === 'function' && !absolute);
  const functions = new Map(own.map((symbol) => [symbol.name, symbol]));
  return {
    functions,
    rules: (name) => {
      const symbol = functions.get(name);
      if (symbol === undefined) throw new Error(`no function ${name}`);
      const found = new Set<string>();
      for (let pc = symbol.address; pc < symbol.address + symbol.size; pc += 4) {
        const rule = table.find(pc);
        found.add(rule < 0 ? 'none' : formatRule(table.rule(rule)));
      }
      return [...found];
    },
    words: (name) => {
      const symbol = functions.get(name);
      if (symbol === undefined) throw new Error(`no function ${name}`);
      const { address, size } = symbol;
      const segment = loaded.value.segments.find(
        ({ address: low, data }) => address >= low && address + size <= low + data.length,
      );
      if (segment === undefined) throw new Error(`${name} is in no segment`);
      const { buffer, byteOffset } = segment.data;
      const view = new DataView(buffer, byteOffset + address - segment.address, size);
      return Array.from({ length: size / 4 }, (_, i) => view.getUint32(4 * i, true));
    },
  };
}

/** Every filter of the scenario's promises. */
function filtersOf(scenario: Scenario): PointFilter[] {
  return Object.values(scenario.promises ?? {}).flatMap(({ allow, require }) => [
    ...(allow ?? []),
    ...(require ?? []),
  ]);
}

/**
 * Names are the family's own and unique; every symbol named exists, as a function of the family or,
 * in a promise, of the guest kernel.
 */
export function expectSoundNames(
  family: ScenarioFamily,
  elf: FamilyElf,
  kernel = kernelElf(),
): void {
  const names = family.scenarios.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  for (const scenario of family.scenarios) {
    expect(scenario.name).toMatch(new RegExp(`^${family.name}/[a-z0-9]+(-[a-z0-9]+)*$`));
    expect(elf.functions.has(scenario.entry), scenario.entry).toBe(true);
    const filtered = filtersOf(scenario).flatMap((filter) => filter.in ?? []);
    for (const name of filtered) {
      expect(elf.functions.has(name) || kernel.functions.has(name), name).toBe(true);
    }
    for (const name of scenario.traced ?? []) expect(elf.functions.has(name), name).toBe(true);
    expect(filtered, scenario.name).toContain(scenario.entry);
  }
}
