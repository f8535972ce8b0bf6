import { defineConfig } from 'vitest/config';

/** Tests on real kernels, which not every machine has: a run of their own, `npm run test:linux`. */
const LINUX = 'test/linux/**/*.test.ts';

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
    projects: [
      { extends: true, test: { name: 'lab', include: ['test/**/*.test.ts'], exclude: [LINUX] } },
      { extends: true, test: { name: 'linux', include: [LINUX] } },
    ],
  },
});
