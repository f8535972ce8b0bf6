/** Judges the current state: against the row in force, and where control leaves a function. */
import type { Address } from '../base/address.js';
import { executeReturnAuth, PauthOutcome } from '../emulator/pointer-auth.js';
import { Reg } from '../emulator/registers.js';
import { formatRule } from '../unwinder/rule-text.js';
import { RecoverKind, ruleAt } from '../unwinder/unwind-rule.js';
import { branchRegister, Flow } from '../aarch64/control-flow.js';
import type { DataStepper } from './data-step.js';
import { frameText } from './frame-text.js';
import type { FunctionList } from './function-list.js';
import { FunctionTrace } from './function-trace.js';
import { judgeRow } from './row-judge.js';
import { Tag } from './synthetic-frame.js';

/** Judges the registers and the stack of a {@link DataStepper}, and adds the result to a trace. */
export class StateJudge {
  constructor(
    private readonly list: FunctionList,
    private readonly stepper: DataStepper,
  ) {}

  /** Judge the row in force at an instruction, before it is executed. */
  judge(trace: FunctionTrace, pc: Address): void {
    const { registers, frame } = this.stepper;
    const slot = (pc - trace.entry.start) >>> 2;
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
   * Judge DWARF's rule in the same state. Where SFrame, DWARF and execution disagree, one may be the odd
   * one out.
   * @returns text to add to the finding about a wrong row
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

  /** Whether SP, FP and the return address are as they were at entry. @param register with the latter */
  isAsAtEntry(register: number = Reg.X30): boolean {
    const { registers, frame } = this.stepper;
    return (
      registers.get(Reg.SP) === frame.entrySp &&
      frame.registerTag(registers, Reg.X29) === Tag.FP &&
      frame.registerTag(registers, register) === Tag.RA
    );
  }

  /**
   * Judge a jump to the start of another function, which has to find the frame of this one's caller.
   * @param returns whether the other function is known to return
   */
  judgeTailCall(trace: FunctionTrace, pc: Address, returns: boolean): void {
    if (returns && this.isOutermost(trace, pc)) trace.addWrong(pc, 'outermost-returns', this.truth);
    else if (!this.isAsAtEntry()) trace.addWrong(pc, 'tail-call', this.truth);
  }

  /** Judge a jump to code that no table describes: it has to find the frame of the caller. */
  judgeRowless(trace: FunctionTrace, pc: Address, target: Address): void {
    if (this.isAsAtEntry()) return;
    const where = this.list.program.symbols.format(target);
    trace.leavesTable(pc, () => `control goes on at ${where}, which has no row: ${this.truth()}`);
  }

  private isOutermost(trace: FunctionTrace, pc: Address): boolean {
    const rule = trace.ruleAt(pc);
    return rule >= 0 && trace.entry.table.rules.raKind[rule] === RecoverKind.UNDEFINED;
  }

  /** Judge a return. @param flow RETURN, also for a BR to the return address, or RETURN_AUTH */
  judgeReturn(trace: FunctionTrace, pc: Address, word: number, flow: number): void {
    let register = branchRegister(word);
    if (flow === Flow.RETURN_AUTH) {
      register = Reg.X30;
      if (executeReturnAuth(word, this.stepper.registers) !== PauthOutcome.DONE) {
        trace.addWrong(pc, 'return', this.truth);
        return;
      }
    }
    trace.returns++;
    if (this.isOutermost(trace, pc)) {
      trace.addWrong(pc, 'outermost-returns', this.truth);
      return;
    }
    if (!this.isAsAtEntry(register)) trace.addWrong(pc, 'return', this.truth);
  }

  /**
   * Judge a call that never returns. It still leaves a return address. The row that an unwinder finds for
   * it may belong to another block, or to another function.
   */
  judgeNoreturnCall(trace: FunctionTrace, pc: Address): void {
    const { stepper } = this;
    const { registers, frame } = stepper;
    const next = pc + 4;
    const entry = this.list.at(next);
    const where = entry === undefined || entry === trace.entry ? undefined : entry.name;
    const rows = entry === trace.entry ? trace : entry && new FunctionTrace(entry);
    const rule = rows === undefined ? -1 : rows.ruleAt(next);
    if (rule >= 0 && where === undefined) {
      const link = registers.get(Reg.X30);
      stepper.setLink(next);
      const wrong = judgeRow(trace.entry.table.rules, rule, registers, frame);
      stepper.setLink(link);
      if (wrong === 0) return;
    }
    const what =
      where !== undefined
        ? `is in ${where}`
        : rule < 0
          ? 'has no row'
          : 'has a row that does not describe the call';
    const detail = `the return address of a call that never returns ${what}`;
    trace.remark({ kind: 'after-noreturn-call', pc, detail });
  }

  /** The current state as text. Made for findings only. */
  private readonly truth = (): string => frameText(this.stepper.registers, this.stepper.frame);
}
