/**
 * Maps a PC to its unwind rule, over all loaded `.sframe` sections: those of the kernel and of its
 * modules.
 *
 * Distinct rules are collected when the table is built, so a walker handles plain indices. The
 * first look-up of a PC searches; the result is cached in an array with one word per instruction of
 * the section's text. After that {@link RuleTable.find} is two comparisons and one load, and
 * allocates nothing.
 */

import { type Address } from '../base/address.js';
import { RuleSet } from './rule-set.js';
import { SectionIndex } from './section-index.js';
import { type SFrameSection } from './sframe/section.js';
import { type RuleArrays, type UnwindRule, ruleAt } from './unwind-rule.js';

/**
 * Text beyond this size in bytes, all sections together, is not cached: a cache takes as much
 * memory as the text, and the ranges of many small tables may each span all of it.
 */
const MAX_CACHED_TEXT = 0x400_0000;

/** A cache word is 0 (never asked), -1 (no entry) or the rule's index plus 1. */
const NO_ENTRY = -1;

export class RuleTable implements RuleArrays {
  /** Number of distinct rules, and the length of every array below. */
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

  private readonly indices: SectionIndex[] = [];
  private readonly low: Float64Array;
  private readonly span: Float64Array;
  private readonly caches: (Int32Array | undefined)[] = [];

  /**
   * Where two sections cover a PC, the one given first wins. The caches take four bytes per
   * instruction of text; they are allocated here and filled on demand.
   */
  constructor(sections: readonly SFrameSection[]) {
    const rules = new RuleSet();
    for (const section of sections) {
      const map = new Int32Array(section.rules.count);
      for (let i = 0; i < map.length; i++) map[i] = rules.intern(ruleAt(section.rules, i));
      const index = new SectionIndex(section, map);
      if (index.count > 0) this.indices.push(index);
    }

    const sealed = rules.seal();
    this.count = sealed.count;
    this.cfaBase = sealed.cfaBase;
    this.cfaRegister = sealed.cfaRegister;
    this.cfaOffset = sealed.cfaOffset;
    this.cfaDeref = sealed.cfaDeref;
    this.raKind = sealed.raKind;
    this.raRegister = sealed.raRegister;
    this.raOffset = sealed.raOffset;
    this.fpKind = sealed.fpKind;
    this.fpRegister = sealed.fpRegister;
    this.fpOffset = sealed.fpOffset;
    this.mangled = sealed.mangled;
    this.signalFrame = sealed.signalFrame;
    this.pauthKeyB = sealed.pauthKeyB;

    // Ranges start at an instruction boundary so that a PC's slot is its offset / 4.
    this.low = Float64Array.from(this.indices, (index) => Math.floor(index.low / 4) * 4);
    this.span = Float64Array.from(this.indices, (index, i) => index.high - (this.low[i] as number));
    let text = 0;
    for (const span of this.span) {
      const cached = text + span <= MAX_CACHED_TEXT;
      if (cached) text += span;
      this.caches.push(cached ? new Int32Array(Math.ceil(span / 4)) : undefined);
    }
  }

  /**
   * The index of the rule for `pc`, or -1 when no section has an entry for it.
   *
   * A PC is looked up as given: for the rule of a call site, pass the return address minus 4. `pc`
   * may be any number; it need not be an instruction's address.
   */
  find(pc: Address): number {
    const { low, span, caches } = this;
    for (let i = 0; i < low.length; i++) {
      const delta = pc - (low[i] as number);
      if (!(delta >= 0 && delta < (span[i] as number))) continue;
      const cache = caches[i];
      if (cache === undefined || (delta & 3) !== 0) {
        const rule = (this.indices[i] as SectionIndex).search(pc);
        if (rule >= 0) return rule;
        continue;
      }
      let word = cache[delta >>> 2] as number;
      if (word === 0) {
        const rule = (this.indices[i] as SectionIndex).search(pc);
        word = rule < 0 ? NO_ENTRY : rule + 1;
        cache[delta >>> 2] = word;
      }
      if (word !== NO_ENTRY) return word - 1;
    }
    return -1;
  }

  /** Rule `index` as an object, for reports. @throws RangeError when there is no such rule */
  rule(index: number): UnwindRule {
    if (!(Number.isInteger(index) && index >= 0 && index < this.count)) {
      throw new RangeError(`no unwind rule ${index}: the table has ${this.count}`);
    }
    return ruleAt(this, index);
  }
}
