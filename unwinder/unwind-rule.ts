/**
 * The rules that a PC can map to: where the CFA, the return address and the caller's frame pointer
 * are. SFrame spec sections 3.1.2 (AArch64) and 3.2 (flexible FDEs). Finding a rule is separate
 * from executing it, as in framehop.
 *
 * The caller's SP is the CFA. A rule does not say how memory is read: that is up to the walker.
 */

/** What the CFA is computed from. `REG` uses `cfaRegister`. */
export const CfaBase = { SP: 0, FP: 1, REG: 2 } as const;
export type CfaBase = (typeof CfaBase)[keyof typeof CfaBase];

/** How the return address or the caller's frame pointer is recovered. */
export const RecoverKind = {
  /** Still in its register: x30 for RA, x29 for FP. */
  UNCHANGED: 0,
  /** `*(CFA + offset)`. */
  LOAD_CFA: 1,
  /** RA only: undefined, so this is the outermost frame. Every other field of the rule is 0. */
  UNDEFINED: 2,
  /** `CFA + offset`, not dereferenced (flexible FDE only). */
  VALUE_CFA: 3,
  /** `register + offset`, not dereferenced (flexible FDE only). */
  VALUE_REG: 4,
  /** `*(register + offset)` (flexible FDE only). */
  LOAD_REG: 5,
} as const;
export type RecoverKind = (typeof RecoverKind)[keyof typeof RecoverKind];

/** DWARF register numbers of AArch64 that rules name: x0..x30 are 0..30, SP is 31. */
export const DWARF_FP = 29;
export const DWARF_LR = 30;
export const DWARF_SP = 31;

/** One rule as an object: for dumps, reports and tests. Offsets are signed bytes. */
export interface UnwindRule {
  cfaBase: CfaBase;
  /** DWARF number of the base register: 31 for SP, 29 for FP, 0..30 for `REG`. */
  cfaRegister: number;
  cfaOffset: number;
  /** The CFA is `*(base + cfaOffset)`, not the sum itself (flexible FDE only). */
  cfaDeref: boolean;
  raKind: RecoverKind;
  /** DWARF number for the `*_REG` kinds, else 0. */
  raRegister: number;
  raOffset: number;
  fpKind: RecoverKind;
  /** DWARF number for the `*_REG` kinds, else 0. */
  fpRegister: number;
  fpOffset: number;
  /** The return address is signed: strip its pointer authentication code before use. */
  mangled: boolean;
  /** The function is a signal frame (V3): its caller was interrupted, not calling. */
  signalFrame: boolean;
  /** The function signs its return address with key B, not A. */
  pauthKeyB: boolean;
}

/** The fields of {@link UnwindRule} as parallel arrays; flags are 0 or 1. */
export interface RuleArrays {
  readonly count: number;
  readonly cfaBase: Uint8Array;
  readonly cfaRegister: Uint8Array;
  readonly cfaOffset: Int32Array;
  readonly cfaDeref: Uint8Array;
  readonly raKind: Uint8Array;
  readonly raRegister: Uint8Array;
  readonly raOffset: Int32Array;
  readonly fpKind: Uint8Array;
  readonly fpRegister: Uint8Array;
  readonly fpOffset: Int32Array;
  readonly mangled: Uint8Array;
  readonly signalFrame: Uint8Array;
  readonly pauthKeyB: Uint8Array;
}

/** A new rule to fill: CFA = SP + 0, RA and FP unchanged. */
export function emptyRule(): UnwindRule {
  return {
    cfaBase: CfaBase.SP,
    cfaRegister: DWARF_SP,
    cfaOffset: 0,
    cfaDeref: false,
    raKind: RecoverKind.UNCHANGED,
    raRegister: 0,
    raOffset: 0,
    fpKind: RecoverKind.UNCHANGED,
    fpRegister: 0,
    fpOffset: 0,
    mangled: false,
    signalFrame: false,
    pauthKeyB: false,
  };
}

/** Rule `index` of `rules` as an object. `index` must be in 0..count-1. */
export function ruleAt(rules: RuleArrays, index: number): UnwindRule {
  return {
    cfaBase: rules.cfaBase[index] as CfaBase,
    cfaRegister: rules.cfaRegister[index] as number,
    cfaOffset: rules.cfaOffset[index] as number,
    cfaDeref: rules.cfaDeref[index] === 1,
    raKind: rules.raKind[index] as RecoverKind,
    raRegister: rules.raRegister[index] as number,
    raOffset: rules.raOffset[index] as number,
    fpKind: rules.fpKind[index] as RecoverKind,
    fpRegister: rules.fpRegister[index] as number,
    fpOffset: rules.fpOffset[index] as number,
    mangled: rules.mangled[index] === 1,
    signalFrame: rules.signalFrame[index] === 1,
    pauthKeyB: rules.pauthKeyB[index] === 1,
  };
}
