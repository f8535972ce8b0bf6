/** A bare CPU whose instructions are recorded as ground truth. */
import { expect } from 'vitest';
import { VectorOffset } from '../../emulator/exceptions.js';
import { Reg } from '../../emulator/registers.js';
import { type SteppingCpu, StepStatus } from '../../emulator/stepping-cpu.js';
import { GroundTruth } from '../../kernel-model/ground-truth.js';
import type { A64Text } from '../assembled.js';
import { bareCpu, CODE, DATA, VECTORS } from '../cpu-fixture.js';

/** SP_EL0 at the start. */
export const TASK = DATA;

/** A CPU with its truth. `pending` is innermost first, in instructions from the code's start. */
export class Recorded {
  readonly cpu: SteppingCpu;
  readonly truth: GroundTruth;

  /** @param Truth the class of the record, or that of a copy of the package */
  constructor(code: readonly (A64Text | number)[], vector: typeof code = [], Truth = GroundTruth) {
    this.cpu = bareCpu(code, vector).cpu;
    this.truth = new Truth(TASK);
  }

  set(registers: Readonly<Record<number, number>>): this {
    for (const [index, value] of Object.entries(registers)) {
      this.cpu.registers.set(Number(index), value);
    }
    this.cpu.writeBack();
    return this;
  }

  step(): this {
    const { pc } = this.cpu;
    expect(this.cpu.step()).toBe(StepStatus.DONE);
    const { instructionClass, instructionWord, registers } = this.cpu;
    this.truth.executed(instructionClass, instructionWord, pc, registers);
    return this;
  }

  steps(count: number): this {
    for (let i = 0; i < count; i++) this.step();
    return this;
  }

  take(): this {
    this.truth.exceptionTaken(this.cpu.pc, this.cpu.registers.get(Reg.SP));
    this.cpu.takeException(VECTORS, VectorOffset.IRQ);
    return this;
  }

  get pending(): number[] {
    const { addresses, depth } = this.truth.current;
    return [...addresses.subarray(0, depth)].reverse().map((address) => (address - CODE) / 4);
  }

  /** Where the PC is, in the same units. */
  get at(): number {
    return (this.cpu.pc - CODE) / 4;
  }
}

/** The interrupt vector, in the units of {@link Recorded.pending}. */
export const VECTOR_AT = (VECTORS - CODE + VectorOffset.IRQ) / 4;
