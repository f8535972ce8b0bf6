/** `kunwind-lab debug`. */
import { closeSync, openSync, writeSync } from 'node:fs';
import type { CommandModule } from 'yargs';
import { type Asker, Evaluator } from '../debug/evaluate.js';
import { goToInstruction, goToPoint } from '../debug/point-stop.js';
import { Timeline } from '../debug/timeline.js';
import { traceLines } from '../debug/trace.js';
import { pointView } from '../debug/view/point-view.js';
import { pointLines } from '../debug/view/text.js';
import { openBackend } from '../emulator/backend.js';
import { Disassembler } from '../aarch64/disassembler.js';
import { KIND_NAMES } from '../kernel-model/exception-kind.js';
import { Lab } from '../lab/lab.js';
import { POLICIES } from '../unwinder/policies/all.js';
import { type DebugArguments, debugRequest, type DebugRequest } from './debug-options.js';
import { GDB_OPTIONS, gdbEndpoint, serveGdb } from './gdb-server.js';
import { plainKernel } from './kernel-option.js';
import { complain, print } from './output.js';
import { outputStyle } from './style.js';
import { oneLine, UsageError } from './usage-error.js';

/** Columns of `--print` where no terminal says otherwise: what mail and bug reports have. */
const PRINT_WIDTH = 80;

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
        print: { type: 'boolean', default: false, describe: 'Print the point as text and end' },
        trace: {
          type: 'string',
          describe: 'Write every stop from here on to this file (JSON lines)',
        },
        ...GDB_OPTIONS,
        budget: { type: 'string', describe: 'Steps after which a guest has run away' },
        image: { type: 'string', describe: 'Debug a function of this AArch64 ELF (.gz accepted)' },
        kernel: { type: 'string', describe: 'Debug a function of this vmlinux, run by itself' },
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
      .example('$0 debug fgraph/leaf --gdb 1234', 'gdb, backwards as well')
      .example('$0 debug --kernel vmlinux --function fgraph:int_sqrt', "a real kernel's own code")
      .example('$0 debug kunit:test_fgraph_exit_unwind_reliable', 'a stacktrace test')
      .epilogue('Exit status: 0, or 2 for wrong usage or input.'),
  handler: async (given) => {
    await debug(given);
  },
};

/** @throws UsageError */
async function debug(given: DebugArguments): Promise<void> {
  const request = debugRequest(given, await plainKernel(given.kernel));
  const endpoint = gdbEndpoint(given);
  const shows = given.print || request.tracePath !== undefined || endpoint !== undefined;
  // Only here: the terminal library takes a tenth of any command's start.
  const screen = shows ? undefined : await import('../debug/tui/screen.js');
  const unusable = screen?.unusableTerminal();
  if (unusable !== undefined) throw new UsageError(unusable);
  const engine = await openBackend();
  if (!engine.ok) throw new UsageError(engine.error.message);
  for (const note of request.notes) complain(note);
  const lab = Lab.create(engine.value);
  if (!lab.ok) throw new UsageError(lab.error.message);
  try {
    const line = openTimeline(lab.value, request);
    const made = await Disassembler.create(line.machine.symbols);
    const code = made.ok ? made.value : undefined;
    const evaluator = new Evaluator(line);
    if (request.tracePath !== undefined) writeTrace(request.tracePath, evaluator, code, request);
    if (given.print) await printPoint(evaluator, code, request, given.color);
    if (endpoint !== undefined) {
      await serveGdb(endpoint, given.gdbAllowRemote === true, { evaluator, ...request });
    }
    if (shows) return;
    const asker: Asker = evaluator.isPossible('direct') ? 'direct' : request.kind;
    const start = { evaluator, disassembler: code, asker, policy: request.policy };
    const { runDebugger } = await import('../debug/tui/run.js');
    process.exitCode = await runDebugger(start, outputStyle(given.color).colors.isColorSupported);
  } finally {
    lab.value.close();
  }
}

/** A timeline that stands where the command line says. @throws UsageError */
function openTimeline(lab: Lab, { target, options, at, kind, kindGiven }: DebugRequest): Timeline {
  const parts = lab.machineFor(target.elf, target.scenario.kernel, target.vmlinux);
  if (!parts.ok) throw new UsageError(parts.error.message);
  const made = Timeline.start(parts.value, target.scenario, options);
  if (!made.ok) throw new UsageError(made.error);
  const line = made.value;
  const wrong = typeof at === 'object' ? goToPoint(line, at) : goToInstruction(line, at ?? 0);
  if (wrong !== undefined) throw new UsageError(wrong);
  if (typeof at === 'number' && kindGiven && (line.possibleKinds() & (1 << kind)) === 0) {
    const name = KIND_NAMES[kind] ?? '?';
    throw new UsageError(`${target.scenario.name}: no ${name} is possible at instruction ${at}`);
  }
  return line;
}

async function printPoint(
  evaluator: Evaluator,
  code: Disassembler | undefined,
  { kind, policy }: DebugRequest,
  color: boolean,
): Promise<void> {
  const asker = evaluator.isPossible('direct') ? 'direct' : kind;
  const view = pointView(evaluator, code, { asker, policy });
  const { colors, width } = outputStyle(color);
  const columns = process.stdout.isTTY ? width : PRINT_WIDTH;
  await print(pointLines(view, { paint: colors, width: columns }));
}

/** @throws UsageError when the file cannot be written */
function writeTrace(
  path: string,
  evaluator: Evaluator,
  code: Disassembler | undefined,
  { kind, policies }: DebugRequest,
): void {
  const { line } = evaluator;
  const { position } = line;
  try {
    const file = openSync(path, 'w');
    try {
      for (const text of traceLines(evaluator, code, { asker: kind, policies, mode: 'reliable' })) {
        writeSync(file, `${text}\n`);
      }
    } finally {
      closeSync(file);
    }
  } catch (error) {
    throw new UsageError(`--trace: cannot write ${path}: ${oneLine(error)}`);
  }
  line.goTo(position);
}
