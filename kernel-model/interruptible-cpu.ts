/**
 * A scenario's CPU that can also be made to take exceptions itself, inside each other where the
 * hardware allows it: what depth 2 of a sweep and the debugger step through. The firmware's part of
 * an SDEI event is played here.
 */
import { Reg, RegisterFile } from '../emulator/registers.js';
import { Kind } from './exception-kind.js';
import { completeSdei, type ExceptionSource } from './exception-source.js';
import type { Machine } from './machine.js';
import type { ScenarioCpu, ScenarioCpuState } from './scenario-cpu.js';

/** One exception that was taken and has not returned. */
interface TakenException {
  readonly kind: number;
  /** Entries of the shadow stack with it. */
  readonly depth: number;
  /** The registers that it interrupted. */
  readonly interrupted: RegisterFile;
}

/** What an {@link InterruptibleCpu} keeps besides the machine, as it was. */
export interface InterruptibleCpuState {
  readonly scenario: ScenarioCpuState;
  readonly taken: readonly {
    readonly kind: number;
    readonly depth: number;
    readonly interrupted: Uint32Array;
  }[];
}

/** Steps a scenario, and takes exceptions on request. */
export class InterruptibleCpu {
  /** After an exception returned: the first register that it did not restore, or -1. */
  difference = -1;
  private readonly taken: TakenException[] = [];
  /** Files of exceptions that have returned, to be used again. */
  private readonly files: RegisterFile[] = [];

  constructor(
    private readonly machine: Machine,
    readonly scenario: ScenarioCpu,
    private readonly source: ExceptionSource,
  ) {}

  /** Start over: the machine was set up anew. */
  reset(): void {
    this.scenario.reset();
    while (this.taken.length > 0) this.forgetInnermost();
    this.source.reset();
  }

  /** Exceptions that were taken by {@link take} and have not returned. */
  get depth(): number {
    return this.taken.length;
  }

  /** Kind of the exception being handled, 0 being the outermost. */
  kindAt(level: number): number {
    return this.taken[level]?.kind ?? -1;
  }

  /** Whether the next step is the firmware's: the innermost exception hands back to it here. */
  get isFirmwareNext(): boolean {
    const innermost = this.taken[this.taken.length - 1];
    return (
      innermost?.kind === Kind.SDEI &&
      this.machine.stepper.pc === this.machine.kernel.roles.sdeiComplete
    );
  }

  /** Take an exception before the next instruction. The source must say that its kind is possible. */
  take(kind: number): void {
    const { stepper } = this.machine;
    const { truth } = this.scenario;
    // A step leaves ELR_EL1, SPSR_EL1 and ESR_EL1 in the engine, and all registers are written back.
    stepper.readAll();
    const interrupted = this.files.pop() ?? new RegisterFile();
    interrupted.copyFrom(stepper.registers);
    const sp = interrupted.get(Reg.SP);
    this.scenario.fillBelow(sp);
    truth.exceptionTaken(stepper.pc, sp);
    this.source.deliver(kind, stepper.registers);
    stepper.writeBack();
    this.taken.push({ kind, depth: truth.current.depth, interrupted });
    this.updateSource();
  }

  /**
   * Execute one instruction, or let the firmware complete an event. False: see `scenario.problem`.
   * An exception may have returned then; see {@link depth} and {@link difference}.
   */
  step(): boolean {
    if (this.taken.length > 0) return this.stepInside();
    if (!this.scenario.step()) return false;
    this.source.inBreakpoint = this.scenario.inBreakpoint;
    return true;
  }

  private stepInside(): boolean {
    if (this.isFirmwareNext) this.resumeByFirmware();
    else if (!this.scenario.step()) return false;
    const innermost = this.taken[this.taken.length - 1] as TakenException;
    if (this.scenario.truth.current.depth < innermost.depth) {
      this.difference = this.machine.stepper.registers.firstDifference(innermost.interrupted);
      this.forgetInnermost();
    }
    this.updateSource();
    return true;
  }

  private forgetInnermost(): void {
    const last = this.taken.pop();
    if (last !== undefined) this.files.push(last.interrupted);
  }

  private resumeByFirmware(): void {
    const { stepper } = this.machine;
    const { interrupted } = this.taken[this.taken.length - 1] as TakenException;
    stepper.readAll();
    completeSdei(stepper.registers, interrupted);
    stepper.writeBack();
    this.scenario.truth.exceptionReturned();
  }

  /** Tell the source what the context is inside of. */
  private updateSource(): void {
    let sdeiLevel = 0;
    let inBreakpoint = this.scenario.inBreakpoint;
    for (const { kind } of this.taken) {
      if (kind === Kind.SDEI) sdeiLevel++;
      if (kind === Kind.BRK) inBreakpoint = true;
    }
    this.source.sdeiLevel = sdeiLevel;
    this.source.inBreakpoint = inBreakpoint;
  }

  /** A copy of what is kept besides the machine's own registers and memory. */
  save(): InterruptibleCpuState {
    return {
      scenario: this.scenario.save(),
      taken: this.taken.map(({ kind, depth, interrupted }) => {
        return { kind, depth, interrupted: interrupted.words.slice() };
      }),
    };
  }

  /** Back to what {@link save} gave. The machine is brought back by the caller. */
  restore(state: InterruptibleCpuState): void {
    this.scenario.restore(state.scenario);
    while (this.taken.length > 0) this.forgetInnermost();
    for (const { kind, depth, interrupted } of state.taken) {
      const file = this.files.pop() ?? new RegisterFile();
      file.words.set(interrupted);
      this.taken.push({ kind, depth, interrupted: file });
    }
    this.updateSource();
  }
}
