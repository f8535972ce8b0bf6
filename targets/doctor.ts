/**
 * `doctor`: whether a real kernel has what a sweep needs. If it can be run, one exception of each kind is
 * also taken on the emulated CPU, which has to reach its handler and return.
 */
import { plural } from '../base/number-text.js';
import type { EngineBackend } from '../emulator/engine.js';
import { describeEngine } from '../emulator/engine-text.js';
import { fail, ok, type Result } from '../base/result.js';
import { DriverStatus } from '../kernel-model/exception-driver.js';
import { KIND_NAMES } from '../kernel-model/exception-kind.js';
import type { KernelImage } from '../kernel-model/kernel-image.js';
import type { VmlinuxItem } from '../kernel-model/vmlinux/check.js';
import { Experiment } from '../lab/experiment.js';
import { explainSaved } from '../lab/problem.js';
import { startThreadCall } from '../kernel-model/thread-call.js';
import { formatSFrameError } from '../unwinder/sframe/error.js';
import { decodeSFrameTables } from '../unwinder/sframe/tables.js';
import { arm64Routines } from './arm64-routines.js';
import { findFunction } from '../elf/functions.js';
import { Lab } from '../lab/lab.js';
import { examineVmlinux, type VmlinuxSource } from '../kernel-model/vmlinux/load.js';

/** The result of an examination. */
export interface DoctorReport {
  readonly version: 1;
  readonly file: string;
  /** Whether the kernel can be swept. */
  readonly usable: boolean;
  readonly items: readonly VmlinuxItem[];
}

/** Examine a kernel. The error, in one line, is that the file cannot be read as a kernel at all. */
export function examine(
  backend: EngineBackend,
  source: VmlinuxSource,
): Result<DoctorReport, string> {
  const check = examineVmlinux(source);
  if (!check.ok) return check;
  const { kernel } = check.value;
  const items = [engineItem(backend), ...check.value.items];
  if (kernel !== undefined) {
    items.push(...sframeItems(kernel), routineItem(kernel));
    const tried = tryExceptions(backend, source);
    if (!tried.ok) return tried;
    items.push(...tried.value);
  }
  const usable = items.every(({ state }) => state !== 'unusable');
  return ok({ version: 1, file: source.file, usable, items });
}

function engineItem(backend: EngineBackend): VmlinuxItem {
  return { what: 'CPU engine', state: 'ok', detail: describeEngine(backend) };
}

function sframeItems({ elf }: KernelImage): VmlinuxItem[] {
  return elf.sframe.flatMap(({ data, address, name }): VmlinuxItem[] => {
    const decoded = decodeSFrameTables(data, address);
    if (!decoded.ok) {
      return [{ what: name, state: 'unusable', detail: formatSFrameError(decoded.error) }];
    }
    const items = decoded.value.map(({ table: { header } }): VmlinuxItem => {
      const detail = `version ${header.version}, ${plural(header.functionCount, 'function')}, ${plural(header.rowCount, 'row')}`;
      return { what: `${name} contents`, state: 'ok', detail };
    });
    if (items.length === 1) return items;
    const detail = `${items.length} tables, of which a kernel reads the first only: link with GNU ld`;
    return [...items, { what: `${name} tables`, state: 'missing', detail }];
  });
}

function routineItem({ elf }: KernelImage): VmlinuxItem {
  const routines = arm64Routines((name) => findFunction(elf, name));
  return routines.length === 0
    ? {
        what: 'arch/arm64/lib',
        state: 'missing',
        detail: 'none of its routines found: name functions with --function',
      }
    : { what: 'arch/arm64/lib', state: 'ok', detail: plural(routines.length, 'routine') };
}

/** Take an exception of each supported kind before the first instruction of a thread. */
function tryExceptions(
  backend: EngineBackend,
  source: VmlinuxSource,
): Result<readonly VmlinuxItem[], string> {
  const lab = Lab.create(backend);
  if (!lab.ok) return fail(lab.error.message);
  const made = lab.value.machineFor(undefined, undefined, source);
  if (!made.ok) return fail(made.error.message);
  const experiment = new Experiment(made.value);
  const items = KIND_NAMES.flatMap((_, kind) => tryException(experiment, kind));
  lab.value.close();
  return ok(items);
}

function tryException(experiment: Experiment, kind: number): VmlinuxItem[] {
  const { machine, driver } = experiment.parts;
  const { kernel, symbols } = machine;
  if (kernel.unbooted?.unsupported.has(kind) !== false) return [];
  machine.reset();
  if (startThreadCall(machine, kernel.roles.vectors, []) !== undefined) return [];
  experiment.begin();
  experiment.interrupt();
  const what = `${KIND_NAMES[kind] ?? '?'} taken`;
  const entered = experiment.enter(kind);
  if (driver.savedWrong >= 0) {
    const { detail } = explainSaved(driver.ptRegs, driver.savedWrong);
    return [{ what, state: 'missing', detail }];
  }
  const status = entered === DriverStatus.DONE ? experiment.leave() : entered;
  if (status === DriverStatus.DONE) {
    const detail = `${plural(driver.path?.instructions ?? 0, 'instruction')} to the handler, then returned`;
    return [{ what, state: 'ok', detail }];
  }
  const { detail } = experiment.explain(status);
  const at = symbols.format(driver.stoppedAt);
  return [{ what, state: 'missing', detail: `${detail} (at ${at}): leave it out with --kind` }];
}
