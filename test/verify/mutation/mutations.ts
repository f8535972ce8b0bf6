/**
 * `npm run verify:mutations [-- --seed N] [--tables N] [--code N] [--all] [--file ELF]`: plants mistakes
 * in a real kernel's table and code and counts how many verification reports; with `--all` changes that
 * say the same in other words, too. Exit status: 0 enough was reported, 1 not, 2 wrong usage, 3 skipped.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import Table from 'cli-table3';
import { openBackend } from '../../../emulator/backend.js';
import { packagePath } from '../../../base/package-path.js';
import { loadProgram } from '../../../verify/program.js';
import { Verifier } from '../../../verify/verify.js';
import { type Campaign, MutationRunner } from './campaign.js';

const FOLDER = process.env['KUNWIND_KERNELS'] ?? packagePath('../shared/kernels');
const KERNEL = join(FOLDER, 'vmlinux-7.3-rc7-leaf.gz');
/** The share of changes that matter which has to be reported. */
const MIN_REPORTED = 0.995;
/** Exit status when there is no kernel: nothing failed, and nothing was verified. */
const SKIPPED = 3;

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      file: { type: 'string', default: KERNEL },
      seed: { type: 'string', default: '1' },
      tables: { type: 'string', default: '2000' },
      code: { type: 'string', default: '200' },
      all: { type: 'boolean', default: false },
    },
  });
  const { file } = values;
  if (file === KERNEL && !existsSync(file)) {
    complain(`skipped, nothing was verified: ${KERNEL} is not there`);
    return SKIPPED;
  }
  const numbers = [values.seed, values.tables, values.code].map(Number);
  const [seed = 1, tables = 0, code = 0] = numbers;
  if (!numbers.every((value) => Number.isSafeInteger(value) && value >= 0)) {
    return complain('--seed, --tables and --code are whole numbers');
  }
  if (tables === 0 && code === 0) return complain('--tables 0 and --code 0 verify nothing');
  const program = loadProgram(file);
  if (!program.ok) return complain(program.error);
  const backend = await openBackend();
  if (!backend.ok) return complain(backend.error.message);
  const verifier = Verifier.create(program.value, backend.value);
  if (!verifier.ok) return complain(verifier.error);
  const started = performance.now();
  process.stderr.write(`planting ${tables} mistakes in the table of ${file}\n`);
  const inTables = new MutationRunner(verifier.value, seed, values.all).tables(tables).report;
  process.stderr.write(`planting ${code} mistakes in its code\n`);
  const inCode = new MutationRunner(verifier.value, seed).code(code).report;
  verifier.value.close();
  const seconds = Math.round((performance.now() - started) / 1000);
  process.stdout.write(`seed ${seed}, ${seconds} s\n`);
  // What was not asked for is not judged.
  const good = [tables === 0 || show('table', inTables), code === 0 || show('code', inCode)];
  return good.every(Boolean) ? 0 : 1;
}

function complain(message: string): number {
  process.stderr.write(`verify:mutations: ${message}\n`);
  return 2;
}

/** Print one campaign. @returns whether enough was reported */
function show(title: string, { counts, survivors }: Campaign): boolean {
  const outcomes = ['reported', 'same-rules', 'same-values', 'never-executed', 'missed'] as const;
  const table = new Table({ head: [title, 'all', ...outcomes], style: { head: [], border: [] } });
  let all = 0;
  let reported = 0;
  let missed = 0;
  for (const [kind, count] of counts) {
    const sum = outcomes.reduce((total, outcome) => total + count[outcome], 0);
    table.push([kind, sum, ...outcomes.map((outcome) => count[outcome])]);
    all += sum;
    reported += count.reported;
    missed += count.missed;
  }
  const ratio = reported / Math.max(1, reported + missed);
  const percent = (part: number): string => `${(100 * part).toFixed(2)}%`;
  const lines = survivors.map(
    ({ kind, outcome, fn, what }) => `${outcome}: ${kind}, ${fn} ${what}`,
  );
  process.stdout.write(
    `${table.toString()}\n${lines.sort().join('\n')}${lines.length > 0 ? '\n' : ''}`,
  );
  process.stdout.write(
    `${title}: ${reported} of ${all} reported (${percent(reported / Math.max(1, all))}), ` +
      `${reported} of ${reported + missed} that are not equivalent (${percent(ratio)})\n`,
  );
  return ratio >= MIN_REPORTED;
}

process.exitCode = await main();
