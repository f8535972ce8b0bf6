import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

/** Tests on real kernels, which not every machine has: a run of their own, `npm run test:linux`. */
const LINUX = 'test/linux/**/*.test.ts';

/** Test files that can try more than they do in `npm test`: a run of their own, `npm run test:exhaustive`. */
const EXHAUSTIVE = testFiles().filter((path) => textOf(path).includes("exhaustive.js'"));

/**
 * The inner loop, `npm run test:quick`: the rooms below lab/, without the files that start a process,
 * break a copy of the package, or read a real kernel. It needs no build.
 */
const QUICK_ROOMS = /^test\/(base|elf|aarch64|emulator|unwinder|kernel-model|tables)\//;
const SLOW = /child_process|worker-process|package-copy|readelf\.js|shared\/kernels/;
const QUICK = testFiles().filter((path) => QUICK_ROOMS.test(path) && !SLOW.test(textOf(path)));

function testFiles(): string[] {
  return readdirSync('test', { recursive: true, encoding: 'utf8' })
    .map((name) => join('test', name))
    .filter((path) => path.endsWith('.test.ts'));
}

function textOf(path: string): string {
  return readFileSync(path, 'utf8');
}

export default defineConfig({
  test: {
    setupFiles: ['test/event-loop.ts'],
    // Unicorn may abort its process on a failed assertion, which says so; a thread would not.
    pool: 'forks',
    // A third of a second a file is loading what the file before it had loaded, too.
    isolate: false,
    maxWorkers: '100%',
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // Copies of the built package, for tests that break them: Node loads their modules as they are.
    server: { deps: { external: [/\/kunwind-copy-/] } },
    provide: { exhaustive: false },
    projects: [
      { extends: true, test: { name: 'lab', include: ['test/**/*.test.ts'], exclude: [LINUX] } },
      { extends: true, test: { name: 'linux', include: [LINUX] } },
      { extends: true, test: { name: 'quick', include: QUICK } },
      {
        extends: true,
        test: { name: 'exhaustive', include: EXHAUSTIVE, provide: { exhaustive: true } },
      },
    ],
  },
});
