/**
 * Imports run one way. One rule a folder: its sentence, and the folders that it may import.
 * docs/architecture.md draws the picture.
 */

/** Folder by folder, from the bottom up. */
const ROOMS = [
  {
    folder: 'base',
    is: 'Result, Address, byte cursor, name patterns, seeded random, forked worker: things that know nothing of this project.',
    may: [],
  },
  {
    folder: 'elf',
    is: "An AArch64 ELF: structure, symbols, relocations, DWARF's structures.",
    may: ['base'],
  },
  {
    folder: 'aarch64',
    is: 'What an instruction word is and does to registers; no CPU.',
    may: ['base'],
  },
  {
    folder: 'unwinder',
    is: "Unwind rules and the kernel's walk. It never sees the truth.",
    may: ['base'],
  },
  {
    folder: 'emulator',
    is: 'A CPU on an engine: backends, registers, memory, exceptions, snapshots. It knows nothing of Linux.',
    may: ['base', 'elf', 'aarch64', 'scripts'],
  },
  {
    folder: 'kernel-model',
    is: 'The simulated kernel, its truth, and what a real vmlinux needs to be driven. Truth shares nothing with the unwinder.',
    may: ['base', 'elf', 'aarch64', 'emulator'],
  },
  {
    folder: 'scenarios',
    is: 'Code under test and its promises: data, and the words that it is written in.',
    may: ['base'],
    mayType: ['kernel-model', 'unwinder'],
  },
  {
    folder: 'lab',
    is: 'One stop on one machine: set up, take the exception, ask, judge.',
    may: ['base', 'elf', 'aarch64', 'unwinder', 'emulator', 'kernel-model', 'scenarios'],
  },
  {
    folder: 'targets',
    is: 'What a user names on a command line, as scenarios; doctor.',
    may: ['base', 'elf', 'aarch64', 'unwinder', 'emulator', 'kernel-model', 'scenarios', 'lab'],
  },
  {
    folder: 'sweep',
    is: 'Every stop: ranges, workers, tally, merge, report.',
    may: [
      ...['base', 'elf', 'aarch64', 'unwinder', 'emulator', 'kernel-model', 'scenarios'],
      ...['lab', 'targets'],
    ],
  },
  {
    folder: 'kunit',
    is: 'The reliable-stacktrace suite.',
    may: [
      ...['base', 'elf', 'aarch64', 'unwinder', 'emulator', 'kernel-model', 'scenarios'],
      ...['lab', 'targets'],
    ],
  },
  {
    folder: 'debug',
    is: 'Back and forth in one scenario.',
    may: [
      ...['base', 'elf', 'aarch64', 'unwinder', 'emulator', 'kernel-model', 'scenarios'],
      ...['lab', 'targets'],
    ],
  },
  {
    folder: 'tables',
    is: 'Comparing SFrame tables: diff, coverage, what the bytes are spent on. No CPU.',
    may: ['base', 'elf', 'aarch64', 'unwinder'],
  },
  {
    folder: 'verify',
    is: 'Whether each row of a table is true, by executing every path. It shares nothing with the simulated kernel.',
    may: ['base', 'elf', 'aarch64', 'unwinder', 'emulator'],
  },
  {
    folder: 'fuzz',
    is: 'Mutated files for every reader of a file.',
    may: ['base', 'elf', 'emulator', 'unwinder', 'tables', 'verify'],
  },
  {
    folder: 'bench',
    is: "How fast it is, against the engine's own limits and against gdb over QEMU.",
    may: [
      ...['base', 'elf', 'aarch64', 'unwinder', 'emulator', 'kernel-model', 'scenarios'],
      ...['lab', 'targets', 'sweep'],
    ],
  },
  {
    folder: 'cli',
    is: 'Commands and printing; no logic.',
    may: [
      ...['base', 'elf', 'aarch64', 'unwinder', 'emulator', 'kernel-model', 'scenarios'],
      ...['lab', 'targets', 'sweep', 'kunit', 'debug', 'tables', 'verify'],
    ],
  },
];

/** Folders that hold no TypeScript of the product, or that are rules of their own. */
const OTHERS = ['scripts', 'types', 'test'];
const ALL = [...ROOMS.map(({ folder }) => folder), ...OTHERS];

const others = (folder, allowed) =>
  ALL.filter((name) => name !== folder && name !== 'types' && !allowed.includes(name));

const roomRules = ROOMS.flatMap(({ folder, is, may, mayType = [] }) => {
  const rule = (name, forbidden, extra) => ({
    name,
    comment: is,
    severity: 'error',
    from: { path: `^${folder}/` },
    to: { path: `^(${forbidden.join('|')})/`, ...extra },
  });
  const rules = [rule(folder, others(folder, [...may, ...mayType]), {})];
  if (mayType.length > 0) {
    rules.push(rule(`${folder}-types`, mayType, { dependencyTypesNot: ['type-only'] }));
  }
  return rules;
});

export default {
  forbidden: [
    ...roomRules,
    {
      name: 'no-circles',
      comment: 'Files that import each other cannot be read one after the other.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'no-orphans',
      comment: 'A file that nothing imports and that imports nothing is forgotten.',
      severity: 'error',
      from: {
        orphan: true,
        pathNot: [
          '^test/.*\\.test\\.ts$',
          // Run in a process of its own, by path.
          '-child\\.mjs$',
          // Named in package.json, and in vitest.config.ts.
          '^scripts/prune-dist\\.mjs$',
          '^test/verify/kernels\\.mjs$',
          '^test/no-process\\.ts$',
          // The types of the script beside it, which a plain Node.js runs.
          '\\.d\\.m?ts$',
        ],
      },
      to: {},
    },
    {
      name: 'truth-and-unwinder',
      comment: 'If what records the truth and what walks shared a line, they could share a bug.',
      severity: 'error',
      from: { path: '^kernel-model/' },
      to: { path: '^unwinder/', reachable: true },
    },
    {
      name: 'no-tests-in-the-product',
      comment: 'What only tests need stays with them.',
      severity: 'error',
      from: { pathNot: '^test/' },
      to: { path: '^test/' },
    },
    {
      name: 'declared-packages',
      comment: 'The product runs on what package.json says that it needs.',
      severity: 'error',
      from: { path: `^(${ROOMS.map(({ folder }) => folder).join('|')})/` },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'] },
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
    includeOnly: `^(${ALL.join('|')}|node_modules)/`,
    enhancedResolveOptions: { extensions: ['.ts', '.mts', '.d.ts', '.js', '.mjs'] },
  },
};
