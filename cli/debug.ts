/** What `kunwind-lab debug` does. */
import { closeSync, openSync, writeSync } from 'node:fs';
import { Disassembler } from '../aarch64/disassembler.js';
import { type Asker, Evaluator } from '../debug/evaluate.js';
import { goToInstruction, goToPoint } from '../debug/point-stop.js';
import { Timeline } from '../debug/timeline.js';
import { traceLines } from '../debug/trace.js';
import { pointView } from '../debug/view/point-view.js';
import { pointLines } from '../debug/view/text.js';
import { openBackend } from '../emulator/backend.js';
import { KIND_NAMES } from '../kernel-model/exception-kind.js';
import { Lab } from '../lab/lab.js';
import { type DebugArguments, debugRequest, type DebugRequest } from './debug-options.js';
import { gdbEndpoint } from './gdb-options.js';
import { complain, print } from './output.js';
import { decompressFiles, prepareKernel } from './plain-files.js';
import { outputStyle } from './style.js';
import { oneLine, UsageError } from './usage-error.js';

/** Columns of `--print` when the output is not a terminal: the width of mail and bug reports. */
const PRINT_WIDTH = 80;

/** Open the debugger, or print, record or serve as the options ask. @throws UsageError */
export async function debug(given: DebugArguments): Promise<void> {
  await decompressFiles(given.image);
  await prepareKernel(given.kernel);
  const request = debugRequest(given);
  const endpoint = gdbEndpoint(given);
  const shows = given.print || request.tracePath !== undefined || endpoint !== undefined;
  // Imported only here, because loading the terminal library is a tenth of any command's start-up
  // time.
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
    const { tracePath } = request;
    if (tracePath !== undefined) await writeTrace(tracePath, evaluator, code, request);
    const text = tracePath === '-' ? process.stderr : process.stdout;
    if (given.print) await printPoint(evaluator, code, request, given.color, text);
    if (endpoint !== undefined) {
      const { serveGdb } = await import('./gdb-server.js');
      await serveGdb(endpoint, given.gdbAllowRemote === true, { evaluator, text, ...request });
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

/** A timeline at the position that the command line names. @throws UsageError */
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
  text: NodeJS.WriteStream,
): Promise<void> {
  const asker = evaluator.isPossible('direct') ? 'direct' : kind;
  const view = pointView(evaluator, code, { asker, policy });
  const { colors, width } = outputStyle(color, text);
  const columns = text.isTTY ? width : PRINT_WIDTH;
  await print(pointLines(view, { paint: colors, width: columns }), text);
}

/** @param path `-` for standard output @throws UsageError when the file cannot be written */
async function writeTrace(
  path: string,
  evaluator: Evaluator,
  code: Disassembler | undefined,
  { kind, policies }: DebugRequest,
): Promise<void> {
  const { line } = evaluator;
  const { position } = line;
  const lines = traceLines(evaluator, code, { asker: kind, policies, mode: 'reliable' });
  if (path === '-') await print(lines);
  else writeLines(path, lines);
  line.goTo(position);
}

/** Write each line to a file as it is produced. @throws UsageError */
function writeLines(path: string, lines: Iterable<string>): void {
  try {
    const file = openSync(path, 'w');
    try {
      for (const text of lines) writeSync(file, `${text}\n`);
    } finally {
      closeSync(file);
    }
  } catch (error) {
    throw new UsageError(`--trace: cannot write ${path}: ${oneLine(error)}`);
  }
}
