/**
 * A record of every position as lines of JSON: `{"format":"kunwind-trace","version":1,...}` first,
 * then one object for each position of the scenario. docs/debugger.md describes the fields.
 */
import { formatAddress } from '../base/address.js';
import type { Disassembler } from '../aarch64/disassembler.js';
import { GENERAL_REGISTERS, Reg, registerName } from '../emulator/registers.js';
import { KIND_NAMES } from '../kernel-model/exception-kind.js';
import { VERDICTS } from '../scenarios/verdict.js';
import type { WalkMode } from '../unwinder/kunwind.js';
import type { Policy } from '../unwinder/policy.js';
import type { Asker, Evaluator } from './evaluate.js';
import { formatPlace } from './place.js';
import { instructionText } from './view/code-view.js';

/** Version of the format. Raised when the meaning of a field changes. */
const TRACE_VERSION = 1;

/** What is traced. */
export interface TraceRequest {
  readonly asker: Asker;
  readonly policies: readonly Policy[];
  readonly mode: WalkMode;
}

/** The lines, from the timeline's position to the end of the thread or to what stops it. */
export function* traceLines(
  evaluator: Evaluator,
  disassembler: Disassembler | undefined,
  { asker, policies, mode }: TraceRequest,
): Generator<string> {
  const { line } = evaluator;
  const { symbols, memory } = line.machine;
  const kind = asker === 'direct' ? 'direct' : KIND_NAMES[asker];
  yield JSON.stringify({
    format: 'kunwind-trace',
    version: TRACE_VERSION,
    scenario: line.scenario.name,
    kind,
    mode,
    policies: policies.map(({ name }) => name),
  });
  let before: Uint32Array | undefined;
  for (;;) {
    const { words } = line.registers();
    const { pc } = line;
    const verdicts = evaluator.verdicts(asker, policies, mode);
    yield JSON.stringify({
      position: line.position,
      index: line.place.index ?? null,
      place: formatPlace(line.place),
      pc: formatAddress(pc),
      symbol: symbols.format(pc),
      instruction: instructionText(disassembler, memory.readWord(pc) ?? 0, pc),
      changed: changed(before, words),
      verdicts:
        verdicts === undefined
          ? null
          : Object.fromEntries(policies.map(({ name }, i) => [name, VERDICTS[verdicts[i] ?? 0]])),
    });
    before = words.slice();
    const stop = line.step();
    if (stop.reason === 'moved') continue;
    yield JSON.stringify({ end: stop.reason, detail: stop.detail });
    return;
  }
}

/**
 * General registers that differ, by name, with their new values. Not the PC, which has its own
 * field.
 */
function changed(before: Uint32Array | undefined, now: Uint32Array): Record<string, string> {
  const found: Record<string, string> = {};
  if (before === undefined) return found;
  for (let i = 0; i < GENERAL_REGISTERS; i++) {
    const low = now[2 * i] as number;
    const high = now[2 * i + 1] as number;
    if (i === Reg.PC || (before[2 * i] === low && before[2 * i + 1] === high)) continue;
    found[registerName(i)] = `0x${((BigInt(high) << 32n) | BigInt(low)).toString(16)}`;
  }
  return found;
}
