/**
 * `npm run verify:kernels`: verifies both real kernels and checks what is known of them. Plain
 * JavaScript on the built package: a TypeScript loader would count in the memory that is measured.
 */
import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { packagePath } from '../../dist/base/package-path.js';
import { verifyInPool } from '../../dist/verify/verify-pool.js';

/** Where they are; tests name a folder without any. */
const FOLDER = process.env.KUNWIND_KERNELS ?? packagePath('../shared/kernels');

/** What docs/verifier.md says of a kernel. */
const KERNELS = {
  'vmlinux-7.3-rc7-leaf.gz': { functions: 16_249, causes: ['ra qcom_link_stack_sanitisation'] },
  'vmlinux-7.3-rc7.gz': { functions: 16_229, causes: ['ra qcom_link_stack_sanitisation'] },
};

const MIN_REACHED = 0.97;
const MAX_SECONDS = 120;
const MAX_MEGABYTES = 600;

/** Exit status when a kernel is not there: nothing failed, and not all was verified. */
const SKIPPED = 3;

/** Kernels that are not there. */
const absent = [];

/**
 * @param {string} name of a file in that folder
 * @param {{ functions: number, causes: string[] }} known
 * @returns {Promise<string[]>} what is not as it should be
 */
async function check(name, known) {
  const file = join(FOLDER, name);
  if (!existsSync(file)) {
    absent.push(name);
    return [];
  }
  const started = performance.now();
  process.stderr.write(`verifying ${name}\n`);
  const outcome = await verifyInPool({ file, jobs: availableParallelism() });
  if (!outcome.ok) return [outcome.error];
  const seconds = (performance.now() - started) / 1000;
  const megabytes = (outcome.value.memory + process.memoryUsage.rss()) / 2 ** 20;
  const { functions, instructions, rows, causes, skipped } = outcome.value.report;
  const share = instructions.reached / instructions.total;
  process.stdout.write(
    `${name}: ${functions.total} functions, ${instructions.reached} of ${instructions.total} ` +
      `instructions reached (${(100 * share).toFixed(3)}%), rows: ${rows.verified} verified, ` +
      `${rows.wrong} wrong, ${rows.unreached} unreached; ${skipped.length} skipped; ` +
      `${seconds.toFixed(1)} s, ${megabytes.toFixed(0)} MB\n`,
  );
  const found = causes.map(({ kind, first }) => `${kind} ${first.fn}`);
  for (const cause of found) process.stdout.write(`  ${cause}\n`);
  const problems = [];
  const demand = (holds, text) => {
    if (!holds) problems.push(`${name}: ${text}`);
  };
  demand(found.join() === known.causes.join(), `expected causes: ${known.causes.join()}`);
  demand(functions.total === known.functions, `expected ${known.functions} functions`);
  demand(share >= MIN_REACHED, `fewer than ${100 * MIN_REACHED}% of instructions reached`);
  demand(skipped.length === 0, 'functions were skipped');
  demand(seconds < MAX_SECONDS, `took longer than ${MAX_SECONDS} s`);
  demand(megabytes < MAX_MEGABYTES, `took more than ${MAX_MEGABYTES} MB`);
  return problems;
}

const problems = [];
for (const [name, known] of Object.entries(KERNELS)) problems.push(...(await check(name, known)));
for (const problem of problems) process.stderr.write(`verify:kernels: ${problem}\n`);
if (absent.length > 0) {
  process.stderr.write(
    `verify:kernels: skipped, ${absent.length} of ${Object.keys(KERNELS).length} kernels are not in ` +
      `${FOLDER}: ${absent.join(', ')}\n`,
  );
}
process.exitCode = problems.length > 0 ? 1 : absent.length > 0 ? SKIPPED : 0;
