/** Shows how much of the user's functions a sweep has executed. */
import { wrap } from '../base/fit.js';
import type { FunctionCoverage } from '../sweep/function-coverage.js';
import type { SweepReport } from '../sweep/report.js';
import { count, firstNames, plural } from '../base/number-text.js';
import type { Style } from './style.js';

/** Most functions that are each shown. For more, the sum and the least executed ones are shown. */
const MAX_EACH = 4;
/** How many of the least executed functions are shown. */
const MAX_LEAST = 10;
/** In percent: verdicts on less than this say little about a function. */
const ENOUGH = 50;

type Share = Pick<FunctionCoverage, 'executed' | 'instructions'>;

/** The lines. There are none for a sweep of built-in scenarios. */
export function* coverageLines(report: SweepReport, style: Style): Generator<string> {
  const { colors } = style;
  const all = measured(report);
  if (all.length === 0) return;
  const shown = [...all].sort((a, b) => share(a) - share(b));
  if (all.length <= MAX_EACH) {
    for (const one of all) yield* oneLine(one, style);
  } else {
    yield `${plural(all.length, 'function')}: ${shareText(coverageSum(report))}`;
    yield 'the least executed:';
    for (const one of shown.slice(0, MAX_LEAST)) {
      const of = `${count(one.executed)} of ${count(one.instructions)}`;
      yield `  ${percentText(one).padStart(5)}  ${of.padStart(13)}  ${one.function}`;
    }
  }
  const few = all.filter((one) => share(one) < ENOUGH).length;
  if (few === 0) return;
  const what =
    all.length === 1 ? 'under a half' : `${count(few)} of ${count(all.length)} under a half`;
  const advice = 'what was not executed was not tested: other --args may reach it';
  yield* wrap(`warning: ${what}; ${advice}`, style.width).map((line) => colors.yellow(line));
}

/** `vfs_read: 6 of 212 instructions executed, 3 %`. A long name gets a line of its own. */
function oneLine(coverage: FunctionCoverage, { width }: Style): string[] {
  const name = `${coverage.function}:`;
  const text = shareText(coverage);
  return name.length + 1 + text.length <= width ? [`${name} ${text}`] : [name, `  ${text}`];
}

function shareText(sum: Share): string {
  if (sum.instructions === 0) return 'no instruction is known to have been executed';
  const instructions = plural(sum.instructions, 'instruction');
  return `${count(sum.executed)} of ${instructions} executed, ${percentText(sum)}`;
}

/** Rounded, but 0 and 100 appear only for none and all. */
function percentText(sum: Share): string {
  const { executed, instructions } = sum;
  if (executed === 0) return '0 %';
  if (executed === instructions) return '100 %';
  return `${Math.min(99, Math.max(1, Math.round(share(sum))))} %`;
}

/** All functions together. */
function coverageSum(report: SweepReport): Share {
  const sum = { executed: 0, instructions: 0 };
  for (const { executed, instructions } of measured(report)) {
    sum.executed += executed;
    sum.instructions += instructions;
  }
  return sum;
}

/** ` in the 3 % executed`: a remark after "all as promised" when that says little. Else empty. */
export function coverageRemark(report: SweepReport): string {
  const sum = coverageSum(report);
  if (100 * sum.executed >= ENOUGH * sum.instructions) return '';
  return ` in the ${percentText(sum)} executed`;
}

/**
 * One line when less of some functions was executed than was asked for; else undefined.
 * @param least in percent; undefined when nothing was asked for
 */
export function tooLittle(report: SweepReport, least: number | undefined): string | undefined {
  if (least === undefined) return undefined;
  const few = measured(report).filter((one) => share(one) < least);
  if (few.length === 0) return undefined;
  const names = few.map((one) => `${one.function} (${percentText(one)})`);
  const shown = firstNames(names, MAX_EACH);
  const verb = few.length === 1 ? 'is' : 'are';
  return `${plural(few.length, 'function')} ${verb} below --min-coverage ${least}: ${shown}`;
}

function measured({ scenarios }: SweepReport): FunctionCoverage[] {
  return scenarios.flatMap(({ coverage }) => (coverage === undefined ? [] : [coverage]));
}

/** In percent. */
function share({ executed, instructions }: Share): number {
  return instructions === 0 ? 0 : (100 * executed) / instructions;
}
