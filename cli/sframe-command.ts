/** `kunwind-lab sframe`: the commands for tables. */
import type { CommandModule } from 'yargs';
import { coverageCommand } from './sframe-coverage.js';
import { diffCommand } from './sframe-diff.js';
import { dumpCommand } from './sframe-dump.js';
import { statCommand } from './sframe-stat.js';
import { verifyCommand } from './verify-command.js';

/** The commands, for yargs. */
export const sframeCommand: CommandModule = {
  command: 'sframe',
  describe: 'Look at .sframe sections',
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
