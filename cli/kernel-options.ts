/** The options of `sweep` that name a real kernel and what to run of it. */
import { resolve } from 'node:path';
import type { ElfImage } from '../elf/image.js';
import { KIND_NAMES } from '../kernel-model/exception-kind.js';
import { type OwnUnwinder, ownUnwinder } from '../lab/kernel-walker.js';
import { parseFunction } from '../targets/function-text.js';
import { parseArguments } from '../targets/image-argument.js';
import type { KernelSampleRequest } from '../sweep/kernel-sample.js';
import { kernelTargets } from '../targets/kernel-target.js';
import { isPattern } from '../base/name-pattern.js';
import type { LabTarget } from '../lab/target.js';
import { once, type OptionText, values, wholeNumber } from './option-values.js';
import { UsageError } from './usage-error.js';

/** The properties of a real kernel that decide how it can be swept. */
export interface SweptKernel {
  readonly file: string;
  readonly unwinder: OwnUnwinder | undefined;
  readonly lacksSFrame: boolean;
}

/** What is swept. */
export interface SweepTargets {
  /** The real kernel that is swept, if any. */
  readonly kernel?: SweptKernel;
  /** Kinds of exceptions that the kernel cannot take, and why. */
  readonly unsupported?: ReadonlyMap<number, string>;
  readonly targets: readonly LabTarget[];
  /** The user's file with the code, which knows its functions' other names. */
  readonly elf?: ElfImage;
  /** Lines for standard error. */
  readonly notes: readonly string[];
  readonly sample?: KernelSampleRequest;
}

/** The options for a real kernel, besides `--kernel` itself. */
export interface KernelArguments {
  readonly offsets?: OptionText;
  readonly sample?: OptionText;
  readonly seed?: OptionText;
  readonly function?: OptionText;
  readonly args?: readonly string[] | undefined;
}

/** Options that are meaningless without `--kernel`. */
export const KERNEL_ONLY = ['offsets', 'sample', 'seed'] as const;

/**
 * Check the options, and find the functions of a kernel.
 * @param file as given
 * @throws UsageError
 */
export function kernelOptions(given: KernelArguments, file: string): SweepTargets {
  const offsets = once('offsets', given.offsets);
  const source = {
    file,
    path: resolve(file),
    ...(offsets === undefined ? {} : { offsets: resolve(offsets) }),
  };
  const named = typeof given.function === 'string' ? [given.function] : given.function;
  const functions = (values('function', named) ?? []).flatMap((name) => name.split(','));
  if (functions.includes('')) throw new UsageError('--function needs a value');
  const nameless = functions.find((text) => {
    const { entry, tracing } = parseFunction(text);
    return entry === '' || tracing?.functions === '';
  });
  if (nameless !== undefined) throw new UsageError(`--function '${nameless}' names no function`);
  const patterns = functions.filter((text) => isPattern(parseFunction(text).entry));
  if (given.args !== undefined && (functions.length !== 1 || patterns.length > 0)) {
    const what = patterns.length > 0 ? `'${patterns[0] ?? ''}' is` : `${functions.length} are`;
    throw new UsageError(`--args needs exactly one --function, ${what} given`);
  }
  const args = parseArguments(given.args ?? []);
  if (!args.ok) throw new UsageError(args.error);
  const count = wholeNumber('sample', given.sample);
  const seed = wholeNumber('seed', given.seed) ?? 1;
  if (given.seed !== undefined && count === undefined)
    throw new UsageError('--seed needs --sample');
  if (patterns[0] !== undefined && count === undefined)
    throw new UsageError(`--function '${patterns[0]}' needs --sample`);
  const made = kernelTargets({
    source,
    functions,
    ...(given.args === undefined ? {} : { args: args.value }),
  });
  if (!made.ok) throw new UsageError(made.error);
  const { targets, lacksSFrame, note, kernel } = made.value;
  const unwinder = ownUnwinder((name) => kernel.symbol(name));
  return {
    targets,
    elf: kernel.elf,
    notes: note === undefined ? [] : [`warning: ${note}`],
    kernel: { file, unwinder, lacksSFrame },
    ...(kernel.unbooted === undefined ? {} : { unsupported: kernel.unbooted.unsupported }),
    ...(count === undefined ? {} : { sample: { source, count, seed, patterns } }),
  };
}

/**
 * Refuse a kind of exception that a real kernel cannot take anywhere.
 * @param kind index in `KIND_NAMES`
 * @throws UsageError
 */
export function refuseUnsupported(
  unsupported: ReadonlyMap<number, string> | undefined,
  option: string,
  kind: number,
): void {
  const why = unsupported?.get(kind);
  if (why !== undefined) throw new UsageError(`${option} ${KIND_NAMES[kind] ?? '?'}: ${why}`);
}
