/** Searches code: instructions by their text, and functions by name. */
import type { Address } from '../../base/address.js';
import type { Timeline } from '../timeline.js';
import type { CodeLine } from '../view/code-view.js';
import { codeText } from './pane-content.js';

/** Most instructions that are searched: a kernel has millions, and each must be disassembled. */
const MAX_STEPS = 1 << 14;

/**
 * The next instruction after `from` (or before it) whose text, rule or label contains `text`, up to
 * {@link MAX_STEPS} instructions away. If there is none, the next function whose name contains it,
 * wrapping around the image.
 */
export function searchCode(
  line: Timeline,
  lineAt: (address: Address) => CodeLine | undefined,
  from: Address,
  text: string,
  step: 4 | -4,
): Address | undefined {
  const wanted = text.toLowerCase();
  const named = line.machine.symbols.byName(text);
  if (named !== undefined && named.address !== from) return named.address;
  for (let i = 1; i <= MAX_STEPS; i++) {
    const found = lineAt(from + i * step);
    if (found === undefined) break;
    const shown = `${found.label ?? ''}\n${codeText(found)}\n${found.rule ?? ''}`;
    if (shown.toLowerCase().includes(wanted)) return found.address;
  }
  const functions = [...line.machine.symbols.functions()]
    .filter(({ name }) => name.toLowerCase().includes(wanted))
    .map(({ address }) => address);
  if (step < 0) functions.reverse();
  return functions.find((address) => (address - from) * step > 0) ?? functions[0];
}
