/**
 * Forced execution of a group of functions: every path that the instructions allow is followed, both
 * outcomes of each conditional branch, until each instruction has been seen in each distinct state
 * that an unwinder could tell apart. At every instruction the row in force is judged.
 *
 * It decides where control goes; what the other instructions do is up to the engine.
 */
import type { Address } from '../base/address.js';
import { Reg } from '../emulator/registers.js';
import {
  branchOffset,
  branchRegister,
  conditionHolds,
  Flow,
  flowOf,
  isJumpPad,
} from '../aarch64/control-flow.js';
import type { DataStepper } from './data-step.js';
import type { FunctionEntry, FunctionList } from './function-list.js';
import type { FunctionTrace } from './function-trace.js';
import { PathQueue } from './path-queue.js';
import type { RunTimeEdges } from './run-time-edges.js';
import { StateJudge } from './state-judge.js';
import { Tag } from './synthetic-frame.js';
import { TraceGroup } from './trace-group.js';

/** Steps allowed per instruction of a group, and at least: a bound on adversarial code. */
const STEPS_PER_INSTRUCTION = 400;
const MIN_STEPS = 20_000;

/** Executes groups of functions, one after the other. */
export class Executor {
  /** Sees every state before its instruction: `address` is in a function with this trace. */
  observer: ((trace: FunctionTrace, address: Address) => void) | undefined;
  private readonly paths: PathQueue;
  private readonly judge: StateJudge;
  private group: TraceGroup;
  private steps = 0;
  private limit = 0;
  /** The flags were set by a comparison of SP with a register: they are exact. */
  private exactFlags = false;

  constructor(
    private readonly list: FunctionList,
    private readonly edges: RunTimeEdges,
    private readonly noreturn: ReadonlySet<Address>,
    private readonly stepper: DataStepper,
  ) {
    this.paths = new PathQueue(stepper);
    this.judge = new StateJudge(list, stepper);
    this.group = this.groupOf([]);
  }

  private groupOf(entries: readonly FunctionEntry[]): TraceGroup {
    return new TraceGroup(entries, (pc) => this.stepper.fetch(pc));
  }

  /** Execute every function of a group from its start. @param seed of the poison */
  run(entries: readonly FunctionEntry[], seed = 1): FunctionTrace[] {
    this.group = this.groupOf(entries);
    this.paths.clear();
    this.steps = 0;
    this.limit = Math.max(MIN_STEPS, STEPS_PER_INSTRUCTION * this.group.instructions);
    for (const { start, size, repeat, part } of entries) {
      if (part) continue;
      const step = repeat > 0 ? repeat : size;
      for (let at = 0; at < size; at += Math.max(step, 4)) this.enter(start + at, seed);
    }
    this.landOnPads();
    return this.group.traces;
  }

  /**
   * An indirect jump whose targets could not be read can only land on a BTI j of its function. The
   * pads that nothing else reached are entered with its state, provided there is no doubt whose
   * state it is.
   */
  private landOnPads(): void {
    for (const trace of this.group.traces) {
      if (trace.unfollowed.length === 0) continue;
      const state = this.paths.unresolvedState((pc) => this.group.at(pc) === trace);
      if (state === undefined) continue;
      let landed = false;
      const { start, size } = trace.entry;
      for (let at = 0; at + 4 <= size; at += 4) {
        const word = this.stepper.fetch(start + at);
        if (word === undefined || !isJumpPad(word)) continue;
        landed = true;
        if (trace.reached[at >>> 2] === 1) continue;
        this.paths.addSaved(state, start + at);
        this.followAll();
      }
      if (landed) trace.unfollowed.length = 0;
    }
  }

  private enter(pc: Address, seed: number): void {
    const { stepper } = this;
    stepper.frame.enter(stepper.registers, seed);
    stepper.tables.reset();
    stepper.touch();
    this.follow(pc);
    this.followAll();
  }

  /** Follow the paths that wait, and those that they fork. */
  private followAll(): void {
    for (let pc = this.paths.next(); pc !== undefined; pc = this.paths.next()) this.follow(pc);
  }

  /** Follow one path from `pc`, an address that control jumped to, to its end. */
  private follow(from: Address): void {
    const { stepper, edges } = this;
    this.exactFlags = false;
    let trace = this.group.at(from);
    if (trace === undefined) return;
    trace.markLeader(from);
    for (let pc = from; ;) {
      const { entry } = trace;
      const offset = pc - entry.start;
      if (offset < 0 || offset >= entry.size) {
        const next = this.group.at(pc);
        if (next === undefined) {
          this.runOut(trace, pc);
          return;
        }
        // Falling from one function into the next one is what shared assembly does.
        trace = next;
        continue;
      }
      const slot = offset >>> 2;
      if (trace.leaders[slot] === 1 && !this.paths.visit(pc)) return;
      if (++this.steps > this.limit) {
        this.giveUp(trace, `${this.limit} steps`);
        return;
      }
      trace.reached[slot] = 1;
      this.observer?.(trace, pc);
      this.judge.judge(trace, pc);
      const word = stepper.fetch(pc);
      if (word === undefined) return;
      const extra = edges.successors.get(pc);
      if (extra !== undefined) {
        for (const target of extra) this.fork(trace, pc, target);
      }

      const flow = flowOf(word);
      if (flow === Flow.NEXT) {
        if (!this.data(trace, pc, word)) return;
        pc += 4;
        continue;
      }
      const next = this.control(trace, pc, word, flow);
      if (next === undefined) return;
      if (next !== pc + 4) {
        const target = this.targetOf(trace, pc, next);
        if (target === undefined) return;
        trace = target;
      }
      pc = next;
    }
  }

  /** Execute an instruction that does not branch. @returns whether the path goes on */
  private data(trace: FunctionTrace, pc: Address, word: number): boolean {
    const { stepper } = this;
    const { registers, frame } = stepper;
    const before = registers.get(Reg.SP);
    // CMP SP, Xm: the loops that probe a large stack end exactly when it says so.
    if ((word & 0xffe0001f) >>> 0 === 0xeb20001f) {
      this.exactFlags = ((word >>> 5) & 31) === 31;
    } else if ((word & 0x7f000000) === 0x71000000 || (word & 0x7f000000) === 0x6b000000) {
      this.exactFlags = false;
    }
    const { refused } = stepper;
    const isSpKnown = stepper.step(pc, word);
    if (stepper.refused !== refused) {
      const detail =
        'the engine does not know this instruction: what it writes is taken as unknown';
      trace.remark({ kind: 'unknown-instruction', pc, detail, word });
    }
    if (!isSpKnown) {
      trace.lostSp++;
      const detail = 'SP is not known after this instruction: the path ends';
      trace.remark({ kind: 'sp-lost', pc, detail });
      return false;
    }
    const sp = registers.get(Reg.SP);
    if (sp > before && frame.holds(sp, 0)) frame.dropBelow(sp);
    return true;
  }

  /** Carry out a control transfer. @returns where this path goes on, or undefined at its end */
  private control(
    trace: FunctionTrace,
    pc: Address,
    word: number,
    flow: number,
  ): Address | undefined {
    const { stepper } = this;
    switch (flow) {
      case Flow.JUMP:
        return pc + branchOffset(word);
      case Flow.CONDITIONAL:
        return this.conditional(trace, pc, word);
      case Flow.CALL:
        return this.call(trace, pc, pc + branchOffset(word));
      case Flow.CALL_REGISTER: {
        const target = stepper.registers.get(branchRegister(word));
        // An unknown value may be the address of a function of the file, but of no other.
        if (this.list.program.imports.has(target)) return this.call(trace, pc, target);
        this.stepOverCall(pc);
        return pc + 4;
      }
      case Flow.JUMP_REGISTER:
        this.jumpThroughRegister(trace, pc, word);
        return undefined;
      case Flow.RETURN:
      case Flow.RETURN_AUTH:
        this.judge.judgeReturn(trace, pc, word, flow);
        return undefined;
      case Flow.RETURN_AUTH_PC: {
        const detail = 'how this return is authenticated is not modelled: it is not judged';
        trace.remark({ kind: 'unknown-instruction', pc, detail, word });
        return undefined;
      }
      case Flow.BREAK:
        if (this.edges.warnings.has(pc)) return pc + 4;
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

  private conditional(trace: FunctionTrace, pc: Address, word: number): Address {
    const { stepper } = this;
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
    this.fork(trace, pc, target);
    return pc + 4;
  }

  private call(trace: FunctionTrace, pc: Address, target: Address): Address | undefined {
    if (this.noreturn.has(target)) {
      trace.endsNoreturn(pc);
      this.judge.judgeNoreturnCall(trace, pc);
      return undefined;
    }
    // BL to the next instruction reads the PC: no call.
    if (target === pc + 4) this.stepper.setLink(pc + 4);
    else this.stepOverCall(pc);
    return pc + 4;
  }

  /** A call: the callee keeps x19..x29 and SP, and returns with x30 as the call left it. */
  private stepOverCall(pc: Address): void {
    for (let i = 0; i <= 18; i++) this.stepper.poison(i);
    this.stepper.tables.reset();
    this.stepper.setLink(pc + 4);
  }

  private jumpThroughRegister(trace: FunctionTrace, pc: Address, word: number): void {
    const { stepper } = this;
    const register = branchRegister(word);
    const isTarget = (address: Address): boolean =>
      address % 4 === 0 && this.group.at(address) !== undefined;
    const targets = stepper.tables.targets(register, stepper.readMemory, isTarget);
    if (targets !== undefined) {
      for (const target of targets) this.fork(trace, pc, target);
      return;
    }
    const direct = stepper.registers.get(register);
    if (isTarget(direct)) {
      this.fork(trace, pc, direct);
      return;
    }
    if (stepper.frame.registerTag(stepper.registers, register) === Tag.RA) {
      this.judge.judgeReturn(trace, pc, word, Flow.RETURN);
      return;
    }
    if (this.judge.isAsAtEntry()) return;
    trace.unfollowed.push(pc);
    this.paths.keepUnresolved(pc);
  }

  /** A path that is to be followed later, unless its state has been seen there. */
  private fork(trace: FunctionTrace, pc: Address, target: Address): void {
    if (this.targetOf(trace, pc, target) === undefined) return;
    if (!this.paths.add(target)) this.giveUp(trace, 'too many paths wait with large stacks');
  }

  private giveUp(trace: FunctionTrace, why: string): void {
    trace.limited = true;
    const detail = `not all paths were followed: ${why}`;
    trace.remark({ kind: 'step-limit', pc: trace.entry.start, detail });
  }

  /**
   * The trace that a jump goes on in. Undefined when it leaves for a function that is entered there:
   * that one is followed from its own start.
   */
  private targetOf(trace: FunctionTrace, pc: Address, target: Address): FunctionTrace | undefined {
    const to = this.group.at(target);
    if (to === undefined || (to !== trace && target === to.entry.start && !to.entry.part)) {
      this.leave(trace, pc, target);
      return undefined;
    }
    to.markLeader(target);
    return to;
  }

  /** Control leaves for another function: everything must be as that function's caller left it. */
  private leave(trace: FunctionTrace, pc: Address, target: Address): void {
    if (this.noreturn.has(target)) {
      trace.endsNoreturn(pc);
      return;
    }
    const other = this.list.at(target);
    if (other?.start === target) this.judge.judgeTailCall(trace, pc, true);
    else if (other !== undefined) return;
    else if (this.list.beginsFunction(target)) this.judge.judgeTailCall(trace, pc, false);
    else this.judge.judgeRowless(trace, pc, target);
  }

  /** A path runs past the end of its function to `pc`. */
  private runOut(trace: FunctionTrace, pc: Address): void {
    const last = pc - 4;
    const flow = flowOf(this.stepper.fetch(last) ?? 0);
    // A jump comes here when it is to the next instruction.
    const goesOn = flow === Flow.NEXT || flow === Flow.CONDITIONAL || flow === Flow.JUMP;
    const isCall = flow === Flow.CALL || flow === Flow.CALL_REGISTER;
    if (goesOn || (isCall && this.list.sameFunction(last, pc))) {
      this.leave(trace, last, pc);
      return;
    }
    // Compilers end a function with a call only where they know that it never returns.
    if (isCall) this.judge.judgeNoreturnCall(trace, last);
    trace.endsNoreturn(last);
  }
}
