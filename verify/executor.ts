/**
 * Forced execution of a group of functions. Every path that the instructions allow is followed, with
 * both outcomes of each conditional branch, until each instruction has been seen in every state that
 * an unwinder could tell apart. At every instruction the row in force is judged.
 *
 * The executor keeps track of the paths. control-step.ts carries out branches and calls, data-step.ts
 * all other instructions.
 */
import type { Address } from '../base/address.js';
import { Reg } from '../emulator/registers.js';
import { Flow, flowOf, isJumpPad } from '../aarch64/control-flow.js';
import { ControlStepper } from './control-step.js';
import type { DataStepper } from './data-step.js';
import type { FunctionEntry, FunctionList } from './function-list.js';
import type { FunctionTrace } from './function-trace.js';
import { PathQueue } from './path-queue.js';
import type { RunTimeEdges } from './run-time-edges.js';
import { StateJudge } from './state-judge.js';
import { TraceGroup } from './trace-group.js';

/** Steps allowed per instruction of a group, and for any group: a bound on adversarial code. */
const STEPS_PER_INSTRUCTION = 400;
const MIN_STEPS = 20_000;

/** Executes groups of functions, one group at a time. */
export class Executor {
  /** Called before every executed instruction, whose address is in the function of the trace. */
  observer: ((trace: FunctionTrace, address: Address) => void) | undefined;
  private readonly paths: PathQueue;
  private readonly judge: StateJudge;
  private readonly control: ControlStepper;
  private group: TraceGroup;
  private steps = 0;
  private limit = 0;

  constructor(
    private readonly list: FunctionList,
    private readonly edges: RunTimeEdges,
    private readonly noreturn: ReadonlySet<Address>,
    private readonly stepper: DataStepper,
  ) {
    this.paths = new PathQueue(stepper);
    this.judge = new StateJudge(list, stepper);
    const isInGroup = (pc: Address): boolean => this.group.at(pc) !== undefined;
    this.control = new ControlStepper(
      { list, edges, noreturn, stepper, judge: this.judge, paths: this.paths },
      isInGroup,
    );
    this.group = this.groupOf([]);
  }

  private groupOf(entries: readonly FunctionEntry[]): TraceGroup {
    return new TraceGroup(entries, (pc) => this.stepper.fetch(pc));
  }

  /** Execute every function of a group from its start. @param seed for unknown values */
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
   * An indirect jump whose targets could not be read can only land on a BTI j of its function. So enter
   * the pads that nothing else reached with the state of the jump, unless several jumps have different
   * states.
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

  /** Follow the pending paths, and those that they fork. */
  private followAll(): void {
    for (let pc = this.paths.next(); pc !== undefined; pc = this.paths.next()) this.follow(pc);
  }

  /** Follow one path to its end. @param from where control jumped to */
  private follow(from: Address): void {
    const { stepper, edges } = this;
    this.control.reset();
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
        // Hand-written assembly may fall through from one function into the next.
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
      const next = this.control.step(trace, pc, word, flow);
      for (const target of this.control.forks) this.fork(trace, pc, target);
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
    this.control.before(word);
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

  /** Queue a path to be followed later, unless its state has been seen at the target. */
  private fork(trace: FunctionTrace, pc: Address, target: Address): void {
    if (this.targetOf(trace, pc, target) === undefined) return;
    if (!this.paths.add(target)) this.giveUp(trace, 'too many paths with large stacks are pending');
  }

  private giveUp(trace: FunctionTrace, why: string): void {
    trace.limited = true;
    const detail = `not all paths were followed: ${why}`;
    trace.remark({ kind: 'step-limit', pc: trace.entry.start, detail });
  }

  /**
   * The trace in which a jump goes on. Undefined for a jump to the start of another function, which is
   * executed by itself, and for a jump out of the group.
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

  /** Control leaves for another function, which has to find everything as it was at entry. */
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

  /** A path has run past the end of its function, to `pc`. */
  private runOut(trace: FunctionTrace, pc: Address): void {
    const last = pc - 4;
    const flow = flowOf(this.stepper.fetch(last) ?? 0);
    // A jump gets here if its target is the next instruction.
    const goesOn = flow === Flow.NEXT || flow === Flow.CONDITIONAL || flow === Flow.JUMP;
    const isCall = flow === Flow.CALL || flow === Flow.CALL_REGISTER;
    if (goesOn || (isCall && this.list.sameFunction(last, pc))) {
      this.leave(trace, last, pc);
      return;
    }
    // A compiler ends a function with a call only if it knows that the call never returns.
    if (isCall) this.judge.judgeNoreturnCall(trace, last);
    trace.endsNoreturn(last);
  }
}
