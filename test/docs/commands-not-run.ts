/** The commands of documents that no test runs as they stand there: why not, and what covers each. */

/** A command, or several of a kind. */
export interface NotRun {
  /** The whole command line matches. */
  readonly command: RegExp;
  readonly why: string;
  /** The file that runs it, or what it shows: a test or .ci/run. */
  readonly coveredBy: string;
}

const INSTALLS = 'installs packages';
const SERVES = 'serves gdb until Ctrl-C, or is gdb';
const BUILDS_GUEST = 'needs the cross toolchain, and writes what is committed';
const RUNS_TESTS = 'runs tests, which a test does not';
const ABSENT = 'needs kernel sources, or a package of 1.1 GB';

export const NOT_RUN: readonly NotRun[] = [
  { command: /^npm ci$/, why: INSTALLS, coveredBy: '.ci/run' },
  { command: /^npm run engine:newest$/, why: INSTALLS, coveredBy: 'scripts/sweep-engines.mjs' },
  {
    command: /^pip install unicorn$/,
    why: INSTALLS,
    coveredBy: 'test/emulator/engine-search.test.ts',
  },
  {
    command: /^npx kunwind-lab debug .* --gdb 1234$/,
    why: SERVES,
    coveredBy: 'test/docs/gdb-sessions.test.ts',
  },
  { command: /^gdb-multiarch /, why: SERVES, coveredBy: 'test/docs/gdb-sessions.test.ts' },
  { command: /^lldb /, why: 'waits for commands', coveredBy: 'test/debug/gdb/lldb.test.ts' },
  { command: /^npm (run test:quick|test)$/, why: RUNS_TESTS, coveredBy: '.ci/run' },
  { command: /^npx vitest run /, why: RUNS_TESTS, coveredBy: '.ci/run' },
  { command: /^npm run guest:(build|check)$/, why: BUILDS_GUEST, coveredBy: '.ci/run' },
  {
    command: /^npm run guest:build -- example$|^npm run build$|^npx kunwind-lab sweep example\b/,
    why: 'is about a package with the example in it',
    coveredBy: 'test/docs/example.test.ts',
  },
  {
    command: /^npx kunwind-lab sweep --json (before|after)\.json$|^diff <\(grep .*$/,
    why: 'two whole sweeps; done with a small one',
    coveredBy: 'test/docs/commands.test.ts',
  },
  {
    command: /^npx kunwind-lab sweep( (fgraph|entry|review))?$/,
    why: 'all, or a large part, of what `npm start` does',
    coveredBy: 'test/docs/commands.test.ts',
  },
  {
    command: /^(make|scripts\/config|dpkg-deb) /,
    why: ABSENT,
    coveredBy: 'test/linux/sweep.test.ts',
  },
  {
    command: /^npx kunwind-lab (doctor|sweep) --kernel usr\/lib\/debug\/\S+/,
    why: ABSENT,
    coveredBy: 'test/linux/sweep.test.ts',
  },
];
