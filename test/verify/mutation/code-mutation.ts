/** One change to the instructions that make and undo frames. */
import { AUTIASP, isAddSp, isSubSp, MOV_X29_SP, NOP, PACIASP } from '../../../aarch64/encodings.js';
import { CfaBase } from '../../../unwinder/unwind-rule.js';
import type { Verifier } from '../../../verify/verify.js';
import type { FunctionEntry } from '../../../verify/function-list.js';

/** A way to change an instruction. */
export interface CodeKind {
  readonly name: string;
  readonly matches: (word: number) => boolean;
  readonly change: (word: number) => number;
  /** Only in functions with a row whose CFA is computed from FP. */
  readonly needsFpRow?: boolean;
}

const drop = (): number => NOP;
/** imm7 of a pair by one or two: 8 or 16 bytes. */
const movePair = (word: number): number => (word ^ (2 << 15)) >>> 0;
/** imm12 of ADD or SUB by 16. */
const moveImmediate = (word: number): number => (word ^ (16 << 10)) >>> 0;
const isRecordPair =
  (opcode: number) =>
  (word: number): boolean =>
    (word & 0xffc07fff) >>> 0 === opcode;

const STP = isRecordPair(0xa9007bfd);
const STP_PRE = isRecordPair(0xa9807bfd);
const LDP = isRecordPair(0xa9407bfd);
const LDP_POST = isRecordPair(0xa8c07bfd);

/** All ways. `stp` and `ldp` are those of x29 and x30 on SP. */
export const CODE_KINDS: readonly CodeKind[] = [
  { name: 'drop stp', matches: (word) => STP(word) || STP_PRE(word), change: drop },
  { name: 'move stp', matches: (word) => STP(word) || STP_PRE(word), change: movePair },
  { name: 'drop ldp', matches: (word) => LDP(word) || LDP_POST(word), change: drop },
  { name: 'move ldp', matches: (word) => LDP(word) || LDP_POST(word), change: movePair },
  { name: 'drop sub sp', matches: isSubSp, change: drop },
  { name: 'alter sub sp', matches: isSubSp, change: moveImmediate },
  { name: 'drop add sp', matches: isAddSp, change: drop },
  { name: 'alter add sp', matches: isAddSp, change: moveImmediate },
  { name: 'drop paciasp', matches: (word) => word === PACIASP, change: drop },
  { name: 'drop autiasp', matches: (word) => word === AUTIASP, change: drop },
  {
    name: 'drop mov x29, sp',
    matches: (word) => word === MOV_X29_SP,
    change: drop,
    needsFpRow: true,
  },
];

/** An instruction that a kind can change. */
export interface CodePlace {
  readonly entry: FunctionEntry;
  readonly pc: number;
  readonly word: number;
}

/** All instructions that a kind can change, in address order. */
export function placesOf(verifier: Verifier, kind: CodeKind): CodePlace[] {
  const places: CodePlace[] = [];
  for (const entry of verifier.list.all) {
    if (kind.needsFpRow === true && !hasFpRow(entry)) continue;
    for (let pc = entry.start; pc + 4 <= entry.start + entry.size; pc += 4) {
      const word = verifier.stepper.fetch(pc);
      if (word !== undefined && kind.matches(word)) places.push({ entry, pc, word });
    }
  }
  return places;
}

function hasFpRow({ table, fde }: FunctionEntry): boolean {
  const first = table.functions.firstRow[fde] as number;
  for (let i = 0; i < (table.functions.rowCount[fde] as number); i++) {
    if (table.rules.cfaBase[table.rows.rule[first + i] as number] === CfaBase.FP) return true;
  }
  return false;
}
