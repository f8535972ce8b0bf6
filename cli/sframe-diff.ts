/**
 * What `kunwind-lab sframe diff` does. The exit status is diff's: 0 equal, 1 different, 2 bad
 * input.
 */
import { diffTables, isEqual, type SideFunction, type TableDiff } from '../tables/diff.js';
import { print } from './output.js';
import { decompressFiles } from './plain-files.js';
import { mustHaveSFrame } from './sframe-file.js';
import { count, plural } from '../base/number-text.js';
import { UsageError } from './usage-error.js';

/** What yargs makes of the command line. */
export interface DiffArguments {
  readonly a?: string | undefined;
  readonly b?: string | undefined;
  readonly json: boolean;
}

/** Exit status when the tables differ. */
const DIFFERENT = 1;

/** Print the differences. The exit status says whether there are any. @throws UsageError */
export async function printDiff({ a, b, json }: DiffArguments): Promise<void> {
  if (a === undefined || b === undefined) throw new UsageError('sframe diff needs two FILEs');
  await decompressFiles(a, b);
  const diff = diffTables(mustHaveSFrame(a), mustHaveSFrame(b));
  await print(json ? [JSON.stringify({ a, b, ...diff }, undefined, 2)] : diffLines(diff));
  if (!isEqual(diff)) process.exitCode = DIFFERENT;
}

function* diffLines(diff: TableDiff): Generator<string> {
  for (const one of diff.onlyA) yield `- ${sideText(one)}`;
  for (const one of diff.onlyB) yield `+ ${sideText(one)}`;
  for (const { name, file, sizeA, sizeB, changes } of diff.changed) {
    const size = sizeA === sizeB ? '' : `, size ${sizeA} -> ${sizeB}`;
    yield `~ ${title(name, file)}${size}`;
    for (const { from, to, a, b } of changes) {
      yield `    +0x${from.toString(16)}..+0x${to.toString(16)}`;
      yield `      - ${a}`;
      yield `      + ${b}`;
    }
  }
  const { onlyA, onlyB, changed, equal } = diff;
  yield (
    `${plural(equal, 'function')} equal, ${count(changed.length)} changed, ` +
    `${count(onlyA.length)} only in the first, ${count(onlyB.length)} only in the second`
  );
}

function sideText({ name, file, size }: SideFunction): string {
  return `${title(name, file)}, ${plural(size, 'byte')}`;
}

function title(name: string, file: string): string {
  return file === '' ? name : `${name} (${file})`;
}
