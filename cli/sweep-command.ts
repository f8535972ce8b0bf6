/** `kunwind-lab sweep`. */
import type { CommandModule } from 'yargs';
import { KIND_NAMES } from '../kernel-model/exception-kind.js';
import { POLICIES } from '../unwinder/policies/all.js';
import type { SweepArguments } from './sweep-options.js';

const OPTIONS = {
  policy: {
    type: 'string',
    array: true,
    describe: `Policies: ${Object.keys(POLICIES).join(', ')}`,
  },
  kind: { type: 'string', array: true, describe: `Exceptions to take: ${KIND_NAMES.join(', ')}` },
  depth: { type: 'string', describe: "2: also interrupt the first exception's own code" },
  jobs: {
    type: 'string',
    describe: 'Worker processes [default: one for each core]; 1: run in this process, see below',
  },
  json: { type: 'string', describe: 'Write the whole report to this file; -: standard output' },
  point: { type: 'string', describe: 'Replay this point only, truth beside trace' },
  'min-coverage': {
    type: 'string',
    describe: 'Exit with 1 when less than this percentage of a function was executed',
  },
  expect: {
    type: 'string',
    describe: 'exact: with --image or --kernel, unreliable is a failure; see --in',
  },
  in: {
    type: 'string',
    array: true,
    describe: 'Functions, or patterns with *, that --expect is about [default: all]',
  },
  budget: { type: 'string', describe: 'Instructions after which a guest counts as runaway' },
  image: {
    type: 'string',
    describe: 'Sweep a function of this AArch64 ELF (.gz, .xz, .zst accepted)',
  },
  kernel: { type: 'string', describe: 'Run this vmlinux: its own vectors, entry and exit code' },
  offsets: { type: 'string', describe: 'Structure offsets of that kernel, as in asm-offsets.h' },
  sample: {
    type: 'string',
    describe:
      'Also sweep this many C functions, chosen at random; with --function PATTERN, among its matches',
  },
  seed: { type: 'string', describe: 'Seed of that choice [default: 1]' },
  unwinder: {
    type: 'string',
    describe:
      'Which unwinder walks: model, kernel (its own code), both [default with --kernel], checked',
  },
  function: {
    type: 'string',
    array: true,
    describe: 'Function of the image to call, or functions of the kernel [default: arch/arm64/lib]',
  },
  args: {
    type: 'string',
    array: true,
    describe: 'Its arguments: 100, -0x10, buf:SIZE, buf:SIZE:FILL, self:SIZE, str:TEXT',
  },
} as const;

/** The command, for yargs. */
export const sweepCommand: CommandModule<object, SweepArguments> = {
  command: 'sweep [scenario..]',
  describe: 'Interrupt scenarios at every instruction and judge every stack walk',
  builder: (yargs) =>
    yargs
      .positional('scenario', {
        type: 'string',
        array: true,
        describe: 'Names, families, or patterns with * (default: all)',
      })
      .options(OPTIONS)
      .options({
        known: {
          type: 'boolean',
          default: false,
          describe: 'Show every known bug that was seen, not only how many',
        },
        color: {
          type: 'boolean',
          default: true,
          describe: 'Colours on a terminal; off: --no-color, NO_COLOR',
        },
        progress: {
          type: 'boolean',
          default: true,
          describe: 'Progress on standard error; off: --no-progress',
        },
      })
      .example('$0 sweep', 'everything, at the depth each scenario asks for')
      .example("$0 sweep leaf 'calls/*pac*' --policy sframe-strict", 'some scenarios, one policy')
      .example('$0 sweep leaf/memcpy --point 12:irq/40:sdei', 'one point, truth beside trace')
      .example(
        '$0 sweep --image vmlinux.gz --function __pi_memcpy --args buf:256 buf:256 100',
        'a function of a real kernel, interrupted by the built-in one',
      )
      .example('$0 sweep --kernel vmlinux.gz --sample 200', "a real kernel's own entry code")
      .epilogue(
        'Exit status: 0 all as promised, 1 unexpected verdicts (also by --expect) or less than --min-coverage, ' +
          '2 wrong usage or input. When the engine aborts or a guest hangs, only a worker process ' +
          'and one point are lost. With --jobs 1, which runs in this process, the whole run is lost.',
      ),
  handler: async (given) => {
    const { sweep } = await import('./sweep.js');
    process.exitCode = await sweep(given);
  },
};
