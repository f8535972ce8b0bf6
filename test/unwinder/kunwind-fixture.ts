/** Hand-built guest stacks for the unwinder's tests. Addresses are written as the kernel prints them. */

import { type GraphReturnStack } from '../../unwinder/graph-return-stack.js';
import { type KretprobeInstances } from '../../unwinder/kretprobe-instances.js';
import { Kunwind, type WalkMode } from '../../unwinder/kunwind.js';
import { POLICIES } from '../../unwinder/policies/all.js';
import { type PolicyName } from '../../unwinder/policy.js';
import { type StackInfo, type StackKind } from '../../unwinder/stack-info.js';
import { emptyRule, type RuleArrays, type UnwindRule } from '../../unwinder/unwind-rule.js';
import { RuleSet } from '../../unwinder/rule-set.js';
import { WalkResult } from '../../unwinder/walk-result.js';
import { WalkStart } from '../../unwinder/walk-start.js';

/** A number from the 64-bit value the kernel would print. */
export function address(value: bigint): number {
  return Number(BigInt.asIntN(64, value));
}

/** Text: `text(0x100)` is a PC. No two functions of a test share a page. */
export const text = (offset: number): number => address(0xffff800080010000n) + offset;

export const RETURN_TO_HANDLER = text(0xf0000);
export const KRETPROBE_TRAMPOLINE = text(0xf8000);
/** First byte of __sdei_asm_handler, which is 0xb0 bytes long here. */
export const SDEI_HANDLER = text(0xe0000);
export const SDEI_HANDLER_SIZE = 0xb0;

const BASES: Record<StackKind, bigint> = {
  task: 0xffff800082008000n,
  irq: 0xffff800083000000n,
  overflow: 0xffff800084000000n,
  'sdei-normal': 0xffff800085000000n,
  'sdei-critical': 0xffff800086000000n,
};

/** `on('task', 0x100)`: 0x100 bytes above the base of the task stack. */
export const on = (kind: StackKind, offset: number): number => address(BASES[kind]) + offset;

/** task_pt_regs(task)->stackframe of the 16 KiB task stack. */
export const FINAL = on('task', 0x4000 - 320 + 296);

/** The return stack of a task that was never traced. */
const NO_GRAPH_RETURN_STACK: GraphReturnStack = { depth: () => -1, ret: () => 0, retp: () => 0 };

/** A task without pending kretprobes. */
const NO_KRETPROBES: KretprobeInstances = { count: () => 0, ret: () => 0, fp: () => 0 };

export interface Outcome {
  trace: number[];
  status: string;
  end: string;
  error: string;
  mark: string;
  warned: string;
  fault: string;
  sources: string[];
}

export class Guest {
  readonly stacks: StackInfo[];
  readonly task = {
    isCurrent: true,
    inNmi: false,
    finalRecord: FINAL,
    graph: NO_GRAPH_RETURN_STACK,
    kretprobes: NO_KRETPROBES,
  };
  readonly start = new WalkStart();
  /** The walker's class, or that of a copy of the package. */
  Walker = Kunwind;
  /** return_to_handler_popped, in a kernel that has that label. */
  popped: number | undefined;
  /** [first PC, one past the last, rule index] */
  private readonly ranges: [number, number, number][] = [];
  private readonly rules = new RuleSet();

  constructor() {
    this.stacks = (Object.keys(BASES) as StackKind[]).map((kind) => {
      const size = kind === 'overflow' ? 0x1000 : 0x4000;
      return {
        kind,
        low: on(kind, 0),
        high: on(kind, size),
        words: new Uint32Array(size / 4),
      };
    });
    this.put(FINAL + 16, 1n);
  }

  /** Writes a u64; a number is an address. */
  put(at: number, value: number | bigint): void {
    const stack = this.stacks.find((candidate) => at >= candidate.low && at < candidate.high);
    if (stack === undefined) throw new RangeError('no stack there');
    const bits = BigInt.asUintN(64, BigInt(value));
    stack.words[(at - stack.low) / 4] = Number(bits & 0xffffffffn);
    stack.words[(at - stack.low) / 4 + 1] = Number(bits >> 32n);
  }

  record(at: number, fp: number | bigint, lr: number | bigint): number {
    this.put(at, fp);
    this.put(at + 8, lr);
    return at;
  }

  /** A struct pt_regs at `at`; the answer is its metadata record. */
  ptRegs(
    at: number,
    values: { pc: number; fp: number | bigint; lr?: number | bigint; sp?: number; x9?: number },
  ): number {
    this.put(at + 9 * 8, values.x9 ?? 0);
    this.put(at + 29 * 8, values.fp);
    this.put(at + 30 * 8, values.lr ?? 0xdead_0000_0000_beefn);
    this.put(at + 248, values.sp ?? at + 320);
    this.put(at + 256, values.pc);
    this.record(at + 296, 0, 0);
    this.put(at + 312, 2n);
    return at + 296;
  }

  /** An SFrame row: `rule` (all else as in a leaf: CFA = SP, RA = x30) for `size` bytes of text. */
  sframe(pc: number, rule: Partial<UnwindRule>, size = 4): void {
    this.ranges.push([pc, pc + size, this.rules.intern({ ...emptyRule(), ...rule })]);
  }

  /** Entries oldest first, as ret and retp. */
  graph(...entries: [ret: number, retp: number][]): void {
    const graph: GraphReturnStack = {
      depth: () => entries.length,
      ret: (i) => (entries[i] as [number, number])[0],
      retp: (i) => (entries[i] as [number, number])[1],
    };
    this.task.graph = graph;
  }

  /** Instances newest first, as ret and fp. */
  kretprobe(...instances: [ret: number, fp: number][]): void {
    const list: KretprobeInstances = {
      count: () => instances.length,
      ret: (i) => (instances[i] as [number, number])[0],
      fp: (i) => (instances[i] as [number, number])[1],
    };
    this.task.kretprobes = list;
  }

  walk(policy: PolicyName, mode: WalkMode = 'reliable'): Outcome {
    const { ranges } = this;
    const arrays: RuleArrays = this.rules.seal();
    const find = (pc: number): number =>
      ranges.find(([low, high]) => pc >= low && pc < high)?.[2] ?? -1;
    const walker = new this.Walker({
      stacks: this.stacks,
      rules: { ...arrays, find },
      returnToHandler: {
        low: RETURN_TO_HANDLER,
        high: RETURN_TO_HANDLER + 60,
        ...(this.popped === undefined ? {} : { popped: this.popped }),
      },
      sdeiHandler: { low: SDEI_HANDLER, high: SDEI_HANDLER + SDEI_HANDLER_SIZE },
      kretprobeTrampolines: [KRETPROBE_TRAMPOLINE],
    });
    const out = new WalkResult();
    walker.walk(POLICIES[policy], mode, this.start, this.task, out);
    const trace = [...out.entries.subarray(0, out.count)];
    return {
      trace,
      status: out.statusName(),
      end: out.endName(),
      error: out.errorName(),
      mark: out.markName(),
      warned: out.warnedName(),
      fault: out.faultName(),
      sources: trace.map((_, i) => out.sourceName(i)),
    };
  }
}

/** The policies that use SFrame, and all of them. */
export const SFRAME: readonly PolicyName[] = [
  'sframe-v5',
  'sframe-v6',
  'sframe-strict',
  'fgraph-detect',
  'fgraph-recover',
];
export const ALL: readonly PolicyName[] = ['frame-pointer', ...SFRAME];

/**
 * task: outer <- caller, then an exception in `interrupted`, whose handler on the IRQ stack walks.
 * Expected from the walk's start: handler, then the interrupted PC, its caller, outer.
 */
export interface Interrupted {
  guest: Guest;
  /** Frame record of the interrupted function's caller: {FINAL, outer}. */
  callerRecord: number;
  /** SP when interrupted, 16-byte aligned with bit 4 clear, 0x100 below callerRecord. */
  sp: number;
  pc: number;
  handler: number;
  outer: number;
  caller: number;
}

/**
 * Interrupted with x29 = `fp` (default: the caller's record) and x30 = `lr` (default: caller).
 * No SFrame row is given for `pc`.
 */
export function interrupted(
  options: { fp?: number | bigint; lr?: number | bigint; sp?: number; pc?: number } = {},
): Interrupted {
  const guest = new Guest();
  const outer = text(0x1010);
  const caller = text(0x2020);
  const pc = options.pc ?? text(0x3030);
  const handler = text(0x4040);
  const callerRecord = guest.record(on('task', 0x3000), FINAL, outer);
  const sp = options.sp ?? on('task', 0x2f00);
  const meta = guest.ptRegs(on('task', 0x2f00 - 0x200), {
    pc,
    fp: options.fp ?? callerRecord,
    lr: options.lr ?? caller,
    sp,
  });
  const irqRecord = guest.record(on('irq', 0x3ff0), meta, text(0x5050));
  guest.start.fromCaller(handler, irqRecord, irqRecord - 64);
  return { guest, callerRecord, sp, pc, handler, outer, caller };
}

/** The PC in the exception entry that {@link interrupted} lists between handler and `pc`. */
export const ENTRY = text(0x5050);

/** Entry code interrupted by {@link nestedBoundary}'s inner exception. */
export const NESTED_PC = text(0x8080);

/** As {@link interrupted}, and then its entry code is, with x29 at its metadata record. */
export function nestedBoundary(): Guest {
  // An NMI handler on the task stack interrupts entry code; that had interrupted a leaf.
  const { guest, pc, caller, callerRecord } = interrupted();
  const inner = on('task', 0x2d00) + 296;
  const meta = guest.ptRegs(on('task', 0x2a00), { pc: NESTED_PC, fp: inner });
  const record = guest.record(on('irq', 0x3ff0), meta, ENTRY);
  guest.start.fromCaller(text(0x4040), record, record - 64);
  guest.sframe(pc, { cfaOffset: 0x40, raKind: 1, raOffset: -8, fpKind: 1, fpOffset: -16 });
  guest.record(on('task', 0x2f00) + 0x30, callerRecord, caller);
  return guest;
}
