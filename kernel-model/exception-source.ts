/**
 * The sources of exceptions: the interrupt controller's state in guest memory, the firmware that
 * delivers SDEI events, and what the interrupted CPU masks. Says which kinds are possible at a
 * stop, and brings a CPU to the first instruction that handles the chosen one.
 */
import type { Address } from '../base/address.js';
import {
  ExceptionClass,
  maskExceptions,
  syndrome,
  takeException,
  VectorOffset,
} from '../emulator/exceptions.js';
import { Pstate, Reg, type RegisterFile } from '../emulator/registers.js';
import { ALL_KINDS, Kind } from './exception-kind.js';
import type { CodeRange } from './kernel-image.js';
import { ProbeBrk } from './tracers/kprobe-rules.js';
import type { Machine } from './machine.js';

/** Bits of the pending word and value of the priority mask (kernel-model/guest, irq-gic.c). */
const IAR_IRQ = 1;
const IAR_NMI = 2;
const PMR_UNMASKED = 0xe0;

/** The sources of exceptions of one machine. */
export class ExceptionSource {
  /** SDEI events that the context to be interrupted is inside of: 0 none, 1 normal, 2 critical. */
  sdeiLevel = 0;
  /** Whether that context is itself inside a kprobe's breakpoint. */
  inBreakpoint = false;
  /** The kinds that this kernel can ever take, as bits. */
  private readonly takeable: number;
  private readonly pmr: WordView;
  private readonly iar: WordView;

  constructor(private readonly machine: Machine) {
    this.pmr = new WordView(machine, machine.kernel.roles.gicPmr);
    this.iar = new WordView(machine, machine.kernel.roles.gicIar);
    let kinds = ALL_KINDS;
    for (const kind of machine.kernel.unbooted?.unsupported.keys() ?? []) kinds &= ~(1 << kind);
    this.takeable = kinds;
  }

  /** Forget what is being handled. Needed after the machine was reset. */
  reset(): void {
    this.sdeiLevel = 0;
    this.inBreakpoint = false;
  }

  /** The interrupt controller's priority mask. */
  priorityMask(): number {
    return this.pmr.get();
  }

  /** Whether a priority mask lets ordinary interrupts through. */
  static isUnmasked(priorityMask: number): boolean {
    return priorityMask === PMR_UNMASKED;
  }

  /** The kinds that the hardware or the firmware could deliver before an instruction, as bits. */
  possible(registers: RegisterFile): number {
    const pstate = registers.words[2 * Reg.PSTATE] as number;
    const { unbooted } = this.machine.kernel;
    let kinds = this.takeable;
    if ((pstate & Pstate.I) !== 0) {
      kinds &= ~(1 << Kind.IRQ);
      // A kernel that was not booted masks by PSTATE.I what it would mask by priority, and an NMI
      // passes a priority mask. But when PSTATE.A is also set, the hardware has masked on its way
      // to the vector.
      if (unbooted === undefined || (pstate & Pstate.A) !== 0) kinds &= ~(1 << Kind.NMI);
    }
    if (this.pmr.get() !== PMR_UNMASKED) kinds &= ~(1 << Kind.IRQ);
    if ((pstate & Pstate.A) !== 0) kinds &= ~(1 << Kind.SERROR);
    if (this.sdeiLevel === 2) kinds &= ~(1 << Kind.SDEI);
    if (this.inBreakpoint || this.refusesProbe(registers.get(Reg.PC))) kinds &= ~(1 << Kind.BRK);
    return kinds;
  }

  /** Whether a kprobe is there already, or may not be placed there. */
  private refusesProbe(pc: Address): boolean {
    const { breakpoints } = this.machine;
    return (
      (breakpoints.size > 0 && breakpoints.has(pc)) || this.isBlacklisted(pc) || this.isSlot(pc)
    );
  }

  /**
   * Whether this is the slot in which an instruction is stepped out of line. It is not kernel text,
   * so no kprobe can be there.
   */
  private isSlot(pc: Address): boolean {
    const slot = this.machine.kernel.unbooted?.tracers.instructionSlot ?? NaN;
    return pc === slot || pc === slot + 4;
  }

  private isBlacklisted(pc: Address): boolean {
    const ranges = this.machine.kernel.kprobeBlacklist;
    for (let i = 0; i < ranges.length; i++) {
      const range = ranges[i] as CodeRange;
      if (pc >= range.start && pc < range.end) return true;
    }
    return false;
  }

  /**
   * Deliver an exception: leaves devices, firmware and CPU state as they are at the first
   * instruction of the vector, or of the SDEI handler.
   */
  deliver(kind: number, registers: RegisterFile): void {
    const { vectors } = this.machine.kernel.roles;
    switch (kind) {
      case Kind.IRQ:
      case Kind.NMI:
        this.iar.set(this.iar.get() | (kind === Kind.IRQ ? IAR_IRQ : IAR_NMI));
        takeException(registers, vectors, VectorOffset.IRQ);
        break;
      case Kind.BRK: {
        const { memory, kernel } = this.machine;
        const probed = kernel.unbooted?.kprobeAddress;
        if (probed !== undefined) memory.writeAddress(probed, registers.get(Reg.PC));
        const esr = syndrome(ExceptionClass.BRK64, ProbeBrk.KPROBE);
        takeException(registers, vectors, VectorOffset.SYNC, esr);
        break;
      }
      case Kind.SERROR: {
        const esr = syndrome(ExceptionClass.SERROR, 0);
        takeException(registers, vectors, VectorOffset.SERROR, esr);
        break;
      }
      default:
        this.deliverSdei(registers);
    }
  }

  /** SDEI event delivery (Arm DEN0054): x0 event number, x1 its argument, x2 PC, x3 PSTATE. */
  private deliverSdei(registers: RegisterFile): void {
    const { roles } = this.machine.kernel;
    const event = this.sdeiLevel === 0 ? roles.sdeiNormalEvent : roles.sdeiCriticalEvent;
    const { words } = registers;
    words[2 * Reg.X2] = words[2 * Reg.PC] as number;
    words[2 * Reg.X2 + 1] = words[2 * Reg.PC + 1] as number;
    words[2 * Reg.X3] = words[2 * Reg.PSTATE] as number;
    words[2 * Reg.X3 + 1] = 0;
    registers.set(Reg.X0, this.sdeiLevel);
    registers.set(Reg.X1, event);
    registers.set(Reg.PC, roles.sdeiHandler);
    maskExceptions(registers);
  }
}

/**
 * SDEI_EVENT_COMPLETE: the firmware restores x0..x17, PC and PSTATE; the rest stays as the kernel
 * left it.
 * @param interrupted the registers when the event was delivered
 */
export function completeSdei(registers: RegisterFile, interrupted: RegisterFile): void {
  const { words } = interrupted;
  for (let i = 0; i < 2 * 18; i++) registers.words[i] = words[i] as number;
  for (let i = 2 * Reg.PC; i < 2 * Reg.PSTATE + 2; i++) registers.words[i] = words[i] as number;
}

/** A 32-bit word of guest data that the host reads and writes at every point. */
class WordView {
  private readonly words: Uint32Array;
  private readonly index: number;

  constructor(machine: Machine, address: Address) {
    const region = machine.memory.regionAt(address);
    this.words = region?.words ?? new Uint32Array(1);
    this.index = region === undefined ? 0 : (address - region.low) >>> 2;
  }

  get(): number {
    return this.words[this.index] as number;
  }

  set(value: number): void {
    this.words[this.index] = value;
  }
}
