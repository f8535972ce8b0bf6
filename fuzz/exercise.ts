/** Runs every reader of files on one input. */
import { DynamicLinker } from '../elf/dynamic-linker.js';
import { writeFileSync } from 'node:fs';
import { describeElfError } from '../elf/error.js';
import { parseElf } from '../elf/image.js';
import { decompress } from '../elf/open-file.js';
import type { EngineBackend } from '../emulator/engine.js';
import { coverage } from '../tables/coverage.js';
import { diffTables } from '../tables/diff.js';
import { FunctionNames } from '../tables/function-names.js';
import { type FileTables, readDwarf, tablesOf } from '../tables/read-tables.js';
import { fileStat } from '../tables/stat.js';
import { compareSFrameToDwarf } from '../unwinder/dwarf/compare.js';
import { dumpSFrame } from '../unwinder/sframe/dump.js';
import { sframeJson } from '../unwinder/sframe/dump-json.js';
import { functionRules } from '../unwinder/sframe/function-rules.js';
import { exerciseVerifier } from './exercise-verifier.js';
import { clear, refused } from './clear-line.js';

/** How far an input got. */
export type Outcome = 'not-read' | 'no-dwarf' | 'read' | 'verified';

/** What verification by execution needs. It takes much longer than reading. */
export interface Execution {
  readonly backend: EngineBackend;
  /** Where the input is written, because verification reads files. */
  readonly path: string;
}

/**
 * @param execution when given, the file's functions are executed, too
 * @throws Error whatever a reader throws; also when an error message is not one clear line
 */
export function exercise(bytes: Buffer, original: FileTables, execution?: Execution): Outcome {
  const file = decompress('input', bytes);
  if (!file.ok) return refused(describeElfError(file.error));
  const image = parseElf('input', file.value);
  if (image.ok) {
    image.value.applyRelocations();
    image.value.applyRelocations(0, new DynamicLinker());
  } else refused(describeElfError(image.error));
  const verified = execution !== undefined && execute(bytes, execution);

  const flat = tablesOf('input', file.value, 'zero');
  if (flat.ok) {
    for (const { section, name } of flat.value.sframe) {
      for (const line of dumpSFrame(section, name)) clear(line.replace('RA undefined', ''));
      sframeJson(section);
    }
  } else refused(flat.error);
  const tables = tablesOf('input', file.value);
  if (!tables.ok) return refused(tables.error);

  const { elf, sframe } = tables.value;
  const names = new FunctionNames(elf);
  for (const { section, name } of sframe) {
    const nameOf = (start: number, size: number): string => names.nameOf(start, size).name;
    for (const line of dumpSFrame(section, name, nameOf)) if (line === '\0') return 'read';
  }
  diffTables(original, tables.value);
  diffTables(tables.value, tables.value);
  const dwarf = readDwarf(elf);
  const known = dwarf.ok ? dwarf.value : [];
  fileStat(tables.value, known);
  coverage(tables.value, known);
  const rules = sframe.flatMap(({ section }) =>
    Array.from({ length: section.functions.count }, (_, f) => functionRules(section, f)),
  );
  const functions = known.flatMap((table) => table.functions);
  for (const { sframe: one, dwarf: other } of compareSFrameToDwarf(rules, functions)) {
    clear(one.replace('undefined', ''));
    clear(other.replace('undefined', ''));
  }
  if (dwarf.ok) return verified ? 'verified' : 'read';
  refused(dwarf.error);
  return 'no-dwarf';
}

function execute(bytes: Buffer, { backend, path }: Execution): boolean {
  writeFileSync(path, bytes);
  return exerciseVerifier(path, backend);
}
