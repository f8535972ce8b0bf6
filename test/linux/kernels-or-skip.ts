/**
 * `npm run test:linux` without a kernel ends with 3, as `npm run guest:check` does without a toolchain: a run of
 * nothing has not passed.
 */
import { HAS_KERNELS } from './kernels.js';

const SKIPPED = 3;

/** Called by vitest before the first test file. */
export default function setUp(): void {
  if (HAS_KERNELS) return;
  process.stderr.write('test:linux: skipped, nothing was tested\n');
  process.exit(SKIPPED);
}
