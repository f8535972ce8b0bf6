/** The whole state of a machine that runs a scenario: to copy, restore, hash and edit. */
import { createHash } from 'node:crypto';
import { Permission } from '../emulator/engine.js';
import { SYSTEM_REGISTERS } from '../emulator/registers.js';
import { type CpuState, readCpuState, writeCpuState } from '../emulator/snapshot.js';
import type { InterruptibleCpu, InterruptibleCpuState } from '../kernel-model/interruptible-cpu.js';
import type { Machine } from '../kernel-model/machine.js';
import type { Edit } from './inputs.js';
import { type MemoryImage, WritableMemory } from './memory-image.js';
import type { Progress, ProgressCounts } from './progress.js';

/** A copy of the whole state, except for an open exclusive monitor, which no engine can read. */
export interface MachineImage {
  readonly cpu: CpuState;
  readonly memory: MemoryImage;
  readonly kernel: InterruptibleCpuState;
  readonly progress: ProgressCounts;
}

/** Writable memory, all registers, truth, the exceptions being handled, and the progress made. */
export class MachineState {
  readonly memory: WritableMemory;

  constructor(
    private readonly machine: Machine,
    private readonly cpu: InterruptibleCpu,
    private readonly progress: Progress,
  ) {
    this.memory = new WritableMemory(machine.memory);
  }

  /** @param base memory whose equal pages the copy shares */
  capture(base: MemoryImage | undefined): MachineImage {
    return {
      cpu: readCpuState(this.machine.stepper.engine),
      memory: this.memory.capture(base),
      kernel: this.cpu.save(),
      progress: this.progress.save(),
    };
  }

  restore({ cpu, memory, kernel, progress }: MachineImage): void {
    const { stepper } = this.machine;
    this.memory.restore(memory);
    writeCpuState(stepper.engine, cpu);
    stepper.registers.words.set(cpu.registers);
    this.cpu.restore(kernel);
    this.progress.restore(progress);
  }

  /** Why an edit cannot be made, in one line; undefined when it can. */
  refuses(edit: Edit): string | undefined {
    if (edit.kind !== 'memory') return undefined;
    const region = this.machine.memory.regionAt(edit.address);
    const end = edit.address + edit.bytes.length;
    if (region === undefined || end > region.high) return 'no memory there';
    return (region.permissions & Permission.WRITE) === 0 ? 'that memory is read-only' : undefined;
  }

  /** Make an edit. */
  apply(edit: Edit): void {
    const { stepper, memory } = this.machine;
    switch (edit.kind) {
      case 'memory':
        memory.writeBytes(edit.address, edit.bytes);
        break;
      case 'register':
        stepper.readAll();
        stepper.registers.words[2 * edit.index] = edit.low;
        stepper.registers.words[2 * edit.index + 1] = edit.high;
        stepper.writeBack();
        break;
      case 'vector':
        stepper.engine.writeVector(edit.index, edit.bytes);
        break;
      case 'system': {
        const words = new Uint32Array(2 * SYSTEM_REGISTERS.length);
        stepper.engine.readSystem(words);
        words[2 * edit.index] = edit.low;
        words[2 * edit.index + 1] = edit.high;
        stepper.engine.writeSystem(words);
        break;
      }
    }
  }

  /** A hash of the whole state. */
  fingerprint(): string {
    const hash = createHash('sha256');
    const { registers, vectors, system } = readCpuState(this.machine.stepper.engine);
    hash.update(registers).update(vectors).update(system);
    for (const bytes of this.memory.bytes()) hash.update(bytes);
    const { scenario, taken } = this.cpu.save();
    const tasks = [...scenario.truth.stacks].sort((a, b) => a.task - b.task);
    hash.update(JSON.stringify([scenario.truth.currentTask, scenario.depths, scenario.addresses]));
    for (const { task, addresses, sps, kinds } of tasks) {
      hash.update(`${task} ${addresses.length}`).update(addresses).update(sps).update(kinds);
    }
    for (const { kind, depth, interrupted } of taken) {
      hash.update(`${kind} ${depth}`).update(interrupted);
    }
    return hash.update(JSON.stringify(this.progress.save())).digest('hex');
  }
}
