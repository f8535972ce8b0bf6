/**
 * Carries out one control transfer: a branch, call, return or trap. It says where the path goes on and
 * which paths fork off; the executor follows them. data-step.ts does the other instructions.
 */
import type { Address } from '../base/address.js';
import { Reg } from '../emulator/registers.js';
import { branchOffset, branchRegister, conditionHolds, Flow } from '../aarch64/control-flow.js';
import type { DataStepper } from './data-step.js';
import type { FunctionList } from './function-list.js';
import type { FunctionTrace } from './function-trace.js';
import type { PathQueue } from './path-queue.js';
import type { RunTimeEdges } from './run-time-edges.js';
import type { StateJudge } from './state-judge.js';
import { Tag } from './synthetic-frame.js';

/** What a control transfer depends on, and what it acts on. */
interface ControlParts {
  readonly list: FunctionList;
  readonly edges: RunTimeEdges;
  /** Start addresses of the functions that never return. */
  readonly noreturn: ReadonlySet<Address>;
  readonly stepper: DataStepper;
  readonly judge: StateJudge;
  readonly paths: PathQueue;
}

/** Carries out the control transfers of one path at a time. */
export class ControlStepper {
  /** Where the last {@link step} may go as well: targets of further paths. */
  readonly forks: Address[] = [];
  /** The flags were set by a comparison of SP with a register, so they are exact. */
  private exactFlags = false;

  /** @param isInGroup whether an address lies in a function of the group that is executed */
  constructor(
    private readonly parts: ControlParts,
    private readonly isInGroup: (pc: Address) => boolean,
  ) {}

  /** Another path begins, whose flags are unknown. */
  reset(): void {
    this.exactFlags = false;
  }

  /** See an instruction that does not branch, before it is executed: it may set the flags. */
  before(word: number): void {
    // CMP SP, Xm: a loop that probes a large stack ends exactly when this comparison says so.
    if ((word & 0xffe0001f) >>> 0 === 0xeb20001f) {
      this.exactFlags = ((word >>> 5) & 31) === 31;
    } else if ((word & 0x7f000000) === 0x71000000 || (word & 0x7f000000) === 0x6b000000) {
      this.exactFlags = false;
    }
  }

  /**
   * Carry out a control transfer.
   * @param flow what `word` does to control; not `NEXT`
   * @returns where this path goes on, or undefined where it ends
   */
  step(trace: FunctionTrace, pc: Address, word: number, flow: number): Address | undefined {
    const { list, edges, stepper, judge } = this.parts;
    this.forks.length = 0;
    switch (flow) {
      case Flow.JUMP:
        return pc + branchOffset(word);
      case Flow.CONDITIONAL:
        return this.conditional(pc, word);
      case Flow.CALL:
        return this.call(trace, pc, pc + branchOffset(word));
      case Flow.CALL_REGISTER: {
        const target = stepper.registers.get(branchRegister(word));
        // An unknown value may be the address of a function of the file, but of no other.
        if (list.program.imports.has(target)) return this.call(trace, pc, target);
        this.stepOverCall(pc);
        return pc + 4;
      }
      case Flow.JUMP_REGISTER:
        this.jumpThroughRegister(trace, pc, word);
        return undefined;
      case Flow.RETURN:
      case Flow.RETURN_AUTH:
        judge.judgeReturn(trace, pc, word, flow);
        return undefined;
      case Flow.RETURN_AUTH_PC: {
        const detail = 'how this return is authenticated is not modelled: it is not judged';
        trace.remark({ kind: 'unknown-instruction', pc, detail, word });
        return undefined;
      }
      case Flow.BREAK:
        if (edges.warnings.has(pc)) return pc + 4;
        trace.endsNoreturn(pc);
        return undefined;
      case Flow.SUPERVISOR:
        for (let i = 0; i <= 17; i++) stepper.poison(i);
        return pc + 4;
      case Flow.EXCEPTION_RETURN:
        return undefined;
      default:
        trace.endsNoreturn(pc);
        return undefined;
    }
  }

  private conditional(pc: Address, word: number): Address {
    const { stepper } = this.parts;
    const target = pc + branchOffset(word);
    // B.cond and BC.cond.
    if (word >>> 25 === 0x2a) {
      const condition = word & 15;
      stepper.tables.condition(condition);
      // AL and NV: always.
      if ((condition & 14) === 14) return target;
      if (this.exactFlags) {
        const pstate = stepper.registers.words[2 * Reg.PSTATE] as number;
        return conditionHolds(condition, pstate) ? target : pc + 4;
      }
    }
    this.forks.push(target);
    return pc + 4;
  }

  private call(trace: FunctionTrace, pc: Address, target: Address): Address | undefined {
    const { noreturn, judge, stepper } = this.parts;
    if (noreturn.has(target)) {
      trace.endsNoreturn(pc);
      judge.judgeNoreturnCall(trace, pc);
      return undefined;
    }
    // BL to the next instruction reads the PC: no call.
    if (target === pc + 4) stepper.setLink(pc + 4);
    else this.stepOverCall(pc);
    return pc + 4;
  }

  /** A call: the callee keeps x19..x29 and SP, and returns with x30 as the call left it. */
  private stepOverCall(pc: Address): void {
    const { stepper } = this.parts;
    for (let i = 0; i <= 18; i++) stepper.poison(i);
    stepper.tables.reset();
    stepper.setLink(pc + 4);
  }

  private jumpThroughRegister(trace: FunctionTrace, pc: Address, word: number): void {
    const { stepper, judge, paths } = this.parts;
    const register = branchRegister(word);
    const isTarget = (address: Address): boolean => address % 4 === 0 && this.isInGroup(address);
    const targets = stepper.tables.targets(register, stepper.readMemory, isTarget);
    if (targets !== undefined) {
      this.forks.push(...targets);
      return;
    }
    const direct = stepper.registers.get(register);
    if (isTarget(direct)) {
      this.forks.push(direct);
      return;
    }
    if (stepper.frame.registerTag(stepper.registers, register) === Tag.RA) {
      judge.judgeReturn(trace, pc, word, Flow.RETURN);
      return;
    }
    if (judge.isAsAtEntry()) return;
    trace.unfollowed.push(pc);
    paths.keepUnresolved(pc);
  }
}
