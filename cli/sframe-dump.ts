/** What `kunwind-lab sframe dump` does. */
import { dumpSFrame } from '../unwinder/sframe/dump.js';
import { sframeJson } from '../unwinder/sframe/dump-json.js';
import { FunctionNames } from '../tables/function-names.js';
import type { FileTables } from '../tables/read-tables.js';
import { once, type OptionText } from './option-values.js';
import { print } from './output.js';
import { decompressFiles } from './plain-files.js';
import { mustHaveSFrame } from './sframe-file.js';
import { UsageError } from './usage-error.js';

/** What yargs makes of the command line. */
export interface DumpArguments {
  readonly file?: string | undefined;
  readonly format: OptionText;
  readonly json: boolean;
}

const FORMATS = ['text', 'readelf', 'json'];

/** Print the rows of the file. @throws UsageError */
export async function printDump({ file, format: given, json }: DumpArguments): Promise<void> {
  if (file === undefined) throw new UsageError('sframe dump needs a FILE');
  const wanted = once('format', given) ?? 'text';
  if (!FORMATS.includes(wanted)) {
    throw new UsageError(`--format ${wanted}: there are ${FORMATS.join(', ')}`);
  }
  await decompressFiles(file);
  const format = json ? 'json' : wanted;
  // readelf shows an object's functions where the section headers put them: every section at
  // address 0.
  const tables = mustHaveSFrame(file, format === 'text' ? 'apart' : 'zero');
  if (format === 'json') {
    const sections = tables.sframe.map(({ name, section }) => ({ name, ...sframeJson(section) }));
    await print([JSON.stringify({ file, sections }, undefined, 2)]);
  } else if (format === 'readelf') {
    await print(readelfLines(tables));
  } else {
    await print(namedLines(tables));
  }
}

function* readelfLines({ sframe }: FileTables): Generator<string> {
  for (const { name, section } of sframe) yield* dumpSFrame(section, name);
}

function* namedLines({ elf, sframe }: FileTables): Generator<string> {
  const names = new FunctionNames(elf);
  for (const [i, { name, section }] of sframe.entries()) {
    if (i > 0) yield '';
    yield* dumpSFrame(section, name, (start, size) => names.nameOf(start, size).name);
  }
}
