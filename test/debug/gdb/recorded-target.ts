/**
 * A reversible machine for tests of the protocol: a bare CPU of which every state is kept whole. Slow
 * and simple where the debugger's timeline is neither.
 */
import type { Address } from '../../../base/address.js';
import { RegisterSet } from '../../../emulator/engine.js';
import type { Direction, GdbTarget, RunEnd, StopTest } from '../../../debug/gdb/target.js';
import {
  type RegisterFile,
  SYSTEM_REGISTERS,
  type SystemRegister,
} from '../../../emulator/registers.js';
import { restoreSnapshot, type Snapshot, takeSnapshot } from '../../../emulator/snapshot.js';
import { StepStatus } from '../../../emulator/stepping-cpu.js';
import { bareCpu, type BareCpu } from '../../cpu-fixture.js';

/** Instructions before a run asks to be continued. */
const AT_ONCE = 100;

export class RecordedTarget implements GdbTarget {
  readonly machine: BareCpu;
  problem = '';
  /** Instructions executed since the start. */
  position = 0;
  private readonly states: Snapshot[] = [];
  private readonly first: Snapshot;

  /** @param end the position after which there is nothing further */
  constructor(
    code: Parameters<typeof bareCpu>[0],
    readonly end = 1000,
  ) {
    this.machine = bareCpu(code);
    this.machine.cpu.readAll();
    this.first = this.take();
  }

  get registers(): RegisterFile {
    return this.machine.cpu.registers;
  }

  private take(): Snapshot {
    return takeSnapshot(this.machine.cpu.engine, this.machine.memory);
  }

  private restore(snapshot: Snapshot): void {
    restoreSnapshot(this.machine.cpu.engine, snapshot);
    this.machine.cpu.readAll();
  }

  writeRegister(index: number, low: number, high: number): boolean {
    this.registers.words[2 * index] = low;
    this.registers.words[2 * index + 1] = high;
    this.machine.cpu.writeBack();
    return true;
  }

  readVector(index: number, into: Uint8Array): void {
    this.machine.cpu.engine.readVector(index, into);
  }

  writeVector(index: number, from: Uint8Array): boolean {
    this.machine.cpu.engine.writeVector(index, from);
    return true;
  }

  readSystem(register: SystemRegister, into: Uint32Array): void {
    const words = new Uint32Array(2 * SYSTEM_REGISTERS.length);
    this.machine.cpu.engine.readSystem(words);
    const at = 2 * SYSTEM_REGISTERS.indexOf(register);
    into.set(words.subarray(at, at + 2));
  }

  writeSystem(register: SystemRegister, low: number, high: number): boolean {
    if (register === 'vbar_el1') return false;
    const words = new Uint32Array(2 * SYSTEM_REGISTERS.length);
    this.machine.cpu.engine.readSystem(words);
    words.set([low, high], 2 * SYSTEM_REGISTERS.indexOf(register));
    this.machine.cpu.engine.writeSystem(words);
    return true;
  }

  readInstruction(address: Address): number | undefined {
    return this.machine.memory.readWord(address);
  }

  readMemory(address: Address, length: number): Uint8Array | undefined {
    const region = this.machine.memory.regionAt(address);
    return region?.bytes.slice(address - region.low, address - region.low + length);
  }

  writeMemory(address: Address, bytes: Uint8Array): boolean {
    return this.machine.memory.writeBytes(address, bytes);
  }

  run(direction: Direction, limit: number, test: StopTest): RunEnd {
    for (let i = 0; i < Math.min(limit, AT_ONCE); i++) {
      const end = direction === 'forward' ? this.forward(test) : this.backward(test);
      if (end !== undefined) return end;
    }
    return 'limit';
  }

  private forward(test: StopTest): RunEnd | undefined {
    const { cpu } = this.machine;
    if (this.position >= this.end) return 'end';
    if (test() !== 'go') return 'stopped';
    const before = this.take();
    const status = cpu.step();
    if (status !== StepStatus.DONE) {
      this.problem = cpu.describe(status);
      this.restore(before);
      return 'stuck';
    }
    cpu.engine.read(cpu.registers, RegisterSet.ALL);
    this.states[this.position++] = before;
    return undefined;
  }

  private backward(test: StopTest): RunEnd | undefined {
    const before = this.states[this.position - 1];
    if (before === undefined || this.position === 0) return 'end';
    const present = this.take();
    this.restore(before);
    const answer = test();
    if (answer === 'after') {
      this.restore(present);
      return 'stopped';
    }
    this.position--;
    return answer === 'here' ? 'stopped' : undefined;
  }

  restart(): void {
    this.restore(this.first);
    this.position = 0;
  }

  monitor(command: string): string {
    return command === 'long' ? 'line\n'.repeat(2000) : `you said ${command}\n`;
  }
}
