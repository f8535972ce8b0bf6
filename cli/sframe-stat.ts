/** What `kunwind-lab sframe stat` does. */
import { readDwarf } from '../tables/read-tables.js';
import type { Counts } from '../tables/row-counter.js';
import { type Distribution, type FileStat, fileStat, type SFrameStat } from '../tables/stat.js';
import { print } from './output.js';
import { decompressFiles } from './plain-files.js';
import { must, mustHaveSFrame } from './sframe-file.js';
import { count, plural } from '../base/number-text.js';
import { UsageError } from './usage-error.js';

/** What yargs makes of the command line. */
export interface StatArguments {
  readonly file?: string | undefined;
  readonly json: boolean;
}

/** Print sizes and encodings. @throws UsageError */
export async function printStat({ file, json }: StatArguments): Promise<void> {
  if (file === undefined) throw new UsageError('sframe stat needs a FILE');
  await decompressFiles(file);
  const tables = mustHaveSFrame(file);
  const stat = fileStat(tables, must(readDwarf(tables.elf)));
  await print(json ? [JSON.stringify(stat, undefined, 2)] : statLines(stat));
}

function* statLines({ sections, dwarf, text }: FileStat): Generator<string> {
  for (const [i, section] of sections.entries()) {
    if (i > 0) yield '';
    yield* sectionLines(section, text);
  }
  const total = sections.reduce((sum, { bytes }) => sum + bytes.total, 0);
  for (const { name, bytes, functions } of dwarf) {
    yield '';
    yield `${name}: ${plural(bytes, 'byte')}, ${plural(functions, 'function')}; .sframe is ${percent(total, bytes)} of it`;
  }
}

function* sectionLines(stat: SFrameStat, text: number): Generator<string> {
  const { bytes, functions, rows, avoidable } = stat;
  const flags = stat.flags.length === 0 ? 'no flags' : stat.flags.join(', ');
  yield `${stat.name}: version ${stat.version}, ${flags}`;
  yield line('bytes', count(bytes.total), `${percent(bytes.total, text)} of text`);
  const parts: [string, number][] = [
    ['header', bytes.header],
    ['function table', bytes.functionTable],
    ['attributes', bytes.attributes],
    ['row starts', bytes.rowStarts],
    ['row info', bytes.rowInfo],
    ['row data', bytes.rowData],
    ['unused', bytes.unused],
  ];
  for (const [name, size] of parts) {
    yield line(`  ${name}`, count(size), percent(size, bytes.total));
  }
  yield line('functions', count(functions.count), `${plural(functions.text, 'byte')} of text`);
  yield line('  types', countsText(functions.types));
  yield line('  PC types', countsText(functions.pcTypes));
  yield line('  row start bytes', countsText(functions.startSizes));
  const flagged = `${count(functions.signalFrames)} signal, ${count(functions.keyB)} key B`;
  yield line('  flags', `${flagged}, ${count(functions.outermost)} outermost`);
  yield line('  rows each', distributionText(functions.rowsPerFunction));
  yield line('  text each', distributionText(functions.textPerFunction));
  yield line('  table bytes each', distributionText(functions.bytesPerFunction));
  yield line('rows', count(rows.count), plural(rows.distinctRules, 'distinct rule'));
  yield line('  CFA base', countsText(rows.cfaBase));
  yield line('  RA', countsText(rows.ra));
  yield line('  FP', countsText(rows.fp));
  yield line('  mangled RA', count(rows.mangled), percent(rows.mangled, rows.count));
  yield line('  data words', countsText(rows.dataWords));
  yield line('  data word bytes', countsText(rows.dataWordSizes));
  yield 'could be smaller by';
  const { redundantRows, redundantRowBytes, duplicateRowLists, duplicateRowBytes } = avoidable;
  const redundant = `${plural(redundantRows, 'row')} without a change`;
  yield line('  redundant rows', count(redundantRowBytes), redundant);
  yield line('  wide starts', count(avoidable.wideStartBytes), 'more than the offsets need');
  yield line('  wide data words', count(avoidable.wideDataBytes), 'more than the values need');
  const duplicates = `${plural(duplicateRowLists, 'function')} with another's rows`;
  yield line('  duplicates', count(duplicateRowBytes), duplicates);
  yield line('  MASK blocks cost', count(avoidable.maskBytes), 'bytes of rows');
}

function line(name: string, value: string, note = ''): string {
  return `  ${name.padEnd(20)} ${note === '' ? value : `${value.padStart(11)}  ${note}`}`;
}

function countsText(counts: Counts): string {
  const total = Object.values(counts).reduce((sum, one) => sum + one, 0);
  if (total === 0) return 'none';
  return Object.entries(counts)
    .map(([name, one]) => `${name} ${count(one)} (${percent(one, total)})`)
    .join(', ');
}

function distributionText({ min, median, p90, p99, max, mean }: Distribution): string {
  return `median ${count(median)}, mean ${mean}, 90 % ${count(p90)}, 99 % ${count(p99)}, ${count(min)} to ${count(max)}`;
}

function percent(part: number, whole: number): string {
  return whole === 0 ? '-' : `${((100 * part) / whole).toFixed(1)} %`;
}
