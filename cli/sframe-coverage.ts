/** What `kunwind-lab sframe coverage` does. */
import { type ElfSection, whyNoSFrame } from '../elf/sections.js';
import { type Coverage, coverage, type CoverageGap, type GapReason } from '../tables/coverage.js';
import { readDwarf } from '../tables/read-tables.js';
import { once, type OptionText } from './option-values.js';
import { print } from './output.js';
import { decompressFiles } from './plain-files.js';
import { must, mustRead } from './sframe-file.js';
import { count, plural } from '../base/number-text.js';
import { UsageError } from './usage-error.js';

/** What yargs makes of the command line. */
export interface CoverageArguments {
  readonly file?: string | undefined;
  readonly json: boolean;
  readonly limit: OptionText;
}

/** Print which text has no row, and why. @throws UsageError */
export async function printCoverage({
  file,
  json,
  limit: given,
}: CoverageArguments): Promise<void> {
  if (file === undefined) throw new UsageError('sframe coverage needs a FILE');
  const wanted = once('limit', given) ?? '30';
  const limit = /^\d{1,9}$/.test(wanted) ? Number(wanted) : -1;
  if (limit < 0) {
    throw new UsageError('--limit must be a whole number, 0 or more');
  }
  await decompressFiles(file);
  const tables = mustRead(file);
  const result = coverage(tables, must(readDwarf(tables.elf)));
  await print(
    json
      ? [JSON.stringify(result, undefined, 2)]
      : coverageLines(result, limit, tables.elf.sections),
  );
}

const REASONS: Readonly<Record<GapReason, string>> = {
  function: 'functions without CFI',
  code: 'assembly labels without CFI',
  'no-fde': 'CFI, but no SFrame FDE',
  'before-first-row': "before a function's first row",
  vectors: 'exception vectors',
  veneer: "the linker's veneers",
  plt: 'PLT and trampolines',
  data: 'data in text',
  padding: 'padding',
  alternative: 'replacements of alternatives',
  unnamed: 'code without a symbol',
};

function* coverageLines(
  result: Coverage,
  limit: number,
  sections: readonly ElfSection[],
): Generator<string> {
  if (!result.hasSFrame) yield `${whyNoSFrame(sections)}: no text has a row`;
  const { bytes, covered, functions, functionsCovered } = result;
  yield `text       ${count(covered)} of ${plural(bytes, 'byte')} have a row (${percent(covered, bytes)})`;
  yield `functions  ${count(functionsCovered)} of ${count(functions)} (${percent(functionsCovered, functions)})`;
  for (const section of result.sections) {
    const share = percent(section.covered, section.bytes);
    yield `  ${section.name.padEnd(24)} ${bytesText(section.bytes, 11)} ${share.padStart(8)}`;
  }
  if (result.gaps.length === 0) return;
  yield '';
  yield 'without a row';
  for (const { reason, bytes: size, places } of result.reasons) {
    const share = percent(size, bytes - covered);
    yield `  ${REASONS[reason].padEnd(30)} ${bytesText(size, 9)} ${share.padStart(8)}  ${plural(places, 'place')}`;
  }
  const named = result.gaps.filter(({ reason }) => reason === 'function' || reason === 'code');
  yield* listLines('to annotate first', named, limit);
  const dropped = result.gaps.filter(({ reason }) => reason === 'no-fde');
  yield* listLines('has CFI, but the assembler made no SFrame FDE', dropped, limit);
}

function* listLines(
  title: string,
  named: readonly CoverageGap[],
  limit: number,
): Generator<string> {
  if (named.length === 0) return;
  yield '';
  yield title;
  const shown = limit === 0 ? named : named.slice(0, limit);
  for (const gap of shown) yield `  ${gapText(gap)}`;
  if (shown.length < named.length) {
    yield `  ... and ${count(named.length - shown.length)} more (--limit 0)`;
  }
}

function gapText({ name, section, bytes, global, callers, reason, hasDwarf }: CoverageGap): string {
  const facts = [
    global ? 'global' : 'local',
    callers === 0 ? 'no direct caller' : plural(callers, 'direct caller'),
  ];
  if (reason === 'code') facts.push('no STT_FUNC');
  if (hasDwarf && reason !== 'no-fde') facts.push('has DWARF CFI');
  return `${count(bytes).padStart(7)}  ${name.padEnd(36)} ${section}: ${facts.join(', ')}`;
}

/** `1,024 bytes` in a column. @param width of the number, in characters */
function bytesText(bytes: number, width: number): string {
  return `${count(bytes).padStart(width)} ${bytes === 1 ? 'byte ' : 'bytes'}`;
}

function percent(part: number, whole: number): string {
  return whole === 0 ? '-' : `${((100 * part) / whole).toFixed(2)} %`;
}
