/** What is swept on a machine. */
import type { VmlinuxSource } from '../kernel-model/vmlinux/load.js';
import type { Scenario } from '../scenarios/scenario.js';

/** A scenario, and the ELF with its code. */
export interface LabTarget {
  readonly scenario: Scenario;
  /** Path of an ELF to load besides the kernel; absent when the code is in the kernel itself. */
  readonly elf?: string;
  /** A real kernel to run instead of a built-in one. */
  readonly vmlinux?: VmlinuxSource;
}
