/** What `kunwind-lab doctor` does. */
import { resolve } from 'node:path';
import { wrap } from '../base/fit.js';
import { openBackend } from '../emulator/backend.js';
import type { VmlinuxItem } from '../kernel-model/vmlinux/check.js';
import { type DoctorReport, examine } from '../targets/doctor.js';
import { once, type OptionText } from './option-values.js';
import { print } from './output.js';
import { prepareKernel } from './plain-files.js';
import { outputStyle, type Style } from './style.js';
import { UsageError } from './usage-error.js';

/** What yargs makes of the command line. */
export interface DoctorArguments {
  readonly kernel?: OptionText;
  readonly offsets?: OptionText;
  readonly json: boolean;
  readonly color: boolean;
}

/** Examine a kernel. @returns the exit status. @throws UsageError */
export async function doctor(given: DoctorArguments): Promise<number> {
  const file = once('kernel', given.kernel);
  if (file === undefined) throw new UsageError('doctor needs --kernel VMLINUX');
  const offsets = once('offsets', given.offsets);
  const engine = await openBackend();
  if (!engine.ok) throw new UsageError(engine.error.message);
  await prepareKernel(file);
  const report = examine(engine.value, {
    file,
    path: resolve(file),
    ...(offsets === undefined ? {} : { offsets: resolve(offsets) }),
  });
  if (!report.ok) throw new UsageError(report.error);
  const status = report.value.usable ? 0 : 1;
  // Set this early: a reader that closes the pipe ends the program with this status.
  process.exitCode = status;
  await print(
    given.json
      ? [JSON.stringify(report.value, undefined, 2)]
      : reportLines(report.value, outputStyle(given.color)),
  );
  return status;
}

const MARKS: Readonly<Record<VmlinuxItem['state'], string>> = {
  ok: '✓',
  missing: '–',
  unusable: '✗',
};

function* reportLines({ file, usable, items }: DoctorReport, style: Style): Generator<string> {
  const { colors, width } = style;
  const column = Math.max(...items.map(({ what }) => what.length)) + 4;
  yield colors.bold(file);
  for (const { what, state, detail } of items) {
    const paint = { ok: colors.green, missing: colors.yellow, unusable: colors.red }[state];
    const [first = '', ...rest] = wrap(detail, Math.max(20, width - column));
    yield `${paint(MARKS[state])} ${what.padEnd(column - 2)}${first}`;
    for (const line of rest) yield `${' '.repeat(column)}${line}`;
  }
  yield usable
    ? colors.green('This kernel can be swept.')
    : colors.red('This kernel cannot be swept.');
}
