/**
 * Makes one function of any AArch64 ELF file a target. Nothing is known about such code, so little is
 * promised for it.
 */
import { DynamicLinker } from '../elf/dynamic-linker.js';
import { describeElfError } from '../elf/error.js';
import type { ElfImage } from '../elf/image.js';
import { findFunction, noFunction } from '../elf/functions.js';
import { loadImage } from '../lab/image.js';
import { fail, ok, type Result } from '../base/result.js';
import { SDEI_CODE } from '../scenarios/exception-code.js';
import {
  ALL_POLICIES,
  allowed,
  mergePromises,
  type Promises,
  SHARED_WHY,
  SKIPPING,
  TRUSTING_SDEI,
  under,
} from '../scenarios/promise-terms.js';
import type { ScenarioArgument } from '../scenarios/scenario.js';
import { buildRules } from '../lab/rules.js';
import { layoutNote } from '../unwinder/sframe/tables.js';
import { defaultArguments } from './arm64-routines.js';
import type { LabTarget } from '../lab/target.js';

/**
 * The promises for a function of an image. Every policy may call it unreliable. Only policies that trust
 * SDEI's record may miss entries that it hides; at depth 2 so may a walk from a breakpoint in the event's
 * own code.
 */
export const IMAGE_PROMISES: Promises = mergePromises(
  under(
    ALL_POLICIES,
    allowed('unreliable', {}, 'nothing is known about how this code can be unwound'),
  ),
  under(TRUSTING_SDEI, allowed('missing', { kinds: ['sdei'] }, SHARED_WHY.sdei)),
  under(SKIPPING, allowed('missing', { kinds: ['brk'], in: SDEI_CODE, depth: 2 }, SHARED_WHY.sdei)),
);

/** A function of an image, as a user asks for it. */
export interface ImageRequest {
  /** Path of the ELF as the user gave it, which reports show. */
  readonly file: string;
  readonly absolutePath: string;
  readonly fn: string;
  /** Absent: those of {@link defaultArguments}. */
  readonly args?: readonly ScenarioArgument[];
}

/** The target for an image whose file and function exist. */
export interface ImageTarget {
  readonly target: LabTarget;
  readonly image: ElfImage;
  /** The image has no `.sframe`, so policies that use SFrame cannot be exact in it. */
  readonly lacksSFrame: boolean;
  /** What a kernel would do with its `.sframe`, where that is not what is done here. */
  readonly note: string | undefined;
}

/** Makes the target, and checks file and function before workers start. The error is one line. */
export function imageTarget(request: ImageRequest): Result<ImageTarget, string> {
  const loaded = loadImage(request.absolutePath);
  if (!loaded.ok) return fail(describeElfError({ ...loaded.error, path: request.file }));
  const image = loaded.value;
  const found = findFunction(image, request.fn);
  if (found === undefined) return fail(`${request.file}: ${noFunction(image, request.fn)}`);
  const rules = buildRules([image]);
  if (!rules.ok) return fail(`${request.file}: ${rules.error.message}`);
  const relocated = image.applyRelocations(0, new DynamicLinker());
  if (!relocated.ok) return fail(describeElfError({ ...relocated.error, path: request.file }));
  const scenario = {
    name: `${request.file}:${request.fn}`,
    summary: `${request.fn} of ${request.file}`,
    entry: request.fn,
    args: request.args ?? defaultArguments(request.fn),
    promises: IMAGE_PROMISES,
  };
  return ok({
    target: { scenario, elf: request.absolutePath, reportsCoverage: true },
    image,
    lacksSFrame: image.sframe.length === 0,
    note: layoutNote(request.file, image.sframe),
  });
}
