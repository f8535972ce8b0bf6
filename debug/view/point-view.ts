/** Everything that is shown about one position by `--print`, by the screen and by `monitor`. */
import type { Address } from '../../base/address.js';
import type { Disassembler } from '../../aarch64/disassembler.js';
import type { WalkMode } from '../../unwinder/kunwind.js';
import type { Policy } from '../../unwinder/policy.js';
import type { Asker, Evaluator } from '../evaluate.js';
import { formatPlace } from '../place.js';
import { codeView, type CodeLine, type CodeWindow } from './code-view.js';
import { type RegisterLine, registerView } from './register-view.js';
import { type StackSection, stackView } from './stack-view.js';
import { type TracerView, tracerView } from './tracer-view.js';
import { type NoWalkView, walkScene, type WalkView } from './walk-view.js';

/** What to show, besides the position. */
export interface PointQuestion {
  readonly asker: Asker;
  readonly policy: Policy;
  readonly mode?: WalkMode;
  readonly window?: CodeWindow;
}

/** One position. */
export interface PointView {
  readonly scenario: string;
  readonly position: number;
  /** In the sweep's terms: `12`, `12:irq/40`. */
  readonly place: string;
  readonly pc: Address;
  /** `function+0x10/0x40`. */
  readonly at: string;
  readonly instruction: string;
  /** The task that is current. */
  readonly task: string;
  readonly code: readonly CodeLine[];
  readonly registers: readonly RegisterLine[];
  /** The stack in the handler when a walk could be asked for, else at this position. */
  readonly stack: readonly StackSection[];
  /** Whether `stack` is the handler's. */
  readonly stackInHandler: boolean;
  readonly tracers: TracerView;
  readonly walk: WalkView | NoWalkView;
}

const WINDOW: CodeWindow = { before: 4, after: 6 };

/** The view of the timeline's position. */
export function pointView(
  evaluator: Evaluator,
  disassembler: Disassembler | undefined,
  { asker, policy, mode = 'reliable', window = WINDOW }: PointQuestion,
): PointView {
  const { line } = evaluator;
  const { parts, machine } = line;
  const before = line.registersBefore();
  const registers = line.registers();
  const { pc } = line;
  const code = codeView(parts, disassembler, pc, window);
  const task = line.truth.currentTask;
  const scene = walkScene(evaluator, asker, policy, mode);
  return {
    scenario: line.scenario.name,
    position: line.position,
    place: formatPlace(line.place),
    pc,
    at: machine.symbols.format(pc),
    instruction: code.find(({ isCurrent }) => isCurrent)?.text ?? '',
    task: machine.symbols.at(task)?.symbol.name ?? '?',
    code,
    registers: registerView(registers.words, before, machine.symbols),
    stack: 'problem' in scene ? stackView(parts, registers) : scene.stack,
    stackInHandler: !('problem' in scene),
    tracers: tracerView(machine, task),
    walk: 'problem' in scene ? scene : scene.walk,
  };
}
