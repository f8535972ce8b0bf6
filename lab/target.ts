/** What a machine is set up for. */
import type { VmlinuxSource } from '../kernel-model/vmlinux/load.js';
import type { Scenario } from '../scenarios/scenario.js';

/** What is swept: a scenario and the ELF that holds its code. */
export interface LabTarget {
  readonly scenario: Scenario;
  /** Path of the ELF loaded beside the kernel; absent when the code is in the kernel itself. */
  readonly elf?: string;
  /** The real kernel to run instead of a built-in one. */
  readonly vmlinux?: VmlinuxSource;
  /** The entry function is the user's, who is told what share of it was executed. */
  readonly reportsCoverage?: true;
}
