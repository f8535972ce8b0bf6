/** The view of a position as lines of text, section by section. */
import { plural } from '../../base/number-text.js';
import { formatAddress } from '../../base/address.js';
import type { CodeLine } from './code-view.js';
import { clip } from '../../base/fit.js';
import type { PointView } from './point-view.js';
import type { RegisterLine } from './register-view.js';
import type { StackSection } from './stack-view.js';
import type { TracerView } from './tracer-view.js';
import type { TextStyle } from './text-style.js';
import { walkLines } from './walk-text.js';

/** All sections of the view, separated by empty lines. */
export function* pointLines(view: PointView, style: TextStyle): Generator<string> {
  const { paint } = style;
  yield paint.bold(clip(`${view.scenario} ${view.place}, position ${view.position}`, style.width));
  yield clip(`at ${view.at}: ${view.instruction}`, style.width);
  yield* section('code', codeLines(view.code, style), style);
  yield* section('registers', registerLines(view.registers, style), style);
  const where = view.stackInHandler ? 'stack, at the walk request' : 'stack';
  yield* section(where, stackLines(view.stack, style), style);
  yield* section(`tracers of ${view.task}`, tracerLines(view.tracers, style), style);
  yield* section('walk', walkLines(view.walk, style), style);
}

function* section(
  title: string,
  lines: Iterable<string>,
  { paint, width }: TextStyle,
): Generator<string> {
  yield '';
  yield paint.dim(`-- ${title} ${'-'.repeat(Math.max(0, width - title.length - 4))}`);
  yield* lines;
}

/** Instructions. `=>` marks the current one; the SFrame rule in force is at the right. */
function* codeLines(code: readonly CodeLine[], style: TextStyle): Generator<string> {
  const { paint, width } = style;
  // The longest usual rule, `CFA=SP+32 FP=c-32 RA=c-24 [mangled]`, fits in 80 columns.
  const ruleWidth = Math.min(37, Math.floor(width * 0.46));
  const textWidth = width - ruleWidth - 4;
  for (const line of code) {
    if (line.label !== undefined) yield paint.bold(`${clip(line.label, width - 1)}:`);
    const probed = line.probed === undefined ? '' : ` (kprobe on ${line.probed})`;
    const text = clip(`${offsetOf(line.place)} ${shorten(line.text)}${probed}`, textWidth);
    const rule = clip(line.rule ?? 'no SFrame entry', ruleWidth);
    const mark = line.isCurrent ? '=>' : '  ';
    const shown = `${mark} ${text.padEnd(textWidth)} ${paint.dim(rule)}`;
    yield line.isCurrent ? paint.bold(shown) : shown;
  }
}

/** `+0x10` of `name+0x10`. */
function offsetOf(place: string): string {
  const at = place.lastIndexOf('+');
  return (at < 0 ? place : place.slice(at)).padEnd(6);
}

/** Leave out a branch target's address: its symbol tells more. */
function shorten(text: string): string {
  return text.replace(/\b[0-9a-f]{16} <([^>]+)>/, '<$1>');
}

/** Registers in columns; `*` marks what the last step changed. */
export function* registerLines(
  registers: readonly RegisterLine[],
  { paint, width }: TextStyle,
): Generator<string> {
  const general = registers.filter(({ name }) => /^x\d+$|^sp$/.test(name));
  // A cell takes 21 characters, with 3 between cells.
  const columns = Math.max(1, Math.min(4, Math.floor((width + 3) / 24)));
  const rows = Math.ceil(general.length / columns);
  const cell = ({ name, value, changed }: RegisterLine): string => {
    const text = `${changed ? '*' : ' '}${name.padEnd(3)} ${value}`;
    return changed ? paint.yellow(text) : text;
  };
  for (let row = 0; row < rows; row++) {
    const cells: string[] = [];
    for (let at = row; at < general.length; at += rows)
      cells.push(cell(general[at] as RegisterLine));
    yield cells.join('   ').trimEnd();
  }
  for (const register of registers) {
    if (general.includes(register)) continue;
    const meaning = register.meaning === '' ? '' : `  ${register.meaning}`;
    const text = `${register.changed ? '*' : ' '}${register.name.padEnd(9)}${register.value}${meaning}`;
    yield register.changed ? paint.yellow(clip(text, width)) : clip(text, width);
  }
  for (const register of general) {
    if (register.meaning === '' || !/^(x29|x30|sp)$/.test(register.name)) continue;
    yield clip(` ${register.name.padEnd(9)}-> ${register.meaning}`, width);
  }
}

/** Words of the stacks, highest address last. Registers of a pt_regs go four to a line. */
export function* stackLines(
  sections: readonly StackSection[],
  { paint, width }: TextStyle,
): Generator<string> {
  for (const { kind, low, high, words, omitted } of sections) {
    yield paint.bold(`${kind} stack ${formatAddress(low)}..${formatAddress(high)}`);
    let zeros = 0;
    let object: number | undefined;
    for (const word of words) {
      const plain = word.role === '' && word.markers.length === 0 && word.symbol === '';
      if (plain && /^0+$/.test(word.value)) {
        zeros++;
        continue;
      }
      if (zeros > 0) yield paint.dim(`      ${zeros} zero word${zeros === 1 ? '' : 's'}`);
      zeros = 0;
      // A bar joins the words of one record.
      const begins = word.object !== undefined && word.object !== object;
      object = word.object;
      const bar = object === undefined ? ' ' : begins ? '+' : '|';
      const marks = word.markers.map((name) => `<- ${name}`).join(' ');
      const signed = word.isSigned ? ' signed' : '';
      const head = `${formatAddress(word.address).slice(-6)} ${bar} ${word.value}`;
      const rest = [word.role, `${word.symbol}${signed}`, marks].filter(
        (text) => text.trim() !== '',
      );
      const text = clip(`  ${head}  ${rest.join('  ')}`.trimEnd(), width);
      yield marks === '' ? text : paint.bold(text);
    }
    if (zeros > 0) yield paint.dim(`      ${zeros} zero word${zeros === 1 ? '' : 's'}`);
    if (omitted > 0) yield paint.dim(`      ${plural(omitted, 'more word')}`);
  }
}

/** The graph return stack and kretprobe instances, newest first. */
export function* tracerLines(
  { graph, kretprobes }: TracerView,
  { width }: TextStyle,
): Generator<string> {
  if (graph === undefined) yield 'no function-graph return stack';
  else if (graph.length === 0) yield 'function-graph return stack: empty';
  for (const { index, func, retSymbol, retp } of graph ?? []) {
    yield clip(`ret_stack[${index}] ${func}: ret ${retSymbol} retp ${formatAddress(retp)}`, width);
  }
  for (const { index, retSymbol, fp } of kretprobes) {
    yield clip(`kretprobe[${index}]: ret ${retSymbol} fp ${formatAddress(fp)}`, width);
  }
}
