/** `kunwind-lab debug`. */
import type { CommandModule } from 'yargs';
import { KIND_NAMES } from '../kernel-model/exception-kind.js';
import { POLICIES } from '../unwinder/policies/all.js';
import type { DebugArguments } from './debug-options.js';

/** The command, for yargs. */
export const debugCommand: CommandModule<object, DebugArguments> = {
  command: 'debug [scenario]',
  describe: 'Step one scenario forwards and backwards, with the unwinder explained at every stop',
  builder: (yargs) =>
    yargs
      .positional('scenario', {
        type: 'string',
        describe: 'A scenario, or kunit:CASE for one of the stacktrace tests',
      })
      .options({
        at: { type: 'string', describe: 'Point to open: INDEX, INDEX:KIND, INDEX:KIND/INDEX:KIND' },
        kind: {
          type: 'string',
          array: true,
          describe: `Exception that asks for the walk: ${KIND_NAMES.join(', ')} [default: irq]`,
        },
        policy: {
          type: 'string',
          array: true,
          describe: `Policy that walks: ${Object.keys(POLICIES).join(', ')} [default: sframe-strict]`,
        },
        print: { type: 'boolean', default: false, describe: 'Print the point as text and exit' },
        trace: {
          type: 'string',
          describe: 'Write every stop from here on to this file (JSON lines); -: standard output',
        },
        gdb: { type: 'string', describe: 'Serve gdb on this [HOST:]PORT; 0: any free port' },
        'gdb-allow-remote': {
          type: 'boolean',
          default: false,
          describe: 'Accept connections from other machines; there is no password',
        },
        budget: { type: 'string', describe: 'Steps after which a guest counts as runaway' },
        image: {
          type: 'string',
          describe: 'Debug a function of this AArch64 ELF (.gz, .xz, .zst accepted)',
        },
        kernel: {
          type: 'string',
          describe: 'Debug a function of this vmlinux, under its own entry code',
        },
        offsets: { type: 'string', describe: 'Structure offsets of that kernel, as in sweep' },
        function: { type: 'string', describe: 'The function of the image or kernel to call' },
        args: { type: 'string', array: true, describe: 'Its arguments, as in sweep' },
        color: {
          type: 'boolean',
          default: true,
          describe: 'Colours on a terminal; off: --no-color, NO_COLOR',
        },
      })
      .example('$0 debug calls/pac --at 9:irq --print', 'one point as plain text')
      .example('$0 debug fgraph/leaf --trace run.jsonl', 'a record of every stop')
      .example('$0 debug fgraph/leaf --gdb 1234', 'gdb, with reverse execution')
      .example('$0 debug --kernel vmlinux --function fgraph:int_sqrt', "a real kernel's own code")
      .example('$0 debug kunit:test_fgraph_exit_unwind_reliable', 'a stacktrace test')
      .epilogue('Exit status: 0, or 2 for wrong usage or input.'),
  handler: async (given) => {
    const { debug } = await import('./debug.js');
    await debug(given);
  },
};
