/**
 * A scenario's CPU that can also take exceptions on request, nested where the hardware allows it.
 * Depth 2 of a sweep and the debugger step through them. The firmware's part of an SDEI event is
 * played here.
 */
import { Reg, RegisterFile } from '../emulator/registers.js';
import { Kind } from './exception-kind.js';
import { completeSdei, type ExceptionSource } from './exception-source.js';
import type { Machine } from './machine.js';
import type { ScenarioCpu, ScenarioCpuState } from './scenario-cpu.js';

/** One exception that was taken and has not returned. */
interface TakenException {
  readonly kind: number;
  /** Entries of the shadow stack, with this exception's own. */
  readonly depth: number;
  /** The registers that it interrupted. */
  readonly interrupted: RegisterFile;
}

/** A copy of the state that an {@link InterruptibleCpu} keeps besides the machine. */
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
  /** Register files of exceptions that have returned, for reuse. */
  private readonly files: RegisterFile[] = [];

  constructor(
    private readonly machine: Machine,
    readonly scenario: ScenarioCpu,
    private readonly source: ExceptionSource,
  ) {}

  /** Start over, after the machine was set up anew. */
  reset(): void {
    this.scenario.reset();
    while (this.taken.length > 0) this.forgetInnermost();
    this.source.reset();
  }

  /** Number of exceptions that {@link take} took and that have not returned. */
  get depth(): number {
    return this.taken.length;
  }

  /** Kind of the exception being handled at a nesting level, 0 being the outermost; -1 for none. */
  kindAt(level: number): number {
    return this.taken[level]?.kind ?? -1;
  }

  /** Whether the next step is the firmware's: the innermost exception is at its hand-over. */
  get isFirmwareNext(): boolean {
    const innermost = this.taken[this.taken.length - 1];
    return (
      innermost?.kind === Kind.SDEI &&
      this.machine.stepper.pc === this.machine.kernel.roles.sdeiComplete
    );
  }

  /**
   * Take an exception before the next instruction. The source must say that the kind is possible.
   */
  take(kind: number): void {
    const { stepper } = this.machine;
    const { truth } = this.scenario;
    // A step does not read ELR_EL1, SPSR_EL1 and ESR_EL1 from the engine, but all registers are
    // written back.
    stepper.readAll();
    const interrupted = this.files.pop() ?? new RegisterFile();
    interrupted.copyFrom(stepper.registers);
    const sp = interrupted.get(Reg.SP);
    this.scenario.fillBelow(sp);
    this.scenario.contexts.taking(kind, interrupted, truth, this.source.sdeiLevel);
    truth.exceptionTaken(stepper.pc, sp);
    this.source.deliver(kind, stepper.registers);
    stepper.writeBack();
    this.taken.push({ kind, depth: truth.current.depth, interrupted });
    this.updateSource();
  }

  /**
   * Execute one instruction, or let the firmware complete an event. An exception may have returned
   * after it; see {@link depth} and {@link difference}.
   * @returns false on failure; `scenario.problem` says why
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

  /** Restore what {@link save} returned. The caller restores the machine. */
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
