/** The CPU of the stand-in that executes nothing. */
import { expect } from 'vitest';
import { UC_REG } from '../../emulator/unicorn-constants.js';
import type { StandInCpu, WasmMemory } from './wasm-stand-in.js';

/** Records every call, and has one register file for all engines. */
export class RecordingCpu implements StandInCpu {
  readonly calls: unknown[][] = [];
  readonly registers = new Map<number, readonly [number, number]>();
  /** Done once, in the next call that executes. */
  duringStart: () => unknown = () => undefined;
  mapStatus = 0;
  private memory: WasmMemory | undefined;
  private opened = 0;

  open(memory: WasmMemory): number {
    this.memory = memory;
    return 0x100 + this.opened++;
  }

  close(uc: number): number {
    this.calls.push(['close', uc]);
    return 0;
  }

  map(...call: Parameters<StandInCpu['map']>): number {
    this.calls.push(['map', ...call]);
    return this.mapStatus;
  }

  start(...call: Parameters<StandInCpu['start']>): number {
    this.calls.push(['start', ...call]);
    this.duringStart();
    return 0;
  }

  readRegister(_uc: number, register: number, at: number): number {
    const view = this.view(register, at);
    const [low, high] = this.registers.get(register) ?? [0, 0];
    view.setUint32(0, low, true);
    // Unicorn has 32 bits of PSTATE.
    if (register !== UC_REG.PSTATE) view.setUint32(4, high, true);
    return 0;
  }

  writeRegister(_uc: number, register: number, at: number): number {
    const view = this.view(register, at);
    this.registers.set(register, [view.getUint32(0, true), view.getUint32(4, true)]);
    return 0;
  }

  /** Where the value lies: for a coprocessor register, behind its encoding. */
  private view(register: number, at: number): DataView {
    const { buffer } = this.memory as WasmMemory;
    if (register !== UC_REG.CP_REG) return new DataView(buffer, at, 8);
    // struct uc_arm64_cp_reg of SPSR_EL1: crn 4, crm 0, op0 3, op1 0, op2 0.
    expect([...new Uint32Array(buffer, at, 5)]).toEqual([4, 0, 3, 0, 0]);
    return new DataView(buffer, at + 24, 8);
  }
}
