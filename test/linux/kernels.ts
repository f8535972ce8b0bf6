/** The real kernels of ../shared/kernels: test inputs that not every machine has. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** That folder, which lies beside the repository. */
const FOLDER =
  process.env['KUNWIND_KERNELS'] ??
  fileURLToPath(new URL('../../../shared/kernels', import.meta.url));

/** Linux 7.3-rc7 with the routines of arch/arm64/lib wrapped in CFI. */
export const LEAF_KERNEL = join(FOLDER, 'vmlinux-7.3-rc7-leaf.gz');
/** The same without, as mainline is. */
export const PLAIN_KERNEL = join(FOLDER, 'vmlinux-7.3-rc7.gz');
/** Whether both are there; says so when they are not, once for each file of tests. */
export const HAS_KERNELS = existsSync(LEAF_KERNEL) && existsSync(PLAIN_KERNEL);

if (!HAS_KERNELS) {
  console.warn(`real kernels are not tested: ${FOLDER} has no vmlinux-7.3-rc7`);
}
