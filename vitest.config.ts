import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Tests on real kernels, which not every machine has: a run of their own, `npm run test:linux`. */
const LINUX = 'test/linux/**/*.test.ts';

/** The commands of documents, all of which take minutes: `npm run test:docs`. */
const DOCS = 'test/docs/commands.test.ts';

/** The example of docs/writing-scenarios.md compiles a copy of the package, half a minute: `npm run test:docs`. */
const EXAMPLE = 'test/docs/example.test.ts';

const FILES = readdirSync('test', { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.test.ts'))
  .map((name) => ({ path: join('test', name), text: readFileSync(join('test', name), 'utf8') }));

/** Test files that can try more than they do in `npm test`: a run of their own, `npm run test:exhaustive`. */
const EXHAUSTIVE = FILES.filter(({ text }) => text.includes("exhaustive.js'"));

/** What a test file that starts processes, or waits for them, has in its text. */
const STARTS = /child_process|worker|run-cli|session|tmux|readelf/;

/**
 * Those that start processes first: they take longest, and the cores are to end together. Then as vitest
 * has it: by what each took the last time, or by size.
 */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const isLong = ({ moduleId }: TestSpecification): boolean =>
      FILES.some(({ path, text }) => moduleId.endsWith(path) && STARTS.test(text));
    return [...sorted.filter(isLong), ...sorted.filter((file) => !isLong(file))];
  }
}

/**
 * The inner loop, `npm run test:quick`: what the rooms below the lab do by themselves. They sweep nothing,
 * start no process, so that nothing has to be built, and read no real kernel.
 */
const QUICK = FILES.filter(
  ({ path, text }) =>
    /^test\/(base|elf|aarch64|unwinder|emulator|kernel-model|scenarios|tables)\//.test(path) &&
    !STARTS.test(text) &&
    !/package-copy|\.\.\/shared|\/sweep\//.test(text),
);

const paths = (files: typeof FILES): string[] => files.map(({ path }) => path);

export default defineConfig({
  test: {
    setupFiles: ['test/event-loop.ts'],
    // Unicorn may abort its process on a failed assertion, which says so; a thread would not.
    pool: 'forks',
    // A third of a second a file is loading what the file before it had loaded, too.
    isolate: false,
    maxWorkers: '100%',
    sequence: { sequencer: LongestFirst },
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // Copies of the built package, for tests that break them: Node loads their modules as they are.
    server: { deps: { external: [/\/kunwind-copy-/] } },
    provide: { exhaustive: false, everyDocument: false },
    projects: [
      {
        extends: true,
        test: { name: 'lab', include: ['test/**/*.test.ts'], exclude: [LINUX, EXAMPLE] },
      },
      {
        extends: true,
        test: { name: 'linux', include: [LINUX], globalSetup: ['test/linux/kernels-or-skip.ts'] },
      },
      {
        extends: true,
        test: {
          name: 'docs',
          include: [DOCS, EXAMPLE],
          provide: { everyDocument: true },
          testTimeout: 600_000,
        },
      },
      {
        extends: true,
        test: { name: 'exhaustive', include: paths(EXHAUSTIVE), provide: { exhaustive: true } },
      },
      {
        extends: true,
        test: { name: 'quick', include: paths(QUICK), setupFiles: ['test/no-process.ts'] },
      },
    ],
  },
});
