/**
 * The claims of the review thread of the SFrame series, one scenario each, so that a reader can
 * replay them; docs/review-claims.md has the commands. Scenarios of other families that show a
 * claim have the topic `review`. The kinds are those that leave a metadata record, unless SDEI is
 * the subject.
 */
import { BOUNDARY_KINDS } from '../promise-terms.js';
import type { Scenario, ScenarioFamily } from '../scenario.js';
import { claim } from './claim.js';
import { graphIndex, window } from './graph.js';
import {
  ALIGNED,
  at,
  everywhere,
  exactIn,
  exactUnder,
  WHY,
  withoutEntry,
} from './review-promises.js';
import { dropped, falseFinal, halfRecord, raConsumed, splitRecord, stackLeft } from './records.js';
import { v5Claims } from './v5.js';

const ALL_KINDS = [...BOUNDARY_KINDS, 'sdei'] as const;

const broken: readonly Scenario[] = [
  claim(
    {
      name: 'dropped-error',
      summary: 'v5, v6: a chain that ends in a bad x29 is called reliable, its error dropped',
      entry: 'review_dropped_entry',
      kinds: ALL_KINDS,
      result: 26,
      topics: ['v5', 'v6'],
    },
    () => [dropped()],
  ),
  claim(
    {
      name: 'stack-left',
      summary: 'a record chain that comes back to a stack it has left is refused',
      entry: 'review_left_stack_entry',
      result: 16,
    },
    () => [stackLeft()],
  ),
  claim(
    {
      name: 'false-final',
      summary: "a FINAL record other than the task's own WARNs, and ends no trace",
      entry: 'review_false_final_entry',
      result: 16,
    },
    () => [falseFinal()],
  ),
];

const loads: readonly Scenario[] = [
  claim(
    {
      name: 'fp-below-ra',
      summary:
        'FP saved below RA: reading and consuming FP both leave RA readable (compare fp-above-ra)',
      entry: 'review_fp_below_ra_entry',
      result: 7,
    },
    () => [exactIn('review_fp_below_ra')],
  ),
  claim(
    {
      name: 'fp-above-ra',
      summary: 'FP saved above RA: exact because FP is only read; consuming it would lose RA',
      entry: 'review_fp_above_ra_entry',
      result: 7,
    },
    () => [exactIn('review_fp_above_ra')],
  ),
  claim(
    {
      name: 'ra-consumed',
      summary:
        'an x29 into the frame just unwound is refused, but only where RA was loaded above it',
      entry: 'review_buffer_entry',
      result: 7,
    },
    () => [raConsumed()],
  ),
];

const halfBuilt: readonly Scenario[] = [
  claim(
    {
      name: 'half-record',
      summary:
        'x29 at a record not yet written: SFrame is exact, a walk from SDEI lists stale data',
      entry: 'review_half_record_entry',
      kinds: ALL_KINDS,
      result: 9,
      topics: ['sdei'],
    },
    () => [halfRecord()],
  ),
  claim(
    {
      name: 'split-record',
      summary: 'FP stored before LR: SFrame cannot say so, and the function has no entry',
      entry: 'review_split_record_entry',
      kinds: ALL_KINDS,
      result: 8,
      topics: ['sdei'],
    },
    () => [splitRecord()],
  ),
];

const irqStack: readonly Scenario[] = [
  claim(
    {
      name: 'irq-stack-cfi',
      summary: 'call_on_irq_stack with its CFI: interrupted at any instruction, exact',
      entry: 'review_irq_stack_entry',
      result: 20,
      topics: ['irq-stack'],
    },
    () => [exactIn('call_on_irq_stack', 'review_framed', 'review_leaf')],
  ),
  claim(
    {
      name: 'irq-stack-nocfi',
      summary: 'a copy without CFI: what it calls is exact by its record, the copy itself is not',
      entry: 'review_irq_stack_nocfi_entry',
      result: 20,
      topics: ['irq-stack'],
    },
    () => [withoutEntry('review_call_on_irq_stack'), exactIn('review_framed', 'review_leaf')],
  ),
];

/** The same instructions, 16 bytes apart. */
const alignment: readonly Scenario[] = [
  claim(
    {
      name: 'cfa-bit4-clear',
      summary: 'v6: exact where bit 4 of the CFA is clear (compare cfa-bit4-set)',
      entry: 'review_shifted_entry',
      args: [{ number: 5 }, { number: 0 }],
      result: 20,
      topics: ['v6'],
    },
    () => [exactIn('review_framed', 'review_leaf')],
  ),
  claim(
    {
      name: 'cfa-bit4-set',
      summary: 'v6: the same code 16 bytes lower: every CFA has bit 4 set, and is refused',
      entry: 'review_shifted_entry',
      args: [{ number: 5 }, { number: 16 }],
      result: 20,
      topics: ['v6'],
    },
    () => [
      everywhere(['sframe-v6'], 'unreliable', at('review_framed', 'review_leaf'), WHY.alignment),
      exactUnder(ALIGNED, 'review_framed', 'review_leaf'),
    ],
  ),
];

const graph: readonly Scenario[] = [
  claim(
    {
      name: 'fgraph-window',
      summary:
        "the fgraph window: from what return_to_handler calls, the traced function's caller is skipped",
      entry: 'review_traced_entry',
      traced: ['review_traced'],
      kinds: ['nmi'],
      result: 16,
      topics: ['fgraph'],
    },
    () => [window()],
  ),
  claim(
    {
      name: 'graph-index',
      summary:
        'two replaced addresses at one frame pointer: the second search goes on below the first',
      entry: 'review_recordless_entry',
      traced: ['review_recordless', 'review_traced'],
      kinds: ['nmi'],
      result: 17,
      topics: ['fgraph'],
    },
    () => [graphIndex()],
  ),
];

/** The claims of the review thread. */
export const family: ScenarioFamily = {
  name: 'review',
  summary: 'the claims of the review thread of the SFrame series, one by one',
  elf: 'review.elf',
  scenarios: [...graph, ...v5Claims, ...broken, ...loads, ...halfBuilt, ...irqStack, ...alignment],
};
