/** The real kernels of ../shared/kernels: test inputs that not every machine has. */
import { existsSync } from 'node:fs';
import { repositoryPath } from '../machine-fixture.js';

/** Linux 7.3-rc7 with the routines of arch/arm64/lib wrapped in CFI. */
export const LEAF_KERNEL = repositoryPath('../shared/kernels/vmlinux-7.3-rc7-leaf.gz');
/** The same without, as mainline is. */
export const PLAIN_KERNEL = repositoryPath('../shared/kernels/vmlinux-7.3-rc7.gz');
/** Whether both are there; says so when they are not, once for each file of tests. */
export const HAS_KERNELS = existsSync(LEAF_KERNEL) && existsSync(PLAIN_KERNEL);

if (!HAS_KERNELS) {
  console.warn('real kernels are not tested: ../shared/kernels has no vmlinux-7.3-rc7');
}
