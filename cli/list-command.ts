/** `kunwind-lab list`. */
import type { CommandModule } from 'yargs';
import type { ListArguments } from './list.js';

/** The command, for yargs. */
export const listCommand: CommandModule<object, ListArguments> = {
  command: 'list',
  describe: 'List the scenarios, and what each policy promises there',
  builder: (yargs) =>
    yargs
      .options({
        json: { type: 'boolean', default: false, describe: 'Print JSON' },
        brief: { type: 'boolean', default: false, describe: 'Names and summaries only' },
        family: { type: 'string', describe: 'Only this family' },
        topic: { type: 'string', describe: 'Only scenarios of this topic' },
        color: {
          type: 'boolean',
          default: true,
          describe: 'Colours on a terminal; off: --no-color, NO_COLOR',
        },
      })
      .example('$0 list --brief', 'one line for each scenario')
      .example('$0 list --family leaf', 'one family, with the reasons of its promises'),
  handler: async (given) => {
    const { list } = await import('./list.js');
    await list(given);
  },
};
