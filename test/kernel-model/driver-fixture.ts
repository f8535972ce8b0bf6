/** A driver over a scenario that is stepped instruction by instruction. */
import { Reg, RegisterFile } from '../../emulator/registers.js';
import { StepStatus } from '../../emulator/stepping-cpu.js';
import { DriverStatus, ExceptionDriver } from '../../kernel-model/exception-driver.js';
import type { Machine } from '../../kernel-model/machine.js';
import type { KernelStacks } from '../../kernel-model/stacks.js';
import type { Scenario } from '../../scenarios/scenario.js';
import { type FamilyName, setUp, stepTo, sweepParts } from '../machine-fixture.js';

const STATUS_NAMES = Object.keys(DriverStatus);

export class Driven {
  readonly machine: Machine;
  readonly stacks: KernelStacks;
  readonly driver: ExceptionDriver;

  /** At the first instruction of the scenario's entry function. */
  constructor(family: FamilyName, scenario: Scenario) {
    const { machine, stacks } = sweepParts(family);
    this.machine = machine;
    this.stacks = stacks;
    this.driver = new ExceptionDriver(machine, stacks);
    this.restart(scenario);
  }

  restart(scenario: Scenario): void {
    const entry = setUp(this.machine, scenario);
    this.stacks.switchTo(this.machine.kernel.roles.initTask);
    stepTo(this.machine, entry);
  }

  get registers(): RegisterFile {
    return this.machine.stepper.registers;
  }

  /** A copy of the interrupted registers, to be changed before {@link ExceptionDriver.interruptAt}. */
  changed(changes: Readonly<Record<number, number>>): RegisterFile {
    const file = new RegisterFile();
    file.copyFrom(this.registers);
    for (const [index, value] of Object.entries(changes)) file.set(Number(index), value);
    return file;
  }

  /** Step once, following `current`. False at the end of the thread. */
  step(): boolean {
    const { stepper, kernel } = this.machine;
    if (stepper.pc === kernel.roles.threadDone) return false;
    const status = stepper.step();
    if (status !== StepStatus.DONE) throw new Error(stepper.describe(status));
    const task = this.registers.get(Reg.SP_EL0);
    stepper.readAll();
    const now = this.registers.get(Reg.SP_EL0);
    if (now !== task && !this.stacks.switchTo(now)) throw new Error('no stack');
    return true;
  }

  enter(kind: number): string {
    return STATUS_NAMES[this.driver.enter(kind)] ?? '?';
  }

  leave(): string {
    return STATUS_NAMES[this.driver.leave()] ?? '?';
  }

  /** The names of the functions that the learned path has pending. */
  pathNames(): string[] {
    const addresses = this.driver.path?.addresses ?? new Float64Array();
    return [...addresses].map((address) => this.machine.symbols.at(address)?.symbol.name ?? '?');
  }

  /** Address of a symbol that must be there. */
  address(name: string): number {
    const symbol = this.machine.symbols.byName(name);
    if (symbol === undefined) throw new Error(`no symbol ${name}`);
    return symbol.address;
  }
}
