/** `kunwind-lab kunit`. */
import type { CommandModule } from 'yargs';
import { POLICIES } from '../unwinder/policies/all.js';
import type { KunitArguments } from './kunit-options.js';

/** The command, for yargs. */
export const kunitCommand: CommandModule<object, KunitArguments> = {
  command: 'kunit',
  describe: 'Run the reliable-stacktrace tests in the simulated kernel, and print KTAP',
  builder: (yargs) =>
    yargs
      .options({
        policy: {
          type: 'string',
          array: true,
          describe: `Policies: ${Object.keys(POLICIES).join(', ')}`,
        },
        case: {
          type: 'string',
          array: true,
          describe: 'Cases, or patterns with * (default: all 22)',
        },
        compare: {
          type: 'string',
          describe: 'Compare with the POLICY.ktap logs in this folder, and print the differences',
        },
        matrix: {
          type: 'boolean',
          default: false,
          describe: 'Print a table of cases and policies instead of KTAP',
        },
        junit: { type: 'string', describe: 'Write JUnit XML to this file; -: standard output' },
        'stack-shift': {
          type: 'string',
          describe: 'Start stacks this many bytes lower (a multiple of 16)',
        },
        jobs: { type: 'string', describe: 'Worker processes [default: one for each core]' },
        color: {
          type: 'boolean',
          default: true,
          describe: 'Colours on a terminal; off: --no-color, NO_COLOR',
        },
      })
      .example('$0 kunit --policy sframe-strict', 'what a kernel with that unwinder prints')
      .example("$0 kunit --case '*fgraph*' --matrix", 'some cases under every policy')
      .example(
        '$0 kunit --policy sframe-v6 --case kprobe_unwind_reliable --stack-shift 16',
        'bit 4 of the CFA is clear: v6 does not refuse it',
      )
      .example('$0 kunit --compare shared/reference/kunit', 'agreement with a real kernel')
      .epilogue(
        'Exit status: 0 all passed, 1 a case failed, 2 wrong usage or input. ' +
          'With --compare: 0 no differences, 1 some.',
      ),
  handler: async (given) => {
    const { kunit } = await import('./kunit.js');
    process.exitCode = await kunit(given);
  },
};
