/**
 * A walk as lines: the verdict, the truth beside the trace, and below each entry how it was found.
 */
import { formatAddress } from '../../base/address.js';
import { clip, wrap } from '../../base/fit.js';
import type { TextStyle } from './text-style.js';
import { type NoWalkView, originText, type WalkStep, type WalkView } from './walk-view.js';

/** The lines for a walk, or the one that says why there is none. */
export function* walkLines(view: WalkView | NoWalkView, style: TextStyle): Generator<string> {
  const { paint, width } = style;
  if ('problem' in view) {
    yield view.problem;
    return;
  }
  const { policy, mode, asker, verdict, explanation } = view;
  const color =
    verdict === 'exact' ? paint.green : verdict === 'unreliable' ? paint.yellow : paint.red;
  yield `${policy}, ${mode}, asked by ${asker}: ${color(verdict)}`;
  if (explanation !== '') yield* wrap(explanation, width - 2).map((line) => `  ${line}`);
  if (view.kernel !== undefined) yield* wrap(view.kernel, width - 2).map((line) => `  ${line}`);
  const half = Math.floor((width - 6) / 2);
  yield paint.dim(`   ${'truth'.padEnd(half)} trace`);
  for (const [i, pair] of view.pairs.entries()) {
    const truth = view.truth[pair.truth];
    const step = view.steps[pair.trace];
    const mark = pair.wrong ? (i === view.firstDifference ? '!> ' : '!  ') : '   ';
    const left = truth === undefined ? '' : truthText(short(truth.symbol, half), truth.optional);
    const right = step === undefined ? '- absent' : short(step.symbol, half);
    const text = `${mark}${clip(left, half).padEnd(half)} ${clip(right, half)}`.trimEnd();
    yield pair.wrong ? paint.red(text) : text;
    if (step !== undefined) yield* stepLines(step, style).map((line) => paint.dim(line));
  }
  yield `  end: ${view.end}${view.error === 'none' ? '' : `, ${view.error}`}`;
}

/** Columns narrower than this leave out a function's size, so that its offset is visible. */
const ROOM_FOR_SIZES = 32;
/** Below this width, what a step read is shown in short form. */
const ROOM_FOR_READS = 72;

function short(symbol: string, half: number): string {
  return half < ROOM_FOR_SIZES ? symbol.replace(/\/0x[0-9a-f]+$/, '') : symbol;
}

function truthText(symbol: string, optional: boolean): string {
  return optional ? `(${symbol})` : symbol;
}

/** How one entry was found, indented below it. */
function stepLines(step: WalkStep, { width }: TextStyle): string[] {
  const lines = [`by ${originText(step)}`];
  for (const { what, address, value, stack } of step.reads) {
    if (width < ROOM_FOR_READS) {
      const where = `${stack ?? 'no stack'} ${formatAddress(address).slice(-6)}`;
      lines.push(`  ${what} = ${value} (${where})`);
      continue;
    }
    const where = stack === undefined ? '' : ` on the ${stack} stack`;
    lines.push(`  ${what} = ${value} at ${formatAddress(address)}${where}`);
  }
  return lines.map((line) => clip(`      ${line}`, width));
}
