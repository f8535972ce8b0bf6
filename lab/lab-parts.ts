/** What a sweep works with. */
import type { ExceptionDriver } from '../kernel-model/exception-driver.js';
import type { Machine } from '../kernel-model/machine.js';
import type { KernelStacks } from '../kernel-model/stacks.js';
import type { RuleTable } from '../unwinder/rule-table.js';
import type { FunctionIndex } from './function-index.js';
import type { GuestWalker } from './kernel-walker.js';
import type { KernelWalker } from './model-walker.js';
import type { Judge } from './judge.js';

/** Everything a sweep works with, made once per machine. */
export interface SweepParts {
  readonly machine: Machine;
  readonly stacks: KernelStacks;
  readonly rules: RuleTable;
  readonly driver: ExceptionDriver;
  /** The model. */
  readonly walker: KernelWalker;
  /** The kernel image's own unwinder, if it has one. */
  readonly guest?: GuestWalker | undefined;
  readonly judge: Judge;
  readonly functions: FunctionIndex;
}
