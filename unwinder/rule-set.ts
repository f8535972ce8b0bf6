/** Collects unwind rules, each distinct one once, and seals them into typed arrays. */

import { type RuleArrays, type UnwindRule } from './unwind-rule.js';

/** Offsets inside this range (8-byte multiples are not assumed) pack into one exact number. */
const MAX_PACKED = 1 << 13;

export class RuleSet {
  private readonly indexOf = new Map<number | string, number>();
  private readonly rules: UnwindRule[] = [];

  /** The index of a rule equal to `rule`, which is copied when it is new. */
  intern(rule: UnwindRule): number {
    const key = ruleKey(rule);
    const known = this.indexOf.get(key);
    if (known !== undefined) return known;
    const index = this.rules.length;
    this.rules.push({ ...rule });
    this.indexOf.set(key, index);
    return index;
  }

  /** The rules collected so far, in index order. */
  seal(): RuleArrays {
    const rules = this.rules;
    const bytes = (pick: (rule: UnwindRule) => number | boolean): Uint8Array =>
      Uint8Array.from(rules, (rule) => Number(pick(rule)));
    const words = (pick: (rule: UnwindRule) => number): Int32Array => Int32Array.from(rules, pick);
    return {
      count: rules.length,
      cfaBase: bytes((rule) => rule.cfaBase),
      cfaRegister: bytes((rule) => rule.cfaRegister),
      cfaOffset: words((rule) => rule.cfaOffset),
      cfaDeref: bytes((rule) => rule.cfaDeref),
      raKind: bytes((rule) => rule.raKind),
      raRegister: bytes((rule) => rule.raRegister),
      raOffset: words((rule) => rule.raOffset),
      fpKind: bytes((rule) => rule.fpKind),
      fpRegister: bytes((rule) => rule.fpRegister),
      fpOffset: words((rule) => rule.fpOffset),
      mangled: bytes((rule) => rule.mangled),
      signalFrame: bytes((rule) => rule.signalFrame),
      pauthKeyB: bytes((rule) => rule.pauthKeyB),
    };
  }
}

/**
 * A number for the rules compilers emit, a string for the rest. A section has a hundred thousand
 * rows and a few hundred rules, so most rows pay for the key alone.
 */
function ruleKey(rule: UnwindRule): number | string {
  const { cfaOffset, raOffset, fpOffset } = rule;
  const flags =
    Number(rule.mangled) | (Number(rule.signalFrame) << 1) | (Number(rule.pauthKeyB) << 2);
  if (
    rule.cfaBase <= 1 &&
    !rule.cfaDeref &&
    rule.raKind <= 1 &&
    rule.fpKind <= 1 &&
    isPackable(cfaOffset) &&
    isPackable(raOffset) &&
    isPackable(fpOffset)
  ) {
    const kinds = (((flags << 1) | rule.cfaBase) << 2) | (rule.raKind << 1) | rule.fpKind;
    const range = 2 * MAX_PACKED;
    return (
      ((kinds * range + cfaOffset + MAX_PACKED) * range + raOffset + MAX_PACKED) * range +
      fpOffset +
      MAX_PACKED
    );
  }
  return [
    flags,
    rule.cfaBase,
    rule.cfaRegister,
    cfaOffset,
    Number(rule.cfaDeref),
    rule.raKind,
    rule.raRegister,
    raOffset,
    rule.fpKind,
    rule.fpRegister,
    fpOffset,
  ].join();
}

function isPackable(offset: number): boolean {
  return offset >= -MAX_PACKED && offset < MAX_PACKED;
}
