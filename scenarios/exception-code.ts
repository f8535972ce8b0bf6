/**
 * Promises about the kernel's own exception code: points at depth 2, where a second exception comes
 * while a first one is being entered, handled or left.
 *
 * Entry and exit code masks everything but SDEI, so an IRQ, pseudo-NMI, BRK or SError only
 * interrupts C code with CFI there. The walk crosses two boundaries, and is as good as with one. An
 * SDEI event leaves its plain record wherever it comes, and some policies know not to trust it.
 */
import {
  allowed,
  always,
  BOUNDARY_KINDS,
  exact,
  mergePromises,
  RECOVERING,
  seen,
  SHARED_WHY,
  SKIPPING,
  TRUSTING_SDEI,
  under,
  type PolicyName,
  type Promises,
} from './promise-terms.js';
import type { AllowedVerdict } from './scenario.js';

/** The code between a vector and C. */
export const ENTRY_CODE = ['el1h_64_sync', 'el1h_64_irq', 'el1h_64_error'] as const;

/** Handlers that never have a frame record of their own. */
const FRAMELESS = [
  'irq_enter_rcu',
  'irq_exit_rcu',
  'irqentry_nmi_enter',
  'irqentry_nmi_exit',
  'walk_request',
] as const;

/** Code that runs only in an SDEI event. */
const SDEI_ONLY = ['__sdei_asm_handler', '__sdei_handler', 'kunwind_sdei_callback'] as const;

/** Code that runs in an SDEI event, and elsewhere, too. */
const SDEI_SHARED = [
  'irqentry_nmi_enter',
  'irqentry_nmi_exit',
  'kunwind_request_walk',
  'walk_request',
] as const;

/** The part of an SDEI event's code in which a breakpoint can be set. */
const SDEI_C = ['kunwind_sdei_callback', 'kunwind_request_walk'] as const;

/** Everything that runs between the firmware's call and the walk, or after it. */
export const SDEI_CODE: readonly string[] = [...SDEI_ONLY, ...SDEI_SHARED];

/**
 * Everything that runs once an exception is past the vector: its pt_regs is being built, or is
 * complete.
 */
const AFTER_VECTOR = [
  ...ENTRY_CODE,
  'ret_to_kernel',
  ...FRAMELESS,
  'el1h_64_irq_handler',
  'el1h_64_sync_handler',
  'el1h_64_error_handler',
  'el1_interrupt',
  'el1_brk64',
  'do_el1_brk64',
  'kprobe_brk_handler',
  'kunwind_pre_handler',
  'do_interrupt_handler',
  'call_on_irq_stack',
  'gic_handle_irq',
  'generic_handle_irq',
  'generic_handle_nmi',
  'do_serror',
  'kunwind_request_walk',
] as const;

/**
 * The part that runs in the exception of a kprobe while regs->pc is, or the PC was, in the slot.
 * The scenario's own kprobes belong to it, so the scenario itself may run in there.
 */
export const KPROBE_CODE: readonly string[] = [
  ...ENTRY_CODE,
  'el1h_64_sync_handler',
  'el1_brk64',
  'irqentry_nmi_enter',
  'irqentry_nmi_exit',
  'do_el1_brk64',
  'kprobe_brk_handler',
  'kprobe_ss_brk_handler',
  'ret_to_kernel',
];

/** All exception code. */
export const EXCEPTION_CODE: readonly string[] = ['vectors', ...AFTER_VECTOR, ...SDEI_ONLY];

const WHY = {
  ...SHARED_WHY,
  hidden:
    'the SDEI record of this event, or of the one being handled, hides the caller of a function without a record',
  unfinished:
    'SDEI: x29 is still the interrupted one until it is set, and the record is stale until PC is stored',
  distrusted: "an SDEI handler's record does not say what was interrupted: the walk is unreliable",
  outerCode: 'the first exception came in code without an SFrame entry',
  outerCodeV5: 'the first exception came in code without an SFrame entry, which WARNs',
  crossed: 'two boundaries, with CFI on both sides of each',
};

/** What matters about the interrupted scenario. */
export interface InterruptedCode {
  /** Some of its code has no SFrame entry. */
  readonly unannotated?: boolean;
  /** Handlers sometimes walk a blocked task, and such a walk meets no boundary. */
  readonly blockedTask?: boolean;
}

/** Promises for every scenario whose CFI is correct wherever there is any. */
export function insideExceptions({
  unannotated = false,
  blockedTask = false,
}: InterruptedCode = {}): Promises {
  const sdei = { kinds: ['sdei'], depth: 2 } as const;
  const boundary = { kinds: BOUNDARY_KINDS, depth: 2 } as const;
  const afterVector = { in: AFTER_VECTOR, depth: 2 } as const;
  return mergePromises(
    under(
      ['frame-pointer'],
      (blockedTask ? allowed : always)('unreliable', boundary, WHY.boundary),
      allowed('unreliable', { ...sdei, in: AFTER_VECTOR }, WHY.boundary),
      allowed(
        'missing',
        {
          ...sdei,
          in: ['vectors', ...ENTRY_CODE, 'ret_to_kernel', ...SDEI_ONLY, ...SDEI_SHARED],
        },
        WHY.hidden,
      ),
    ),
    // This holds for whatever an SDEI event interrupts, at either depth. The event says nothing of
    // another task.
    under(
      RECOVERING,
      (blockedTask ? allowed : always)('unreliable', { kinds: ['sdei'] }, WHY.distrusted),
      allowed('unreliable', { kinds: ['brk'], in: SDEI_C, depth: 2 }, WHY.distrusted),
    ),
    under(
      SKIPPING,
      allowed(
        'missing',
        {
          ...sdei,
          in: EXCEPTION_CODE.filter((name) => !ENTRY_CODE.some((entry) => entry === name)),
        },
        WHY.hidden,
      ),
      allowed('missing', { kinds: ['brk'], in: SDEI_C, depth: 2 }, WHY.hidden),
      allowed('missing', { ...sdei, in: ENTRY_CODE }, WHY.unfinished),
      allowed('spurious', { ...sdei, in: ENTRY_CODE }, WHY.unfinished),
    ),
    under(
      ['sframe-v6'],
      allowed('unreliable', { ...boundary, in: EXCEPTION_CODE }, WHY.alignment),
      allowed('unreliable', { ...sdei, in: AFTER_VECTOR }, WHY.alignment),
    ),
    ...(unannotated
      ? [
          under(['sframe-v5'], allowed('warned', afterVector, WHY.outerCodeV5)),
          under(
            ['sframe-v6', 'sframe-strict', 'fgraph-detect', 'fgraph-recover'],
            allowed('unreliable', afterVector, WHY.outerCode),
          ),
        ]
      : []),
  );
}

/** Policies whose answers at depth 2 do not depend on the address of the stack. */
const ALIGNED = ['sframe-v5', 'sframe-strict', ...RECOVERING] as const;
/** Those among them that take SDEI's record for that of a call. */
const ALIGNED_TRUSTING = ['sframe-v5', 'sframe-strict'] as const;

/**
 * What must be seen at depth 2 in a scenario that is annotated throughout.
 * @param instructions instructions of the scenario that a BRK can interrupt; an SError can
 * interrupt as many
 */
export function requiredInside(instructions: number): Promises {
  const sdei = { kinds: ['sdei'], depth: 2 } as const;
  // x29 is still the interrupted one up to its `add` (24 instructions), and the next one stores PC.
  const stale = 24;
  return mergePromises(
    under(TRUSTING_SDEI, always('missing', { ...sdei, in: ['vectors'] }, WHY.hidden)),
    under(ALIGNED, exact({ kinds: ['irq', 'nmi', 'serror'], depth: 2 }, WHY.crossed)),
    under(
      RECOVERING,
      always(
        'unreliable',
        { kinds: ['brk'], in: ['kunwind_sdei_callback'], depth: 2 },
        WHY.distrusted,
      ),
    ),
    under(
      ALIGNED_TRUSTING,
      always('missing', { ...sdei, in: FRAMELESS }, WHY.hidden),
      seen('missing', { ...sdei, in: ['__sdei_asm_handler', '__sdei_handler'] }, WHY.hidden),
    ),
    under(
      ['frame-pointer'],
      seen('missing', { ...sdei, in: ['el1h_64_sync'] }, WHY.hidden, stale * instructions),
    ),
    under(
      ALIGNED_TRUSTING,
      seen('missing', { ...sdei, in: ['el1h_64_sync'] }, WHY.unfinished, stale * instructions + 1),
    ),
  );
}

/**
 * A walk from where the first exception came has this verdict. So may any walk from inside that
 * exception, unless an SDEI event makes it unreliable, under the policies that recognise one.
 */
export function insideUnsafe(
  policies: readonly PolicyName[],
  verdict: AllowedVerdict['verdict'],
  reason: string,
): Promises {
  const points = { in: EXCEPTION_CODE, depth: 2 } as const;
  const why = `first exception: ${reason}`;
  return mergePromises(
    under(
      policies.filter((policy) => TRUSTING_SDEI.includes(policy)),
      allowed(verdict, points, why),
    ),
    under(
      policies.filter((policy) => RECOVERING.includes(policy)),
      allowed(verdict, { ...points, kinds: BOUNDARY_KINDS }, why),
    ),
  );
}
