/**
 * Forced execution of a group of functions: every path that the instructions allow is followed, both
 * outcomes of each conditional branch, until each instruction has been seen in each distinct state
 * that an unwinder could tell apart. At every instruction the row in force is judged.
 *
 * It decides where control goes; what the other instructions do is up to the engine.
 */
import type { Address } from '../emulator/address.js';
import { executeReturnAuth, PauthOutcome } from '../emulator/pointer-auth.js';
import { Reg } from '../emulator/registers.js';
import { formatRule } from '../unwinder/rule-text.js';
import { RecoverKind, ruleAt } from '../unwinder/unwind-rule.js';
import {
  branchOffset,
  branchRegister,
  conditionHolds,
  Flow,
  flowOf,
  isJumpPad,
} from './control-flow.js';
import type { DataStepper } from './data-step.js';
import type { FunctionEntry, FunctionList } from './function-list.js';
import { type PathState, restorePath, savePath, unwindKey } from './path-state.js';
import { judgeRow } from './row-judge.js';
import type { RunTimeEdges } from './run-time-edges.js';
import { Tag } from './synthetic-frame.js';
import { FunctionTrace } from './function-trace.js';

/** Steps allowed per instruction of a group, and at least: a bound on adversarial code. */
const STEPS_PER_INSTRUCTION = 400;
const LEAST_STEPS = 20_000;
/** States kept at indirect jumps of a group. */
const MAX_UNRESOLVED = 64;

/** Executes groups of functions, one after the other. */
export class Executor {
  private readonly pending: PathState[] = [];
  /** States at indirect jumps whose targets could not be read. */
  private readonly unresolved: PathState[] = [];
  private seen = new Set<number>();
  private traces: FunctionTrace[] = [];
  private steps = 0;
  private limit = 0;
  /** Sees every state before its instruction: `address` is in a function with this trace. */
  observer: ((trace: FunctionTrace, address: Address) => void) | undefined;
  /** The flags were set by a comparison of SP with a register: they are exact. */
  private exactFlags = false;

  constructor(
    private readonly list: FunctionList,
    private readonly edges: RunTimeEdges,
    private readonly noreturn: ReadonlySet<Address>,
    private readonly stepper: DataStepper,
  ) {}

  /** Execute every function of a group from its start. @param seed of the poison */
  run(group: readonly FunctionEntry[], seed = 1): FunctionTrace[] {
    this.traces = group.map((entry) => new FunctionTrace(entry));
    this.seen = new Set();
    this.unresolved.length = 0;
    this.steps = 0;
    const instructions = group.reduce((sum, { size }) => sum + (size >>> 2), 0);
    this.limit = Math.max(LEAST_STEPS, STEPS_PER_INSTRUCTION * instructions);
    for (const trace of this.traces) {
      if (trace.entry.size < 4) continue;
      this.findLeaders(trace);
    }
    for (const { entry } of this.traces) {
      if (entry.part) continue;
      const step = entry.repeat > 0 ? entry.repeat : entry.size;
      for (let at = 0; at < entry.size; at += Math.max(step, 4)) this.enter(entry.start + at, seed);
    }
    this.landOnPads();
    return this.traces;
  }

  /**
   * An indirect jump whose targets could not be read can only land on a BTI j of its function. The
   * pads that nothing else reached are entered with its state, provided there is no doubt whose
   * state it is.
   */
  private landOnPads(): void {
    for (const trace of this.traces) {
      if (trace.unfollowed.length === 0) continue;
      const [first, ...others] = this.unresolved.filter(({ pc }) => this.traceAt(pc) === trace);
      if (first === undefined) continue;
      const key = this.keyOf(first);
      if (others.some((other) => this.keyOf(other) !== key)) continue;
      let landed = false;
      const { start, size } = trace.entry;
      for (let at = 0; at + 4 <= size; at += 4) {
        const word = this.stepper.fetch(start + at);
        if (word === undefined || !isJumpPad(word)) continue;
        landed = true;
        if (trace.reached[at >>> 2] === 1) continue;
        this.pending.push({ ...first, pc: start + at });
        this.followPending();
      }
      if (landed) trace.unfollowed.length = 0;
    }
  }

  /** What an unwinder could tell a saved state by, wherever it is. */
  private keyOf(path: PathState): number {
    const { registers, frame, tables } = this.stepper;
    restorePath(path, registers, frame, tables.bounds);
    return unwindKey(0, registers, frame);
  }

  /** Targets of direct branches: where two paths can meet. */
  private findLeaders(trace: FunctionTrace): void {
    const { start, size } = trace.entry;
    for (let at = 0; at + 4 <= size; at += 4) {
      const word = this.stepper.fetch(start + at);
      if (word === undefined) return;
      const flow = flowOf(word);
      if (flow === Flow.JUMP || flow === Flow.CONDITIONAL) {
        const target = start + at + branchOffset(word);
        this.traceAt(target)?.markLeader(target);
      }
    }
  }

  private traceAt(pc: Address): FunctionTrace | undefined {
    for (const trace of this.traces) {
      const offset = pc - trace.entry.start;
      if (offset >= 0 && offset < trace.entry.size) return trace;
    }
    return undefined;
  }

  private enter(pc: Address, seed: number): void {
    const { stepper } = this;
    stepper.frame.enter(stepper.registers, seed);
    stepper.tables.reset();
    stepper.touch();
    this.follow(pc);
    this.followPending();
  }

  private followPending(): void {
    const { stepper } = this;
    for (let path = this.pending.pop(); path !== undefined; path = this.pending.pop()) {
      restorePath(path, stepper.registers, stepper.frame, stepper.tables.bounds);
      stepper.tables.forgetTable();
      stepper.touch();
      this.exactFlags = false;
      this.follow(path.pc);
    }
  }

  /** Follow one path from `pc`, an address that control jumped to, to its end. */
  private follow(from: Address): void {
    const { stepper, edges } = this;
    const { registers, frame } = stepper;
    let trace = this.traceAt(from);
    if (trace === undefined) return;
    trace.markLeader(from);
    for (let pc = from; ;) {
      const { entry } = trace;
      const offset = pc - entry.start;
      if (offset < 0 || offset >= entry.size) {
        const next = this.traceAt(pc);
        if (next === undefined) {
          trace.endOutside(pc);
          return;
        }
        // Falling from one function into the next one is what shared assembly does.
        trace = next;
        continue;
      }
      const slot = offset >>> 2;
      if (trace.leaders[slot] === 1) {
        const key = unwindKey(pc, registers, frame);
        if (this.seen.has(key)) return;
        this.seen.add(key);
      }
      if (++this.steps > this.limit) {
        trace.limited = true;
        trace.remark('step-limit', entry.start, `not all paths were followed: ${this.limit} steps`);
        return;
      }
      trace.reached[slot] = 1;
      this.judge(trace, pc, slot);
      const word = stepper.fetch(pc);
      if (word === undefined) return;
      const extra = edges.successors.get(pc);
      if (extra !== undefined) {
        for (const target of extra) this.fork(trace, pc, target);
      }

      const flow = flowOf(word);
      if (flow === Flow.NEXT) {
        const before = registers.get(Reg.SP);
        // CMP SP, Xm: the loops that probe a large stack end exactly when it says so.
        if ((word & 0xffe0001f) >>> 0 === 0xeb20001f) {
          this.exactFlags = ((word >>> 5) & 31) === 31;
        } else if ((word & 0x7f000000) === 0x71000000 || (word & 0x7f000000) === 0x6b000000) {
          this.exactFlags = false;
        }
        if (!stepper.step(pc, word)) {
          trace.lostSp++;
          trace.remark('sp-lost', pc, 'SP is not known after this instruction: the path ends');
          return;
        }
        const sp = registers.get(Reg.SP);
        if (sp > before && frame.holds(sp, 0)) frame.dropBelow(sp);
        pc += 4;
        continue;
      }
      const next = this.control(trace, pc, word, flow);
      if (next === undefined) return;
      if (next !== pc + 4) {
        const target = this.traceAt(next);
        if (target === undefined) {
          this.leave(trace, pc, next);
          return;
        }
        if (target !== trace && next === target.entry.start && !target.entry.part) {
          this.leave(trace, pc, next);
          return;
        }
        target.markLeader(next);
        trace = target;
      }
      pc = next;
    }
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
      case Flow.CONDITIONAL: {
        const isCondition = word >>> 25 === 0x2a;
        if (isCondition) stepper.tables.condition(word & 15);
        const target = pc + branchOffset(word);
        if (isCondition && (word & 14) === 14) return target;
        if (isCondition && this.exactFlags) {
          const pstate = stepper.registers.words[2 * Reg.PSTATE] as number;
          return conditionHolds(word & 15, pstate) ? target : pc + 4;
        }
        this.fork(trace, pc, target);
        return pc + 4;
      }
      case Flow.CALL: {
        const target = pc + branchOffset(word);
        if (this.noreturn.has(target)) {
          trace.endsNoreturn(pc);
          this.remarkReturnAddress(trace, pc);
          return undefined;
        }
        if (target === pc + 4) {
          // BL to the next instruction reads the PC: no call.
          this.setLink(pc + 4);
          return pc + 4;
        }
        this.stepOverCall(pc);
        return pc + 4;
      }
      case Flow.CALL_REGISTER:
        this.stepOverCall(pc);
        return pc + 4;
      case Flow.JUMP_REGISTER:
        this.jumpThroughRegister(trace, pc, word);
        return undefined;
      case Flow.RETURN:
      case Flow.RETURN_AUTH:
        this.judgeReturn(trace, pc, word, flow);
        return undefined;
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

  /**
   * A call that does not return still leaves a return address, and an unwinder that looks that up
   * gets whatever row comes next: of another block, or of another function.
   */
  private remarkReturnAddress(trace: FunctionTrace, pc: Address): void {
    const { registers, frame } = this.stepper;
    const next = pc + 4;
    const entry = this.list.at(next);
    const where = entry === undefined || entry === trace.entry ? undefined : entry.name;
    const rows = entry === trace.entry ? trace : entry && new FunctionTrace(entry);
    const rule = rows === undefined ? -1 : rows.ruleAt(next);
    if (rule >= 0 && where === undefined) {
      const link = registers.get(Reg.X30);
      this.setLink(next);
      const wrong = judgeRow(trace.entry.table.rules, rule, registers, frame);
      this.setLink(link);
      if (wrong === 0) return;
    }
    const what =
      where !== undefined
        ? `is in ${where}`
        : rule < 0
          ? 'has no row'
          : 'has a row that is not true of the call';
    trace.remark(
      'after-noreturn-call',
      pc,
      `the return address of a call that never returns ${what}`,
    );
  }

  /** A path that is to be followed later, unless its state has been seen there. */
  private fork(trace: FunctionTrace, pc: Address, target: Address): void {
    const { registers, frame, tables } = this.stepper;
    const to = this.traceAt(target);
    if (to === undefined || (to !== trace && target === to.entry.start && !to.entry.part)) {
      this.leave(trace, pc, target);
      return;
    }
    to.markLeader(target);
    if (this.seen.has(unwindKey(target, registers, frame))) return;
    this.pending.push(savePath(target, registers, frame, tables.bounds));
  }

  /** A call: the callee keeps x19..x29 and SP, and returns with x30 as the call left it. */
  private stepOverCall(pc: Address): void {
    for (let i = 0; i <= 18; i++) this.stepper.poison(i);
    this.stepper.tables.reset();
    this.setLink(pc + 4);
  }

  private setLink(value: Address): void {
    this.stepper.registers.set(Reg.X30, value);
    this.stepper.touch();
  }

  private jumpThroughRegister(trace: FunctionTrace, pc: Address, word: number): void {
    const { stepper } = this;
    const register = branchRegister(word);
    const targets = stepper.tables.targets(
      register,
      stepper.readMemory,
      (address) => address % 4 === 0 && this.traceAt(address) !== undefined,
    );
    if (targets !== undefined) {
      for (const target of targets) this.fork(trace, pc, target);
      return;
    }
    const direct = stepper.registers.get(register);
    if (this.traceAt(direct) !== undefined && direct % 4 === 0) {
      this.fork(trace, pc, direct);
      return;
    }
    if (stepper.frame.registerTag(stepper.registers, register) === Tag.RA) {
      this.judgeReturn(trace, pc, word, Flow.RETURN);
      return;
    }
    if (this.isAsAtEntry()) return;
    trace.unfollowed.push(pc);
    if (this.unresolved.length < MAX_UNRESOLVED) {
      const { registers, frame, tables } = stepper;
      this.unresolved.push(savePath(pc, registers, frame, tables.bounds));
    }
  }

  /** Control leaves for another function: everything must be as that function's caller left it. */
  private leave(trace: FunctionTrace, pc: Address, target: Address): void {
    if (this.noreturn.has(target)) {
      trace.endsNoreturn(pc);
      return;
    }
    const other = this.list.at(target);
    if (other === undefined) {
      if (!this.isAsAtEntry()) trace.outside.push(pc);
      return;
    }
    if (other.start === target && !this.isAsAtEntry()) trace.addWrong(pc, 'tail-call', this.truth);
  }

  private isAsAtEntry(): boolean {
    const { registers, frame } = this.stepper;
    return (
      registers.get(Reg.SP) === frame.entrySp &&
      frame.registerTag(registers, Reg.X29) === Tag.FP &&
      frame.registerTag(registers, Reg.X30) === Tag.RA
    );
  }

  private judgeReturn(trace: FunctionTrace, pc: Address, word: number, flow: number): void {
    const { registers, frame } = this.stepper;
    let register = branchRegister(word);
    if (flow === Flow.RETURN_AUTH) {
      register = Reg.X30;
      if (executeReturnAuth(word, registers) !== PauthOutcome.DONE) {
        trace.addWrong(pc, 'return', this.truth);
        return;
      }
    }
    trace.returns++;
    const rule = trace.ruleAt(pc);
    if (rule >= 0 && trace.entry.table.rules.raKind[rule] === RecoverKind.UNDEFINED) {
      trace.addWrong(pc, 'outermost-returns', this.truth);
      return;
    }
    const isReturn =
      frame.registerTag(registers, register) === Tag.RA &&
      registers.get(Reg.SP) === frame.entrySp &&
      frame.registerTag(registers, Reg.X29) === Tag.FP;
    if (!isReturn) trace.addWrong(pc, 'return', this.truth);
  }

  private judge(trace: FunctionTrace, pc: Address, slot: number): void {
    const { registers, frame } = this.stepper;
    this.observer?.(trace, pc);
    const row = trace.rowAt[slot] as number;
    const rule = trace.ruleOfRow(row);
    if (rule < 0) {
      trace.noRow(pc);
      return;
    }
    const wrong = judgeRow(trace.entry.table.rules, rule, registers, frame);
    if (row >= 0) trace.rowSeen[row] = 1;
    const odd = this.compareDwarf(trace, pc, slot, wrong);
    if (wrong !== 0) trace.addWrongRow(pc, row, wrong, () => this.truth() + odd);
    const sp = registers.get(Reg.SP);
    if (sp % 16 !== 0 && frame.holds(sp, 0)) trace.misaligned(pc);
  }

  /**
   * Judge DWARF's rule in the same state: of SFrame, DWARF and execution one may be the odd one out.
   * @returns what that says about a wrong row
   */
  private compareDwarf(trace: FunctionTrace, pc: Address, slot: number, wrong: number): string {
    const { dwarf } = trace;
    const rule = dwarf?.ruleAt[slot] ?? -1;
    if (dwarf === undefined || rule < 0) return '';
    trace.compared[slot] = 1;
    const { registers, frame } = this.stepper;
    const wrongDwarf = judgeRow(dwarf.rules, rule, registers, frame);
    if (wrong === 0) {
      if (wrongDwarf !== 0) {
        const text = formatRule(ruleAt(dwarf.rules, rule));
        trace.addWrongDwarf(pc, () => `DWARF says ${text}; ${this.truth()}`);
      }
      return '';
    }
    return wrongDwarf === 0
      ? '; DWARF is right here, SFrame is the odd one out'
      : '; DWARF is wrong as well, execution is the odd one out';
  }

  /** The state in the words of a report: only for findings. */
  private readonly truth = (): string => {
    const { registers, frame } = this.stepper;
    const sp = registers.get(Reg.SP);
    const cfa = frame.holds(sp, 0) ? `CFA = SP+${frame.entrySp - sp}` : 'SP is on another stack';
    const places = [cfa, placeOf('RA', this.places(Tag.RA)), placeOf('FP', this.places(Tag.FP))];
    return places.join(', ');
  };

  private places(tag: number): string[] {
    const { registers, frame } = this.stepper;
    const same = (found: number): boolean =>
      tag === Tag.RA ? found === Tag.RA || found >= Tag.SIGNED : found === tag;
    const signed = (found: number): string =>
      found < Tag.SIGNED ? '' : frame.isKeyB(found) ? ' signed B' : ' signed A';
    const found: string[] = [];
    for (const i of [30, 29, ...Array.from({ length: 29 }, (_, r) => r)]) {
      const its = frame.registerTag(registers, i);
      if (same(its)) found.push(`x${i}${signed(its)}`);
    }
    for (let i = 0; i < frame.slotCount; i++) {
      const its = frame.slotTag[i] as number;
      const offset = (frame.slotAddress[i] as number) - frame.entrySp;
      if (same(its)) found.push(`*(CFA${offset < 0 ? '' : '+'}${offset})${signed(its)}`);
    }
    return found;
  }
}

function placeOf(what: string, places: readonly string[]): string {
  return places.length === 0 ? `${what} is nowhere` : `${what} in ${places.join(' and ')}`;
}
