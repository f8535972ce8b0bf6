/** Defects that a harness can plant in the walker, to prove that its checks would see them. */

/**
 * - `no-pac-strip`: return addresses keep their pointer authentication code.
 * - `wrong-alignment-mask`: a CFA must be 32-byte aligned.
 * - `fre-lookup-off-by-one`: SFrame is asked for the instruction before the PC.
 * - `stale-lr`: an SFrame step always takes the return address from x30.
 * - `stack-reentered`: a stack once left may be entered again, as if nothing of it had been consumed.
 * - `error-swallowed`: an error of the walk counts as its end, under every policy.
 * - `final-anywhere`: a FINAL record ends the trace wherever it lies.
 * - `graph-index-not-kept`: each search of the return stack starts from the top.
 * - `fp-load-consumes`: an SFrame step consumes what is below the FP slot before it loads RA.
 * - `ra-load-keeps`: an SFrame step consumes nothing.
 * - `sdei-trusted`: the record of an SDEI handler is taken for that of a call, under every policy.
 */
export type UnwindDefect =
  | 'no-pac-strip'
  | 'wrong-alignment-mask'
  | 'fre-lookup-off-by-one'
  | 'stale-lr'
  | 'stack-reentered'
  | 'error-swallowed'
  | 'final-anywhere'
  | 'graph-index-not-kept'
  | 'fp-load-consumes'
  | 'ra-load-keeps'
  | 'sdei-trusted';

/** Every defect there is. */
export const UNWIND_DEFECTS: readonly UnwindDefect[] = [
  'no-pac-strip',
  'wrong-alignment-mask',
  'fre-lookup-off-by-one',
  'stale-lr',
  'stack-reentered',
  'error-swallowed',
  'final-anywhere',
  'graph-index-not-kept',
  'fp-load-consumes',
  'ra-load-keeps',
  'sdei-trusted',
];
