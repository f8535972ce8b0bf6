/**
 * Resuming and stopping. A run of the target is cut into slices, so that Ctrl-C can come in
 * between. It ends with a stop reply (GDB manual, appendix E.3 "Stop Reply Packets").
 *
 * An AArch64 watchpoint traps before the access (Arm ARM D2.10). gdb relies on that: it removes the
 * watchpoints, makes one step and compares values. A run therefore stops before the instruction
 * that makes the access, and a backward run stops before it undoes that instruction.
 */
import { addressToBigInt } from '../../base/address.js';
import { Reg } from '../../emulator/registers.js';
import type { Breakpoints, WatchHit } from './breakpoints.js';
import { toHex } from './hex.js';
import { GDB_REGISTERS, PC_NUMBER, readGdbRegister } from './register-table.js';
import type { Direction, GdbTarget, RunEnd, StopAnswer } from './target.js';

/** Instructions between two checks of the connection. */
const SLICE = 20_000;

const SIGINT = 2;
const SIGILL = 4;
const SIGTRAP = 5;

/** What the client said that it understands. */
export interface ClientFeatures {
  swbreak: boolean;
  hwbreak: boolean;
}

interface Run {
  readonly direction: Direction;
  readonly single: boolean;
  /** Nothing has been executed yet, so a breakpoint at the PC has already been reported. */
  atStart: boolean;
  interrupted: boolean;
  hit: WatchHit | undefined;
}

/** The target's execution, as one client drives it. */
export class Execution {
  /** What the user should read besides the stop. Set by {@link advance}; usually empty. */
  note = '';
  private run: Run | undefined;

  constructor(
    private readonly target: GdbTarget,
    private readonly breakpoints: Breakpoints,
    private readonly features: ClientFeatures,
  ) {}

  get running(): boolean {
    return this.run !== undefined;
  }

  /**
   * Start a run; {@link advance} does the work.
   * @param single whether to run one instruction only
   */
  resume(direction: Direction, single: boolean): void {
    this.run = { direction, single, atStart: true, interrupted: false, hit: undefined };
  }

  /** Stop at the next opportunity. */
  interrupt(): void {
    if (this.run !== undefined) this.run.interrupted = true;
  }

  /** Leave the target where it is. */
  abandon(): void {
    this.run = undefined;
  }

  /** Run one slice. @returns the stop reply, or undefined when there is more to do */
  advance(): string | undefined {
    const { run } = this;
    this.note = '';
    if (run === undefined) return undefined;
    if (run.interrupted) return this.stop(SIGINT, '');
    const end = this.target.run(run.direction, run.single ? 1 : SLICE, () => this.test(run));
    run.atStart = false;
    return this.endOf(run, end);
  }

  private test(run: Run): StopAnswer {
    const { target, breakpoints } = this;
    const pc = target.registers.get(Reg.PC);
    const hit = breakpoints.watchHit(target, pc);
    const forward = run.direction === 'forward';
    if (hit !== undefined) {
      run.hit = hit;
      return forward ? 'here' : 'after';
    }
    const passed = run.single || (forward && run.atStart);
    if (forward) run.atStart = false;
    if (passed || breakpoints.breakpointAt(pc) === undefined) return 'go';
    run.hit = undefined;
    return 'here';
  }

  private endOf(run: Run, end: RunEnd): string | undefined {
    switch (end) {
      case 'limit':
        return run.single ? this.stop(SIGTRAP, this.breakpointText()) : undefined;
      case 'stopped':
        return this.stop(SIGTRAP, watchText(run.hit) ?? this.breakpointText());
      case 'end':
        return this.stop(SIGTRAP, `replaylog:${run.direction === 'forward' ? 'end' : 'begin'};`);
      case 'stuck':
        this.note = this.target.problem;
        return this.stop(SIGILL, '');
    }
  }

  private breakpointText(): string {
    const kind = this.breakpoints.breakpointAt(this.target.registers.get(Reg.PC));
    return kind !== undefined && this.features[kind] ? `${kind}:;` : '';
  }

  private stop(signal: number, why: string): string {
    this.run = undefined;
    return this.reply(signal, why);
  }

  private reply(signal: number, why: string): string {
    let expedited = '';
    for (const number of [Reg.X29, Reg.SP, PC_NUMBER]) {
      const register = GDB_REGISTERS[number];
      if (register === undefined) continue;
      expedited += `${number.toString(16)}:${toHex(readGdbRegister(this.target, register))};`;
    }
    return `T${signal.toString(16).padStart(2, '0')}${why}${expedited}thread:1;`;
  }

  /** The answer to `?`: why the target is stopped. */
  status(): string {
    return this.reply(SIGTRAP, '');
  }
}

function watchText(hit: WatchHit | undefined): string | undefined {
  return hit && `${hit.name}:${addressToBigInt(hit.address).toString(16)};`;
}
