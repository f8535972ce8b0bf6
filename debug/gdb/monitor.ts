/** The `monitor` commands of gdb: what the unwinder says here, and what is true. */
import { nearestNames } from '../../elf/symbol-names.js';
import { codeName } from '../../kernel-model/code-name.js';
import { KIND_NAMES } from '../../kernel-model/exception-kind.js';
import { EntryKind } from '../../kernel-model/ground-truth.js';
import { POLICIES } from '../../unwinder/policies/all.js';
import type { Policy, PolicyName } from '../../unwinder/policy.js';
import type { Asker, Evaluator } from '../evaluate.js';
import { formatPlace } from '../place.js';
import type { TextStyle } from '../view/text-style.js';
import { walkLines } from '../view/walk-text.js';
import { walkScene } from '../view/walk-view.js';

/** gdb caches what it has read, so the user must be told of an exception taken behind its back. */
const STALE =
  'gdb still shows the registers before it: `maintenance flush register-cache`, or stepi';

const HELP = [
  'unwind           the walk of the policy, asked for here, beside the truth, and how each entry was found',
  'truth            the calls that are pending here, innermost first, as the CPU recorded them',
  'interrupt KIND   take an exception here: ' + KIND_NAMES.join(', '),
  'policy [POLICY]  show or choose the policy: ' + Object.keys(POLICIES).join(', '),
  'kind [KIND]      show or choose the exception that asks for the walk',
  'where            the position, and the point as `sweep --point` names it',
  'help             this list',
];

/**
 * Commands that take an argument. Others refuse one, because it was meant to change what they do.
 */
const WITH_ARGUMENT: readonly string[] = ['interrupt', 'policy', 'kind'];

/** Answers the commands of one timeline. */
export class GdbMonitor {
  private readonly commands: Readonly<Record<string, (argument: string) => string>> = {
    unwind: () => this.unwind(),
    truth: () => this.truth(),
    interrupt: (kind) => this.interrupt(kind),
    policy: (name) => this.choosePolicy(name),
    kind: (name) => this.chooseKind(name),
    where: () => this.where(),
    help: () => HELP.join('\n'),
  };

  /** @param kind index in `KIND_NAMES` of the exception that asks for walks */
  constructor(
    private readonly evaluator: Evaluator,
    private policy: Policy,
    private kind: number,
    private readonly style: TextStyle,
  ) {}

  /** The lines to print, with a newline at the end. */
  answer(line: string): string {
    const [name = '', argument = '', ...more] = line.trim().split(/\s+/);
    const command = Object.hasOwn(this.commands, name) ? this.commands[name] : undefined;
    if (command === undefined) {
      const printable = JSON.stringify(name.slice(0, 40));
      return `no monitor command ${printable}; there are ${Object.keys(this.commands).join(', ')}\n`;
    }
    const takes = WITH_ARGUMENT.includes(name) ? 'one word' : 'no argument';
    if (more.length > 0 || (argument !== '' && takes !== 'one word'))
      return `${name} takes ${takes}\n`;
    return `${command(argument)}\n`;
  }

  private get asker(): Asker {
    return this.evaluator.isPossible('direct') ? 'direct' : this.kind;
  }

  private unwind(): string {
    // A debugger may have changed anything, and a handler that runs freely might never return.
    this.evaluator.line.parts.driver.alwaysStepped = true;
    const scene = walkScene(this.evaluator, this.asker, this.policy);
    return [...walkLines('problem' in scene ? scene : scene.walk, this.style)].join('\n');
  }

  private truth(): string {
    const { line } = this.evaluator;
    const { machine } = line;
    const { symbols } = machine;
    const { current, currentTask } = line.truth;
    const { addresses, kinds, depth } = current;
    const pending = Array.from(addresses.subarray(0, depth), (at, i) => {
      const interrupted = kinds[i] === EntryKind.EXCEPTION;
      return `${codeName(machine, at, interrupted)}${interrupted ? ' (interrupted)' : ''}`;
    });
    const lines = [symbols.format(line.pc), ...pending.reverse()];
    const task = symbols.at(currentTask)?.symbol.name ?? '?';
    return [`task ${task}`, ...lines.map((text, i) => `#${i}  ${text}`)].join('\n');
  }

  private interrupt(name: string): string {
    const kind = kindNamed(name);
    if (typeof kind === 'string') return kind;
    const { line } = this.evaluator;
    const stop = line.interrupt(kind);
    if (stop.reason !== 'moved') return `${name}: ${stop.detail}`;
    return `${name} taken: ${line.machine.symbols.format(line.pc)}\n${STALE}`;
  }

  private choosePolicy(name: string): string {
    if (name !== '') {
      if (!Object.hasOwn(POLICIES, name)) {
        const near = nearestNames(name, Object.keys(POLICIES), 2);
        const names = near.length > 0 ? near : Object.keys(POLICIES);
        return `no policy ${JSON.stringify(name.slice(0, 40))}; there are ${names.join(', ')}`;
      }
      this.policy = POLICIES[name as PolicyName];
    }
    return `policy ${this.policy.name}`;
  }

  private chooseKind(name: string): string {
    if (name !== '') {
      const kind = kindNamed(name);
      if (typeof kind === 'string') return kind;
      this.kind = kind;
    }
    return `kind ${KIND_NAMES[this.kind] ?? '?'}`;
  }

  private where(): string {
    const { line } = this.evaluator;
    return `position ${line.position}, point ${formatPlace(line.place, this.kind)}`;
  }
}

/** Index of a kind, or why there is none, in one line. */
function kindNamed(name: string): number | string {
  const kind = KIND_NAMES.findIndex((one) => one === name);
  if (kind >= 0) return kind;
  const given = name === '' ? 'a kind is needed' : `no kind ${JSON.stringify(name.slice(0, 40))}`;
  return `${given}; there are ${KIND_NAMES.join(', ')}`;
}
