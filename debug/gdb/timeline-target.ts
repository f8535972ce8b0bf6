/** A timeline as the GDB stub sees it. */
import type { Address } from '../../base/address.js';
import type { Direction, GdbTarget, RunEnd, StopAnswer, StopTest } from './target.js';
import {
  Pstate,
  Reg,
  type RegisterFile,
  SYSTEM_REGISTERS,
  type SystemRegister,
} from '../../emulator/registers.js';
import type { GdbMonitor } from './monitor.js';
import type { Edit } from '../inputs.js';
import type { Timeline } from '../timeline.js';

/** PSTATE bits that a debugger may change. Others could take the CPU out of EL1h. */
const WRITABLE_PSTATE = (Pstate.NZCV | Pstate.DAIF) >>> 0;

/**
 * The machine of a timeline. What gdb takes for one instruction is one step of the timeline, so
 * that a kprobe's breakpoint and the completion of an SDEI event are steps, too.
 */
export class TimelineTarget implements GdbTarget {
  problem = '';
  private testing = false;
  /**
   * Inverses of the changes at position 0, because those belong to the state that everything begins
   * with.
   */
  private readonly undo: Edit[] = [];
  private readonly system = new Uint32Array(2 * SYSTEM_REGISTERS.length);
  /** Exceptions taken before the home position: a point of depth 2 is inside one. */
  private readonly taken: ReturnType<Timeline['inputs']['interruptsBefore']>;

  /** @param home position that a killed target goes back to */
  constructor(
    private readonly line: Timeline,
    private readonly commands: GdbMonitor,
    private readonly home: number,
  ) {
    this.taken = line.inputs.interruptsBefore(home);
  }

  get registers(): RegisterFile {
    // During a run only the general registers are asked for, and those are already here. Reading
    // all takes longer than a step.
    return this.testing ? this.line.machine.stepper.registers : this.line.registers();
  }

  writeRegister(index: number, low: number, high: number): boolean {
    // An instruction address that is not a multiple of 4 would stop the engine, not the guest.
    if (index === Reg.PC && (low & 3) !== 0) return false;
    if (index === Reg.PSTATE && !this.mayBePstate(low)) return false;
    const { words } = this.registers;
    const before = { low: words[2 * index] as number, high: words[2 * index + 1] as number };
    return this.change(
      { kind: 'register', index, low, high },
      { kind: 'register', index, ...before },
    );
  }

  private mayBePstate(value: number): boolean {
    const present = this.registers.words[2 * Reg.PSTATE] as number;
    return ((present ^ value) & ~WRITABLE_PSTATE) === 0;
  }

  readVector(index: number, into: Uint8Array): void {
    this.line.machine.stepper.engine.readVector(index, into);
  }

  writeVector(index: number, from: Uint8Array): boolean {
    const bytes = new Uint8Array(16);
    this.readVector(index, bytes);
    return this.change(
      { kind: 'vector', index, bytes: from.slice() },
      { kind: 'vector', index, bytes },
    );
  }

  readSystem(register: SystemRegister, into: Uint32Array): void {
    into.set(this.systemWords(register));
  }

  private systemWords(register: SystemRegister): Uint32Array {
    this.line.machine.stepper.engine.readSystem(this.system);
    const at = 2 * SYSTEM_REGISTERS.indexOf(register);
    return this.system.subarray(at, at + 2);
  }

  writeSystem(register: SystemRegister, low: number, high: number): boolean {
    // Exceptions are taken to the vectors of the kernel image, whatever the register says.
    if (register === 'vbar_el1') return false;
    const index = SYSTEM_REGISTERS.indexOf(register);
    const [lowBefore = 0, highBefore = 0] = this.systemWords(register);
    return this.change(
      { kind: 'system', index, low, high },
      { kind: 'system', index, low: lowBefore, high: highBefore },
    );
  }

  readInstruction(address: Address): number | undefined {
    return this.line.machine.memory.readWord(address);
  }

  readMemory(address: Address, length: number): Uint8Array | undefined {
    const region = this.line.machine.memory.regionAt(address);
    if (region === undefined) return undefined;
    const from = address - region.low;
    return region.bytes.slice(from, from + length);
  }

  writeMemory(address: Address, bytes: Uint8Array): boolean {
    const before = this.line.readMemory(address, bytes.length);
    if (before === undefined) return false;
    return this.change(
      { kind: 'memory', address, bytes: bytes.slice() },
      { kind: 'memory', address, bytes: before },
    );
  }

  private change(edit: Edit, inverse: Edit): boolean {
    const made = this.line.edit(edit).ok;
    if (made && this.line.position === 0) this.undo.push(inverse);
    return made;
  }

  run(direction: Direction, limit: number, test: StopTest): RunEnd {
    this.problem = '';
    return direction === 'forward' ? this.forward(limit, test) : this.backward(limit, test);
  }

  private forward(limit: number, test: StopTest): RunEnd {
    const { line } = this;
    const here = (): boolean => this.ask(test) !== 'go';
    if (line.isAtEnd) return 'end';
    if (here()) return 'stopped';
    let stop = limit > 1 ? line.run({ here }, { steps: limit - 1 }) : undefined;
    // The last state is not tested, because the next run begins with it.
    if (stop === undefined || stop.reason === 'limit') stop = line.step();
    switch (stop.reason) {
      case 'hit':
        return 'stopped';
      case 'moved':
      case 'limit':
      case 'start':
        return 'limit';
      case 'end':
        return 'end';
      case 'runaway':
      case 'problem':
        this.problem = stop.detail;
        return 'stuck';
    }
  }

  private backward(limit: number, test: StopTest): RunEnd {
    const { line } = this;
    if (line.position === 0) return 'end';
    const found: { answer: StopAnswer } = { answer: 'go' };
    const here = (): boolean => {
      const answer = this.ask(test);
      if (answer !== 'go') found.answer = answer;
      return answer !== 'go';
    };
    const { reason } = line.runBack({ here }, { steps: limit });
    if (reason !== 'hit') return 'limit';
    if (found.answer === 'after') line.step();
    return 'stopped';
  }

  private ask(test: StopTest): StopAnswer {
    this.testing = true;
    try {
      return test();
    } finally {
      this.testing = false;
    }
  }

  restart(): void {
    this.line.goTo(0);
    this.line.forgetFuture();
    for (const edit of this.undo.splice(0).reverse()) this.line.edit(edit);
    for (const { position, kind } of this.taken) {
      this.line.goTo(position);
      this.line.interrupt(kind);
    }
    this.line.goTo(this.home);
  }

  monitor(command: string): string {
    return this.commands.answer(command);
  }
}
