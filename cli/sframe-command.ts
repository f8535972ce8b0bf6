/** `kunwind-lab sframe`: the commands for SFrame tables. */
import type { CommandModule } from 'yargs';
import type { CoverageArguments } from './sframe-coverage.js';
import type { DiffArguments } from './sframe-diff.js';
import type { DumpArguments } from './sframe-dump.js';
import type { StatArguments } from './sframe-stat.js';
import type { VerifyArguments } from './sframe-verify.js';

const dumpCommand: CommandModule<object, DumpArguments> = {
  command: 'dump [file]',
  describe: 'Print the SFrame rows of an AArch64 ELF',
  builder: (yargs) =>
    yargs
      .positional('file', { type: 'string', describe: 'The ELF; .gz, .xz, .zst accepted' })
      .options({
        format: {
          type: 'string',
          default: 'text',
          describe: 'text, readelf (as readelf --sframe of binutils 2.47 prints them), json',
        },
        json: { type: 'boolean', default: false, describe: 'The same as --format json' },
      })
      .example('$0 sframe dump vmlinux.gz | less', ''),
  handler: async (given) => {
    const { printDump } = await import('./sframe-dump.js');
    await printDump(given);
  },
};

const statCommand: CommandModule<object, StatArguments> = {
  command: 'stat [file]',
  describe: 'Show sizes and encodings of .sframe sections',
  builder: (yargs) =>
    yargs
      .positional('file', { type: 'string', describe: 'The ELF; .gz, .xz, .zst accepted' })
      .options({ json: { type: 'boolean', default: false, describe: 'Print JSON' } }),
  handler: async (given) => {
    const { printStat } = await import('./sframe-stat.js');
    await printStat(given);
  },
};

const diffCommand: CommandModule<object, DiffArguments> = {
  command: 'diff [a] [b]',
  describe: 'Compare the rules of two tables, function by function',
  builder: (yargs) =>
    yargs
      .positional('a', { type: 'string', describe: 'The old ELF; .gz, .xz, .zst accepted' })
      .positional('b', { type: 'string', describe: 'The new ELF; .gz, .xz, .zst accepted' })
      .options({ json: { type: 'boolean', default: false, describe: 'Print JSON' } }),
  handler: async (given) => {
    const { printDiff } = await import('./sframe-diff.js');
    await printDiff(given);
  },
};

const coverageCommand: CommandModule<object, CoverageArguments> = {
  command: 'coverage [file]',
  describe: 'Show which executable text has no row, and why',
  builder: (yargs) =>
    yargs
      .positional('file', { type: 'string', describe: 'The ELF; .gz, .xz, .zst accepted' })
      .options({
        json: { type: 'boolean', default: false, describe: 'Print JSON, with every place' },
        limit: { type: 'string', describe: 'Symbols listed; 0 for all [default: 30]' },
      }),
  handler: async (given) => {
    const { printCoverage } = await import('./sframe-coverage.js');
    await printCoverage(given);
  },
};

const verifyCommand: CommandModule<object, VerifyArguments> = {
  command: 'verify [file]',
  describe: 'Prove every row of an SFrame table by executing the code',
  builder: (yargs) =>
    yargs
      .positional('file', { type: 'string', describe: 'An AArch64 ELF; .gz, .xz, .zst accepted' })
      .options({
        function: { type: 'string', describe: 'Only functions with this name; * and ? accepted' },
        jobs: { type: 'string', describe: 'Worker processes [default: one for each core]' },
        json: {
          type: 'string',
          describe: 'Write the whole report to this file; -: standard output',
        },
        sarif: {
          type: 'string',
          describe: 'Write the findings as SARIF 2.1.0 to this file; -: standard output',
        },
      })
      .example("$0 sframe verify vmlinux --function 'vfs_*'", '')
      .epilogue('Exit status: 0 every row reached is true, 1 findings, 2 wrong usage or input.'),
  handler: async (given) => {
    const { verify } = await import('./sframe-verify.js');
    process.exitCode = await verify(given);
  },
};

/** The commands, for yargs. */
export const sframeCommand: CommandModule = {
  command: 'sframe',
  describe: 'Print, compare and verify .sframe sections',
  builder: (yargs) =>
    yargs
      .command(dumpCommand)
      .command(statCommand)
      .command(diffCommand)
      .command(coverageCommand)
      .command(verifyCommand)
      .demandCommand(1, 'sframe needs a command: dump, stat, diff, coverage or verify')
      .strictCommands(),
  handler: () => undefined,
};
