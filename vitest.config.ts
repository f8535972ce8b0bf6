import { defineConfig } from 'vitest/config';

/** Tests on real kernels, which not every machine has: a run of their own, `npm run test:linux`. */
const LINUX = 'test/linux/**/*.test.ts';

export default defineConfig({
  test: {
    setupFiles: ['test/event-loop.ts'],
    // Unicorn may abort its process on a failed assertion: forks keep that to one test file.
    pool: 'forks',
    maxWorkers: '100%',
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // Copies of the built package, for tests that break them: Node loads their modules as they are.
    server: { deps: { external: [/\/kunwind-copy-/] } },
    projects: [
      { extends: true, test: { name: 'lab', include: ['test/**/*.test.ts'], exclude: [LINUX] } },
      { extends: true, test: { name: 'linux', include: [LINUX] } },
    ],
  },
});
