/** Collects distinct unwind rules and seals them into typed arrays. */

import { type RuleArrays, type UnwindRule } from './unwind-rule.js';

/** Offsets from -MAX_PACKED up to this limit, in bytes, fit into a key that is one exact number. */
const MAX_PACKED = 1 << 13;

export class RuleSet {
  private readonly indexOf = new Map<number | string, number>();
  private readonly rules: UnwindRule[] = [];

  /** The index of the rule equal to `rule`. A new rule is copied, so the caller may reuse it. */
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
 * The key of a rule: a number for the rules that compilers emit, a string for the rest. A kernel's
 * section has a hundred thousand rows but only a few hundred rules, so the key dominates the cost.
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
