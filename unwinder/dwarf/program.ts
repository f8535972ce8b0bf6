/** Executes call frame instructions: DWARF 5 section 6.4.2 and the AArch64 vendor opcodes. */

import { type CfiCursor } from './cursor.js';
import { type DwarfCfa, type DwarfRegister, type DwarfRow } from './rows.js';

/** The rules at one point of a program. Immutable: each change makes a new state. */
export interface DwarfState {
  readonly cfa: DwarfCfa;
  readonly fp: DwarfRegister;
  readonly ra: DwarfRegister;
  readonly raSigned: boolean;
}

/** The state before a CIE's initial instructions. */
export const BLANK_STATE: DwarfState = {
  cfa: { kind: 'none' },
  fp: { kind: 'unspecified' },
  ra: { kind: 'unspecified' },
  raSigned: false,
};

/** What a program needs from its CIE. */
export interface ProgramContext {
  readonly codeAlignment: number;
  readonly dataAlignment: number;
  /** DWARF number of the return address column. */
  readonly raRegister: number;
  /** The state after the CIE's initial instructions, to which DW_CFA_restore returns. */
  readonly initial: DwarfState;
  /** Reads the operand of DW_CFA_set_loc as an offset in the function. */
  readonly readLocation: (cursor: CfiCursor) => number;
}

const DWARF_FP = 29;

/** Runs a CIE's initial instructions, up to the end of `cursor`. @throws DwarfProblem */
export function runInitial(cursor: CfiCursor, context: ProgramContext): DwarfState {
  const machine = new Machine(context);
  machine.run(cursor);
  return machine.state;
}

/**
 * Runs an FDE's instructions, up to the end of `cursor`.
 * @returns one row or more, the first at offset 0
 * @throws DwarfProblem
 */
export function runFunction(cursor: CfiCursor, context: ProgramContext): DwarfRow[] {
  const machine = new Machine(context);
  machine.run(cursor);
  machine.endRow();
  return machine.rows;
}

class Machine {
  state: DwarfState;
  readonly rows: DwarfRow[] = [];
  private readonly saved: DwarfState[] = [];
  private location = 0;

  constructor(private readonly context: ProgramContext) {
    this.state = context.initial;
  }

  run(cursor: CfiCursor): void {
    while (!cursor.done) this.step(cursor);
  }

  /** Emits the current state as a row. It replaces an earlier row at the same location. */
  endRow(): void {
    const row = { offset: this.location, ...this.state };
    if (this.rows.at(-1)?.offset === this.location) this.rows.pop();
    this.rows.push(row);
  }

  private advance(cursor: CfiCursor, at: number, target: number): void {
    if (target === this.location) return;
    if (!Number.isSafeInteger(target) || target < this.location) {
      cursor.fail('bad-address', 'DW_CFA_advance_loc', at, target);
    }
    this.endRow();
    this.location = target;
  }

  private step(cursor: CfiCursor): void {
    const at = cursor.at;
    const opcode = cursor.u8('DW_CFA opcode');
    const { codeAlignment, dataAlignment } = this.context;
    const low = opcode & 0x3f;
    const moved = (delta: number): void => {
      this.advance(cursor, at, this.location + delta * codeAlignment);
    };
    switch (opcode & 0xc0) {
      case 0x40:
        moved(low);
        return;
      case 0x80: {
        const offset = this.product(cursor, at, cursor.uleb('DW_CFA_offset'), dataAlignment);
        this.set(low, { kind: 'offset', offset });
        return;
      }
      case 0xc0:
        this.restore(low);
        return;
    }
    switch (opcode) {
      case 0x00:
        return;
      case 0x01:
        this.advance(cursor, at, this.context.readLocation(cursor));
        return;
      case 0x02:
        moved(cursor.u8('DW_CFA_advance_loc1'));
        return;
      case 0x03:
        moved(cursor.u16('DW_CFA_advance_loc2'));
        return;
      case 0x04:
        moved(cursor.u32('DW_CFA_advance_loc4'));
        return;
      case 0x1d:
        moved(cursor.word('DW_CFA_MIPS_advance_loc8'));
        return;
      case 0x0a:
        this.saved.push(this.state);
        return;
      case 0x0b:
        this.state =
          this.saved.pop() ?? cursor.fail('no-saved-state', 'DW_CFA_restore_state', at, opcode);
        return;
      // DW_CFA_AARCH64_negate_ra_state and _with_pc, which differ only in the signing modifier.
      case 0x2c:
      case 0x2d:
        this.state = { ...this.state, raSigned: !this.state.raSigned };
        return;
      case 0x2e:
        cursor.uleb('DW_CFA_GNU_args_size');
        return;
    }
    if (opcode >= 0x0c && opcode <= 0x13 && opcode !== 0x10 && opcode !== 0x11) {
      this.defineCfa(cursor, at, opcode);
    } else {
      this.defineRegister(cursor, at, opcode);
    }
  }

  private defineCfa(cursor: CfiCursor, at: number, opcode: number): void {
    const field = 'DW_CFA_def_cfa';
    const { dataAlignment } = this.context;
    const old = this.state.cfa;
    const factored = (): number => this.product(cursor, at, cursor.sleb(field), dataAlignment);
    switch (opcode) {
      case 0x0c:
      case 0x12: {
        const register = cursor.uleb(field);
        const offset = opcode === 0x0c ? cursor.uleb(field) : factored();
        this.state = { ...this.state, cfa: { kind: 'register', register, offset } };
        return;
      }
      case 0x0d: {
        const register = cursor.uleb(field);
        if (old.kind !== 'register') cursor.fail('cfa-not-register', field, at, opcode);
        this.state = { ...this.state, cfa: { ...old, register } };
        return;
      }
      case 0x0e:
      case 0x13: {
        const offset = opcode === 0x0e ? cursor.uleb(field) : factored();
        if (old.kind !== 'register') cursor.fail('cfa-not-register', field, at, opcode);
        this.state = { ...this.state, cfa: { ...old, offset } };
        return;
      }
      default:
        this.skipBlock(cursor, field);
        this.state = { ...this.state, cfa: { kind: 'expression' } };
    }
  }

  private defineRegister(cursor: CfiCursor, at: number, opcode: number): void {
    const field = 'DW_CFA register rule';
    const { dataAlignment } = this.context;
    if (!REGISTER_RULES.has(opcode)) {
      cursor.fail('unsupported-opcode', 'DW_CFA opcode', at, opcode);
    }
    const register = cursor.uleb(field);
    const unsigned = (): number => this.product(cursor, at, cursor.uleb(field), dataAlignment);
    const signed = (): number => this.product(cursor, at, cursor.sleb(field), dataAlignment);
    switch (opcode) {
      case 0x05:
        this.set(register, { kind: 'offset', offset: unsigned() });
        return;
      case 0x06:
        this.restore(register);
        return;
      case 0x07:
        this.set(register, { kind: 'undefined' });
        return;
      case 0x08:
        this.set(register, { kind: 'same' });
        return;
      case 0x09:
        this.set(register, { kind: 'register', register: cursor.uleb(field) });
        return;
      case 0x10:
        this.skipBlock(cursor, field);
        this.set(register, { kind: 'expression' });
        return;
      case 0x11:
        this.set(register, { kind: 'offset', offset: signed() });
        return;
      case 0x14:
        this.set(register, { kind: 'val-offset', offset: unsigned() });
        return;
      case 0x15:
        this.set(register, { kind: 'val-offset', offset: signed() });
        return;
      case 0x16:
        this.skipBlock(cursor, field);
        this.set(register, { kind: 'val-expression' });
        return;
      default:
        this.set(register, { kind: 'offset', offset: -unsigned() });
    }
  }

  private product(cursor: CfiCursor, at: number, value: number, factor: number): number {
    const product = value * factor;
    if (!Number.isSafeInteger(product)) cursor.fail('bad-number', 'factored offset', at, 0);
    return product;
  }

  private skipBlock(cursor: CfiCursor, field: string): void {
    cursor.skip(field, cursor.uleb(field));
  }

  private set(register: number, rule: DwarfRegister): void {
    if (register === DWARF_FP) this.state = { ...this.state, fp: rule };
    if (register === this.context.raRegister) this.state = { ...this.state, ra: rule };
  }

  private restore(register: number): void {
    const { initial } = this.context;
    this.set(register, register === DWARF_FP ? initial.fp : initial.ra);
  }
}

/** Opcodes whose first operand is a register; 0x2f is DW_CFA_GNU_negative_offset_extended. */
const REGISTER_RULES = new Set([0x05, 0x06, 0x07, 0x08, 0x09, 0x10, 0x11, 0x14, 0x15, 0x16, 0x2f]);
