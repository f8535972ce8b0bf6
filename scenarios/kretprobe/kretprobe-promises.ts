/**
 * Promises about kretprobes (docs/kretprobe-window.md explains the reasons).
 *
 * The breakpoint style has no window on the way back. In the trampoline and its handlers nothing is
 * ever refused, and SDEI there only hides a caller inside the handling, not the probed function's.
 * The older style has a window, from the instance's unlinking to its `ret`. Both have one on the
 * way in. When a tail call makes function graph come first, the walk lists the trampoline instead
 * of the address.
 */
import { ENTRY_CODE, EXCEPTION_CODE, insideExceptions, KPROBE_CODE } from '../exception-code.js';
import {
  ALL_POLICIES,
  allowed,
  always,
  boundary,
  BOUNDARY_KINDS,
  CAREFUL,
  DROPPING,
  exact,
  merge,
  mergePromises,
  onOtherKernel,
  RECOVERING,
  sdei,
  seen,
  SHARED_WHY,
  SKIPPING,
  someExact,
  TRUSTING_SDEI,
  under,
  type Promises,
} from '../promise-terms.js';

const WHY = {
  ...SHARED_WHY,
  slot: 'SDEI in the exception of a kprobe that goes to or comes from the slot: no SFrame entry',
  slotV5: 'no SFrame entry for the slot, and the record is taken for a metadata record',
  moved: 'regs->pc is already past the probed instruction: the walk lists where control will go',
  entryWindow: 'x30 of the pt_regs is the trampoline, and the instance is not linked yet',
  entryDropped: 'the same, and the error of the walk is dropped',
  noWindow: 'regs->pc is the address before the instance is unlinked',
  noCfi: 'the trampoline has no SFrame entry',
  noCfiV5: 'no SFrame entry, and the frame record is taken for a metadata record',
  inside: "an address inside the older trampoline is not recovered, and x29 is the caller's",
  linked: 'the record is in place, x30 in it is the trampoline, and the instance is linked',
  unlinked: 'the instance is unlinked, and x30 does not hold the address or is not consulted',
  dropped: 'the address cannot be recovered, and the error of the walk is dropped',
  below: 'the first exception came in a callee of return_to_handler',
  graphWindow: 'transient window of function graph',
  graphFirst:
    "the instance holds return_to_handler, which is not recovered: the traced caller's caller is skipped",
  graphFirstMarked: 'the instance holds return_to_handler: the order of the tracers is not known',
  handedOver: 'found by the entry until x30 is the trampoline, and by the instance from then on',
  switching: 'a task switch is under way: see the tasks family',
  blocked: 'frame records all the way, and one replaced address that is recovered',
};

const TRAMPOLINE = '__kretprobe_trampoline_regs';
const GRAPH_EXIT = ['ftrace_return_to_handler', 'fgraph_exit_handler'] as const;
/** What runs between a traced function's tail call and the end of the probed one's trampoline. */
const GRAPH_FIRST_CODE = [
  'kretprobe_leaf',
  'kretprobe_plain',
  'kretprobe_tail_second',
  'ftrace_graph_func',
  'function_graph_enter',
  'fgraph_entry_handler',
  TRAMPOLINE,
  'trampoline_probe_handler',
  '__kretprobe_trampoline_handler',
  'kretprobe_exit_handler',
] as const;
/** What the breakpoint of the newer trampoline runs. */
const PROBE_RETURN = [
  'kretprobe_brk_handler',
  '__kretprobe_trampoline_handler',
  'kretprobe_exit_handler',
] as const;
/** Code without an SFrame entry, where function graph and a kretprobe meet. */
const NO_CFI = [
  'ftrace_caller',
  'return_to_handler',
  '__kretprobe_trampoline',
  TRAMPOLINE,
] as const;

/** What is probed, and how. */
export interface ProbedCase {
  readonly style: 'brk' | 'regs';
  /**
   * Probed entries with the real address in x30. Where an earlier probe replaced it, the address is
   * found by that one.
   */
  readonly entries: number;
  /** How often the trampoline runs. */
  readonly returns: number;
  /** Function graph traces something. */
  readonly graph: boolean;
  /** A probed function is tail-called by a traced one. */
  readonly graphFirst: boolean;
  readonly blocked: boolean;
  readonly recover: boolean;
}

/** Promises of a kretprobe scenario. */
export function kretprobePromises(probed: ProbedCase): Promises {
  if (probed.blocked) return blockedTask(probed.graphFirst);
  const { style, graph, graphFirst, recover } = probed;
  const back = style === 'brk' ? throughBreakpoint(probed) : throughTrampoline(probed);
  const linux = mergePromises(
    onEntry(probed),
    graphFirst ? graphBeforeProbe() : back,
    graph ? withGraph() : {},
    under(['frame-pointer'], always('unreliable', boundary, WHY.boundary)),
    under(['sframe-v6'], allowed('unreliable', { depth: 1 }, WHY.alignment)),
    insideExceptions({ unannotated: true }),
    insideProbe(),
    // This comes last, so that a more specific reason wins.
    under(TRUSTING_SDEI, allowed('missing', sdei, WHY.sdei)),
  );
  if (!recover) return linux;
  const other = onOtherKernel([...GRAPH_EXIT, 'return_to_handler']);
  return mergePromises(other, linux, graphFirst ? {} : withoutGraphWindow());
}

/**
 * The kprobe at the entry: its exception, its handler, its single step. Only SDEI can come there.
 */
function onEntry({ entries, graphFirst }: ProbedCase): Promises {
  const handler = { ...sdei, in: ['pre_handler_kretprobe'] } as const;
  const window = 5 * entries;
  return mergePromises(
    under(SKIPPING, allowed('missing', { ...sdei, in: ['kprobe_ss_brk_handler'] }, WHY.moved)),
    under(['frame-pointer'], allowed('unreliable', sdei, WHY.boundary)),
    under(
      SKIPPING,
      allowed('unreliable', { ...sdei, in: KPROBE_CODE }, WHY.slot),
      allowed('spurious', { ...sdei, in: ENTRY_CODE }, WHY.moved),
    ),
    under(['sframe-v5'], allowed('warned', { ...sdei, in: KPROBE_CODE }, WHY.slotV5)),
    under(['sframe-strict'], seen('unreliable', handler, WHY.entryWindow, window)),
    graphFirst ? {} : under(['sframe-v5'], always('missing', handler, WHY.entryDropped)),
  );
}

/** The breakpoint style: a trampoline of one instruction, then an exception. */
function throughBreakpoint({ returns }: ProbedCase): Promises {
  const trampoline = ['__kretprobe_trampoline'];
  const atSdei = under(
    ['sframe-v5', 'sframe-strict'],
    exact({ ...sdei, in: trampoline }, WHY.noWindow),
    // Nothing is refused here, and these are all the points except those where SDEI hides a caller.
    someExact(
      { ...sdei, in: ['__kretprobe_trampoline_handler'], atLeast: 45 * returns },
      WHY.noWindow,
    ),
    seen('missing', { ...sdei, in: ['__kretprobe_trampoline_handler'] }, WHY.sdei, 5 * returns),
    someExact({ ...sdei, in: ['kretprobe_brk_handler'], atLeast: 7 * returns }, WHY.noWindow),
    seen('missing', { ...sdei, in: ['kretprobe_brk_handler'] }, WHY.sdei, 11 * returns),
  );
  return mergePromises(
    atSdei,
    under(['sframe-v5', ...CAREFUL], exact({ ...boundary, in: trampoline }, WHY.noWindow)),
  );
}

/**
 * The older style: 48 instructions of trampoline, and 8 and at least 50 of the two C functions it
 * runs.
 */
function throughTrampoline({ returns }: ProbedCase): Promises {
  const trampoline = { in: [TRAMPOLINE] } as const;
  const caller = { in: ['trampoline_probe_handler'] } as const;
  const handler = { in: ['__kretprobe_trampoline_handler'] } as const;
  // No kprobe is possible in the trampoline or in the kprobes section.
  const kinds = 3 * returns;
  return mergePromises(
    under(
      CAREFUL,
      seen('unreliable', { ...boundary, ...trampoline }, WHY.noCfi, 47 * kinds),
      someExact({ ...boundary, ...trampoline, atLeast: kinds }, WHY.linked),
      seen('unreliable', { ...boundary, ...caller }, WHY.unlinked, 3 * kinds),
      someExact({ ...boundary, ...caller, atLeast: 5 * kinds }, WHY.linked),
      seen('unreliable', { ...boundary, ...handler }, WHY.unlinked, 11 * 4 * returns),
      someExact({ ...boundary, ...handler, atLeast: 39 * 4 * returns }, WHY.linked),
      exact({ ...boundary, in: ['kretprobe_exit_handler'] }, WHY.linked),
    ),
    under(
      ['frame-pointer', 'sframe-strict'],
      seen('unreliable', { ...sdei, ...trampoline }, WHY.unlinked, 19 * returns),
      seen('unreliable', { ...sdei, ...caller }, WHY.unlinked, 3 * returns),
      seen('unreliable', { ...sdei, ...handler }, WHY.unlinked, 11 * returns),
    ),
    under(
      TRUSTING_SDEI,
      seen('missing', { ...sdei, ...trampoline }, WHY.inside, 26 * returns),
      someExact({ ...sdei, ...trampoline, atLeast: 3 * returns }, WHY.linked),
    ),
    under(
      DROPPING,
      seen('missing', { ...sdei, ...trampoline }, WHY.dropped, 45 * returns),
      seen('missing', { ...sdei, ...caller }, WHY.dropped, 3 * returns),
    ),
    under(
      ['sframe-v5'],
      seen('warned', { ...boundary, ...trampoline }, WHY.noCfiV5, 47 * kinds),
      seen('missing', { ...boundary, ...caller }, WHY.dropped, 3 * kinds),
      seen('missing', { ...boundary, ...handler }, WHY.dropped, 11 * 4 * returns),
    ),
    under(
      ['sframe-v6'],
      seen('missing', { ...boundary, ...trampoline }, WHY.dropped, 19 * kinds),
      allowed('missing', { ...boundary, in: [...caller.in, ...handler.in] }, WHY.dropped),
    ),
  );
}

/** Function graph traces something: its own verdicts, as in the fgraph family. */
function withGraph(): Promises {
  const hook = { ...boundary, in: ['ftrace_caller', 'return_to_handler'] } as const;
  const exit = { ...boundary, in: GRAPH_EXIT } as const;
  return mergePromises(
    under(['sframe-v5'], seen('warned', hook, WHY.noCfiV5)),
    under(CAREFUL, seen('unreliable', hook, WHY.noCfi)),
    under(RECOVERING, allowed('unreliable', exit, WHY.graphWindow)),
    under(['sframe-v5', 'sframe-strict'], seen('missing', exit, WHY.skipped)),
    under(['sframe-v6'], allowed('missing', exit, WHY.skipped)),
    under(
      SKIPPING,
      allowed('missing', { kinds: BOUNDARY_KINDS, in: EXCEPTION_CODE, depth: 2 }, WHY.below),
    ),
  );
}

/** The reordered return path hands over to the kretprobe's trampoline without a gap. */
function withoutGraphWindow(): Promises {
  const path = { ...boundary, in: ['return_to_handler', ...GRAPH_EXIT] };
  return under(['fgraph-recover'], exact(path, WHY.handedOver));
}

/**
 * A traced function tail-calls a probed one: wrong from the probe's entry to its trampoline's end.
 */
function graphBeforeProbe(): Promises {
  const probed = { ...boundary, in: ['kretprobe_leaf'] } as const;
  const code = { ...boundary, in: GRAPH_FIRST_CODE } as const;
  return mergePromises(
    under(SKIPPING, seen('missing', probed, WHY.graphFirst, 20)),
    under(['sframe-v5', 'sframe-strict'], seen('missing', code, WHY.graphFirst)),
    under(['sframe-v6'], allowed('missing', code, WHY.graphFirst)),
    under(
      ['sframe-v5'],
      allowed('warned', { ...boundary, in: NO_CFI }, WHY.noCfiV5),
      allowed('warned', { ...sdei, in: PROBE_RETURN }, WHY.noCfiV5),
    ),
    under(CAREFUL, allowed('unreliable', { depth: 1 }, WHY.graphFirstMarked)),
    under(DROPPING, allowed('unreliable', { depth: 1 }, WHY.graphFirstMarked)),
    // Never wrong where the boundary is known: a verdict that is not allowed here fails.
    under(RECOVERING, seen('unreliable', probed, WHY.graphFirstMarked, 20)),
  );
}

/**
 * Depth 2: the first exception came in any of this code, which includes an event in a kprobe's
 * exception.
 */
function insideProbe(): Promises {
  const deep = { depth: 2 } as const;
  return mergePromises(
    under(ALL_POLICIES, allowed('unreliable', deep, WHY.slot)),
    under(TRUSTING_SDEI, allowed('missing', { ...deep, kinds: ['sdei', 'brk'] }, WHY.sdei)),
    under(['sframe-v5'], allowed('warned', deep, WHY.slotV5)),
    under(DROPPING, allowed('missing', deep, WHY.dropped)),
    under(SKIPPING, allowed('spurious', { ...deep, kinds: ['sdei'] }, WHY.moved)),
  );
}

/** A task that is blocked in a probed function, walked from another task. */
function blockedTask(graphFirst: boolean): Promises {
  // Before the switch the task does not exist yet, so these are the points after it.
  const after = { depth: 1, in: ['kretprobe_plain', 'kretprobe_blocked_entry'] } as const;
  const unsafe = merge(
    allowed('missing', sdei, WHY.sdei),
    allowed('missing', { ...boundary, in: ['cpu_switch_to'] }, WHY.switching),
  );
  const inSwitch = { ...boundary, in: ['__switch_to', 'schedule_to', 'kretprobe_sleep'] } as const;
  return mergePromises(
    under(ALL_POLICIES, allowed('unreliable', { depth: 1 }, WHY.switching)),
    under(TRUSTING_SDEI, unsafe),
    under(SKIPPING, allowed('spurious', { ...sdei, in: ENTRY_CODE }, WHY.moved)),
    under(
      ['sframe-v5'],
      allowed('warned', { ...boundary, in: ['cpu_switch_to', 'ftrace_caller'] }, WHY.switching),
      allowed('warned', { ...sdei, in: KPROBE_CODE }, WHY.slotV5),
    ),
    graphFirst
      ? mergePromises(
          under(
            TRUSTING_SDEI,
            always('missing', after, WHY.graphFirst),
            allowed('missing', inSwitch, WHY.graphFirst),
          ),
          under(RECOVERING, always('unreliable', after, WHY.graphFirstMarked)),
        )
      : under(ALL_POLICIES, exact(after, WHY.blocked)),
  );
}
