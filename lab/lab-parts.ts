/** A machine and what is needed to walk and judge on it. */
import type { ExceptionDriver } from '../kernel-model/exception-driver.js';
import type { Machine } from '../kernel-model/machine.js';
import type { KernelStacks } from '../kernel-model/stacks.js';
import type { RuleTable } from '../unwinder/rule-table.js';
import type { FunctionIndex } from './function-index.js';
import type { KernelWalker } from './kernel-walker.js';
import type { ModelWalker } from './model-walker.js';
import type { Judge } from './judge.js';

/** The parts of a lab that are made once per machine. */
export interface LabParts {
  readonly machine: Machine;
  readonly stacks: KernelStacks;
  readonly rules: RuleTable;
  readonly driver: ExceptionDriver;
  /** The model of the kernel's unwinder. */
  readonly model: ModelWalker;
  /** The kernel image's own unwinder, if it can be called. */
  readonly kernelUnwinder?: KernelWalker | undefined;
  readonly judge: Judge;
  readonly functions: FunctionIndex;
}
