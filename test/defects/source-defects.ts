/** Where sweeps show the mistakes of source-edits.ts. */
import { type Defect, nested, part, seen, type Sight, whole } from './defect.js';
import { TRUTH_EDITS, UNWINDER_EDITS } from './source-edits.js';

const BOTTOM = whole('calls/record-bottom');

function unwinderDefect(name: keyof typeof UNWINDER_EDITS, ...shownBy: readonly Sight[]): Defect {
  return { name, where: 'unwinder', edit: UNWINDER_EDITS[name], shownBy };
}

function truthDefect(name: keyof typeof TRUTH_EDITS, ...shownBy: readonly Sight[]): Defect {
  return { name, where: 'ground truth', edit: TRUTH_EDITS[name], shownBy };
}

/** Five of them are shown by one scenario of the default sweep only, of the review family. */
export const UNWINDER_DEFECTS: readonly Defect[] = [
  unwinderDefect('no-pac-strip', seen(whole('calls/pac'), 'sframe-strict missing at pac_entry+')),
  unwinderDefect('wrong-alignment-mask', seen(BOTTOM, 'sframe-v5 unreliable at record_bottom+')),
  unwinderDefect(
    'fre-lookup-off-by-one',
    seen(BOTTOM, '22:irq sframe-v5 missing at record_bottom+'),
    seen(whole('sdei/prologue'), 'unmet: sframe-strict exact'),
  ),
  unwinderDefect(
    'stale-lr',
    seen(BOTTOM, 'sframe-v5 missing at record_bottom+'),
    seen(whole('calls/pac'), 'sframe-strict missing at pac_frame_a+'),
  ),
  unwinderDefect(
    'error-swallowed',
    seen(
      part('leaf/memset-spills-fp', 100, 140),
      'sframe-strict missing at leaf_memset_spills_fp+',
    ),
  ),
  unwinderDefect(
    'stack-reentered',
    seen(whole('review/stack-left'), 'unmet: sframe-strict unreliable'),
  ),
  unwinderDefect(
    'final-anywhere',
    seen(whole('review/false-final'), 'unmet: sframe-strict warned'),
  ),
  unwinderDefect(
    'graph-index-not-kept',
    seen(whole('review/graph-index'), 'unmet: sframe-strict exact'),
  ),
  {
    ...unwinderDefect(
      'fp-load-consumes',
      seen(whole('review/fp-above-ra'), 'unmet: sframe-strict exact'),
    ),
    // FP below RA does not tell whether FP is consumed.
    missedBy: [whole('review/fp-below-ra')],
  },
  unwinderDefect(
    'ra-load-keeps',
    seen(whole('review/ra-consumed'), 'unmet: sframe-strict unreliable'),
  ),
  unwinderDefect(
    'sdei-trusted',
    seen(whole('sdei/leaf'), 'fgraph-detect missing at sdei_leaf+'),
    seen(whole('fgraph/leaf'), 'fgraph-detect missing at fgraph_leaf+'),
    seen(whole('calls/leaf'), 'fgraph-detect missing at leaf_caller+'),
    // An event in the handling of an event.
    seen(
      nested('entry/trivial', 0, 1, ['sdei']),
      '0:sdei/30:sdei fgraph-detect missing at __sdei_handler+',
    ),
  ),
];

/** Recursion at its first returns: a return address is the PC and pending at once. */
const RETURNING = nested('calls/recursion', 424, 432, ['nmi']);

export const TRUTH_DEFECTS: readonly Defect[] = [
  truthDefect(
    'tail-call-pops',
    seen(whole('calls/indirect'), 'sframe-strict spurious at indirect_table+'),
  ),
  truthDefect(
    'call-not-recorded',
    seen(BOTTOM, 'wrong-result: returned nothing instead of 35'),
    seen(whole('calls/pac'), 'wrong-result: returned nothing instead of 107'),
  ),
  truthDefect(
    'eret-not-recorded',
    seen(nested('entry/trivial', 0, 1, ['irq']), 'sframe-strict missing at entry_trivial+'),
  ),
  truthDefect('sp-ignored', seen(RETURNING, 'sframe-v5 spurious at call_on_irq_stack+')),
];
