/** What a sweep works with. */
import type { ExceptionDriver } from '../kernel-model/exception-driver.js';
import type { Machine } from '../kernel-model/machine.js';
import type { KernelStacks } from '../kernel-model/stacks.js';
import type { RuleTable } from '../unwinder/rule-table.js';
import type { FunctionIndex } from './function-index.js';
import type { KernelWalker } from './kernel-walker.js';
import type { ModelWalker } from './model-walker.js';
import type { Judge } from './judge.js';

/** Everything a sweep works with, made once per machine. */
export interface LabParts {
  readonly machine: Machine;
  readonly stacks: KernelStacks;
  readonly rules: RuleTable;
  readonly driver: ExceptionDriver;
  /** The model of the kernel's unwinder. */
  readonly model: ModelWalker;
  /** The kernel image's own unwinder, if it has one. */
  readonly kernelUnwinder?: KernelWalker | undefined;
  readonly judge: Judge;
  readonly functions: FunctionIndex;
}
