/** `kunwind-lab doctor`. */
import type { CommandModule } from 'yargs';
import type { DoctorArguments } from './doctor.js';

/** The command, for yargs. */
export const doctorCommand: CommandModule<object, DoctorArguments> = {
  command: 'doctor',
  describe: 'Check whether a vmlinux can be swept, and what it lacks',
  builder: (yargs) =>
    yargs
      .options({
        kernel: { type: 'string', describe: 'The vmlinux (.gz, .xz and .zst accepted)' },
        offsets: { type: 'string', describe: 'Structure offsets, as in asm-offsets.h' },
        json: { type: 'boolean', default: false, describe: 'Print JSON' },
        color: {
          type: 'boolean',
          default: true,
          describe: 'Colours on a terminal; off: --no-color',
        },
      })
      .example('$0 doctor --kernel vmlinux', '')
      .epilogue('Exit status: 0 the kernel can be swept, 1 it cannot, 2 wrong usage or input.'),
  handler: async (given) => {
    const { doctor } = await import('./doctor.js');
    process.exitCode = await doctor(given);
  },
};
