/** Loads from the package the stub that is placed beside a kernel (kernel-model/walk-stub.ts). */
import { describeElfError } from '../elf/error.js';
import { type ElfImage, loadElf } from '../elf/image.js';
import { fail, ok, type Result } from '../base/result.js';
import { resolveStub, STUB_ELF, type WalkStub } from './walk-stub.js';
import { packagePath } from '../base/package-path.js';

/** The stub's code, and the addresses in it. */
export interface LoadedStub {
  readonly elf: ElfImage;
  readonly stub: WalkStub;
}

/** Load the stub. The error is one line. */
export function loadStub(): Result<LoadedStub, string> {
  const elf = loadElf(packagePath(STUB_ELF));
  if (!elf.ok) return fail(describeElfError(elf.error));
  const stub = resolveStub(elf.value);
  if (!stub.ok) return fail(`${STUB_ELF}: symbols missing: ${stub.error.join(', ')}`);
  return ok({ elf: elf.value, stub: stub.value });
}
