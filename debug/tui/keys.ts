/** Which key does what, and the help text. They share one table, so that they cannot differ. */

/** What a key can ask for. `-back` commands go back in time; their keys are capital letters. */
export type Command =
  | 'step'
  | 'step-back'
  | 'over'
  | 'over-back'
  | 'finish'
  | 'finish-back'
  | 'address'
  | 'address-back'
  | 'call'
  | 'call-back'
  | 'verdict'
  | 'verdict-back'
  | 'continue'
  | 'continue-back'
  | 'exception'
  | 'forget'
  | 'policy'
  | 'policy-back'
  | 'kind'
  | 'kind-back'
  | 'mode'
  | 'breakpoint'
  | 'breakpoint-at'
  | 'watch'
  | 'unwatch'
  | 'search'
  | 'next-match'
  | 'previous-match'
  | 'next-pane'
  | 'previous-pane'
  | 'pane-1'
  | 'pane-2'
  | 'pane-3'
  | 'pane-4'
  | 'pane-5'
  | 'zoom'
  | 'down'
  | 'up'
  | 'page-down'
  | 'page-up'
  | 'top'
  | 'bottom'
  | 'to-pc'
  | 'redraw'
  | 'help'
  | 'quit';

interface Binding {
  /** Names as the screen reports them. */
  readonly keys: readonly string[];
  readonly command: Command;
}

/** A line of the help: what the user reads, and the keys that it describes. */
interface HelpEntry {
  readonly shown: string;
  readonly text: string;
  readonly bindings: readonly Binding[];
}

function bind(command: Command, ...keys: string[]): Binding {
  return { keys, command };
}

function both(key: string, command: Command, back: Command): Binding[] {
  return [bind(command, key), bind(back, key.toUpperCase())];
}

const SECTIONS: readonly (readonly [string, readonly HelpEntry[]])[] = [
  [
    'Moving: a small letter goes forward, the capital letter goes back',
    [
      { shown: 's S', text: 'step one instruction', bindings: both('s', 'step', 'step-back') },
      {
        shown: 'o O',
        text: 'step over a call or an exception',
        bindings: both('o', 'over', 'over-back'),
      },
      {
        shown: 'f F',
        text: 'finish this function; back to its call',
        bindings: both('f', 'finish', 'finish-back'),
      },
      {
        shown: 'a A',
        text: 'to an address: symbol, symbol+offset, hexadecimal',
        bindings: both('a', 'address', 'address-back'),
      },
      {
        shown: 'l L',
        text: 'to the next call (BL, BLR)',
        bindings: both('l', 'call', 'call-back'),
      },
      {
        shown: 'v V',
        text: 'to the next bad verdict of this policy and kind',
        bindings: both('v', 'verdict', 'verdict-back'),
      },
      {
        shown: 'c C',
        text: 'continue to a breakpoint or a watched change',
        bindings: both('c', 'continue', 'continue-back'),
      },
      { shown: 'Esc ^C', text: 'stop a command that is still running', bindings: [] },
    ],
  ],
  [
    'Judging',
    [
      {
        shown: 'p P',
        text: 'next and previous policy',
        bindings: both('p', 'policy', 'policy-back'),
      },
      {
        shown: 'i I',
        text: 'next and previous kind of exception that asks for the walk',
        bindings: both('i', 'kind', 'kind-back'),
      },
      { shown: 'm', text: 'reliable or best-effort walk', bindings: [bind('mode', 'm')] },
      {
        shown: 'x',
        text: 'take an exception here, as the next step',
        bindings: [bind('exception', 'x')],
      },
      {
        shown: 'u',
        text: 'forget the exceptions taken from here on',
        bindings: [bind('forget', 'u')],
      },
    ],
  ],
  [
    'Stopping',
    [
      {
        shown: 'b B',
        text: 'set or clear a breakpoint: at the cursor; at an address',
        bindings: both('b', 'breakpoint', 'breakpoint-at'),
      },
      {
        shown: 'w W',
        text: 'watch memory (address, size in bytes); stop watching',
        bindings: both('w', 'watch', 'unwatch'),
      },
    ],
  ],
  [
    'Looking',
    [
      {
        shown: 'Tab 1-5',
        text: 'next pane, or pane by number; Shift-Tab: previous',
        bindings: [
          bind('next-pane', 'TAB'),
          bind('previous-pane', 'SHIFT_TAB'),
          bind('pane-1', '1'),
          bind('pane-2', '2'),
          bind('pane-3', '3'),
          bind('pane-4', '4'),
          bind('pane-5', '5'),
        ],
      },
      { shown: 'z', text: 'this pane alone; again: all', bindings: [bind('zoom', 'z')] },
      {
        shown: 'j k',
        text: 'scroll, in the code: move the cursor (also arrows)',
        bindings: [bind('down', 'j', 'DOWN'), bind('up', 'k', 'UP')],
      },
      {
        shown: 'Space -',
        text: 'a page down, a page up (also ^D ^U, PgDn PgUp)',
        bindings: [
          bind('page-down', ' ', 'CTRL_D', 'PAGE_DOWN'),
          bind('page-up', '-', 'CTRL_U', 'PAGE_UP'),
        ],
      },
      {
        shown: 'g G',
        text: 'first and last line of the pane',
        bindings: [bind('top', 'g', 'HOME'), bind('bottom', 'G', 'END')],
      },
      { shown: '.', text: 'cursor to the next instruction', bindings: [bind('to-pc', '.')] },
      {
        shown: '/ n N',
        text: 'search this pane (code: symbols too); next, previous',
        bindings: [bind('search', '/'), bind('next-match', 'n'), bind('previous-match', 'N')],
      },
      { shown: '^L', text: 'redraw the screen', bindings: [bind('redraw', 'CTRL_L')] },
      { shown: '? h', text: 'this help', bindings: [bind('help', '?', 'h')] },
      { shown: 'q', text: 'quit', bindings: [bind('quit', 'q')] },
    ],
  ],
];

const COMMANDS: ReadonlyMap<string, Command> = new Map(
  SECTIONS.flatMap(([, entries]) =>
    entries.flatMap(({ bindings }) =>
      bindings.flatMap(({ keys, command }) => keys.map((key) => [key, command] as const)),
    ),
  ),
);

/** What a key asks for, or undefined. */
export function commandFor(key: string): Command | undefined {
  return COMMANDS.get(key);
}

/** The most important keys, for the last line of the screen. */
export const HELP_LINE =
  's step o over f finish l call v verdict c cont, capital: back  x p i b / z ? q';

/** The help screen. */
export const HELP_TEXT: readonly string[] = [
  ...SECTIONS.flatMap(([title, entries]) => [
    title,
    ...entries.map(({ shown, text }) => `  ${shown.padEnd(9)}${text}`),
    '',
  ]),
  'Marks: > next instruction, + cursor, B breakpoint, * changed by the last step,',
  '  !> where the walk went wrong, ! further differences, (name) a trampoline that',
  '  a trace may list or skip.',
];
