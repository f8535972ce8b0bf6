/** `kunwind-lab sframe dump`. */
import type { CommandModule } from 'yargs';
import { dumpSFrame } from '../unwinder/sframe/dump.js';
import { sframeJson } from '../unwinder/sframe/dump-json.js';
import { FunctionNames } from '../tables/function-names.js';
import type { FileTables } from '../tables/read-tables.js';
import { print } from './output.js';
import { mustHaveSFrame } from './sframe-file.js';
import { UsageError } from './usage-error.js';

interface DumpArguments {
  readonly file?: string | undefined;
  readonly format: string;
  readonly json: boolean;
}

const FORMATS = ['text', 'readelf', 'json'];

/** The command, for yargs. */
export const dumpCommand: CommandModule<object, DumpArguments> = {
  command: 'dump [file]',
  describe: 'Print the rows of an AArch64 ELF',
  builder: (yargs) =>
    yargs
      .positional('file', { type: 'string', describe: 'The ELF, .gz accepted' })
      .options({
        format: {
          type: 'string',
          default: 'text',
          describe: 'text, readelf (byte for byte as readelf --sframe of binutils 2.47), json',
        },
        json: { type: 'boolean', default: false, describe: 'The same as --format json' },
      })
      .example('$0 sframe dump vmlinux.gz | less', ''),
  handler: async ({ file, format: wanted, json }) => {
    if (file === undefined) throw new UsageError('sframe dump needs a FILE');
    if (!FORMATS.includes(wanted)) {
      throw new UsageError(`--format ${wanted}: there are ${FORMATS.join(', ')}`);
    }
    const format = json ? 'json' : wanted;
    // readelf shows an object's functions where its headers say: every section at address 0.
    const tables = mustHaveSFrame(file, 'zero');
    if (format === 'json') {
      const sections = tables.sframe.map(({ name, section }) => ({ name, ...sframeJson(section) }));
      await print([JSON.stringify({ file, sections }, undefined, 2)]);
    } else if (format === 'readelf') {
      await print(readelfLines(tables));
    } else {
      await print(namedLines(mustHaveSFrame(file)));
    }
  },
};

function* readelfLines({ sframe }: FileTables): Generator<string> {
  for (const { name, section } of sframe) yield* dumpSFrame(section, name);
}

function* namedLines({ elf, sframe }: FileTables): Generator<string> {
  const names = new FunctionNames(elf);
  for (const [i, { name, section }] of sframe.entries()) {
    if (i > 0) yield '';
    yield* dumpSFrame(section, name, (start, size) => names.nameOf(start, size).name);
  }
}
