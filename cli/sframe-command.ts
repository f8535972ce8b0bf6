/** `kunwind-lab sframe dump`. */
import type { CommandModule } from 'yargs';
import { describeElfError } from '../emulator/elf-error.js';
import { type ElfSection, loadElf } from '../emulator/elf-image.js';
import { decodeSFrame } from '../unwinder/sframe/decode.js';
import { dumpSFrame } from '../unwinder/sframe/dump.js';
import { sframeJson } from '../unwinder/sframe/dump-json.js';
import { formatSFrameError } from '../unwinder/sframe/error.js';
import type { SFrameSection } from '../unwinder/sframe/section.js';
import { print } from './output.js';
import { UsageError } from './usage-error.js';
import { verifyCommand } from './verify-command.js';

interface DumpArguments {
  readonly file?: string | undefined;
  readonly json: boolean;
}

/** The commands, for yargs. */
export const sframeCommand: CommandModule<object, DumpArguments> = {
  command: 'sframe',
  describe: 'Look at .sframe sections',
  builder: (yargs) =>
    yargs
      .command(dumpCommand)
      .command(verifyCommand)
      .demandCommand(1, 'sframe needs a command: dump or verify')
      .strictCommands() as never,
  handler: () => undefined,
};

const dumpCommand: CommandModule<object, DumpArguments> = {
  command: 'dump [file]',
  describe: 'Print the .sframe of an AArch64 ELF as readelf --sframe does',
  builder: (yargs) =>
    yargs
      .positional('file', { type: 'string', describe: 'The ELF, .gz accepted' })
      .options({ json: { type: 'boolean', default: false, describe: 'As JSON' } })
      .example('$0 sframe dump vmlinux.gz | less', ''),
  handler: async ({ file, json }) => {
    if (file === undefined) throw new UsageError('sframe dump needs a FILE');
    const sections = decodeAll(file);
    if (json) {
      const values = sections.map(({ name, section }) => ({ name, ...sframeJson(section) }));
      await print([JSON.stringify({ file, sections: values }, undefined, 2)]);
    } else {
      await print(dumpLines(sections));
    }
  },
};

interface NamedSection {
  readonly name: string;
  readonly section: SFrameSection;
}

/** Every section, decoded before the first is printed. @throws UsageError */
function decodeAll(file: string): NamedSection[] {
  const image = loadElf(file);
  if (!image.ok) throw new UsageError(describeElfError(image.error));
  if (image.value.sframe.length === 0) throw new UsageError(`${file}: no .sframe section`);
  return image.value.sframe.map((section) => decode(file, section));
}

function decode(file: string, { name, data, address }: ElfSection): NamedSection {
  const decoded = decodeSFrame(data, address);
  if (!decoded.ok) throw new UsageError(`${file}: ${name}: ${formatSFrameError(decoded.error)}`);
  return { name, section: decoded.value };
}

function* dumpLines(sections: readonly NamedSection[]): Generator<string> {
  for (const [i, { name, section }] of sections.entries()) {
    if (i > 0) yield '';
    yield* dumpSFrame(section, name);
  }
}
