/** The whole user interface without a terminal: keys in, lines out, on real scenarios. */
import { describe, expect, it } from 'vitest';
import { App, type Canvas } from '../../../debug/tui/app.js';
import { Session } from '../../../debug/tui/session.js';
import { type Line, textOf } from '../../../debug/tui/span.js';
import { Evaluator } from '../../../debug/evaluate.js';
import { goToInstruction } from '../../../debug/point-stop.js';
import type { Timeline } from '../../../debug/timeline.js';
import { POLICIES } from '../../../unwinder/policies/all.js';
import type { PolicyName } from '../../../unwinder/policy.js';
import { targetNamed, timeline, timelineOf } from '../timeline-fixture.js';

class Fake implements Canvas {
  lines: readonly Line[] = [];
  drawn: (() => void) | undefined;
  constructor(
    public width: number,
    public height: number,
  ) {}
  draw(lines: readonly Line[]): void {
    this.lines = lines;
    this.drawn?.();
  }
  refresh(): void {
    this.drawn = undefined;
  }
  get text(): string[] {
    return this.lines.map(textOf);
  }
  get status(): string {
    return (this.text.at(-2) ?? '').trimEnd();
  }
  get header(): string {
    return this.text[0] ?? '';
  }
}

interface Opened {
  readonly app: App;
  readonly canvas: Fake;
  readonly line: Timeline;
  readonly ends: unknown[];
  /** Press keys, one after the other, and wait for what the last one shows. */
  readonly press: (...keys: string[]) => Promise<string>;
}

function sessionOn(line: Timeline, at: number, policy: PolicyName = 'sframe-strict'): Session {
  expect(goToInstruction(line, at)).toBeUndefined();
  const evaluator = new Evaluator(line);
  return new Session({ evaluator, disassembler: undefined, asker: 0, policy: POLICIES[policy] });
}

function open(
  scenario: string,
  at: number,
  policy: PolicyName = 'sframe-strict',
  width = 100,
  height = 30,
): Opened {
  const line = timeline(scenario);
  const session = sessionOn(line, at, policy);
  const canvas = new Fake(width, height);
  const ends: unknown[] = [];
  const app = new App(session, canvas, (error) => {
    ends.push(error);
    canvas.drawn?.();
  });
  app.draw();
  const press = async (...keys: string[]): Promise<string> => {
    for (const key of keys) {
      await new Promise<void>((resolve) => {
        canvas.drawn = resolve;
        app.key(key);
      });
    }
    return canvas.status;
  };
  return { app, canvas, line, ends, press };
}

const typed = (text: string): string[] => [...Array.from(text), 'ENTER'];

describe('the screen', () => {
  it('has exactly its size in plain ASCII, whatever that is', () => {
    const { app, canvas } = open('fgraph/leaf', 7, 'sframe-v5');
    for (const width of [1, 20, 60, 61, 80, 99, 100, 133, 180, 200]) {
      for (const height of [1, 5, 20, 24, 30, 40, 60]) {
        canvas.width = width;
        canvas.height = height;
        app.draw();
        const wrong = canvas.text.filter((text) => text.length !== width || /[^ -~]/.test(text));
        expect({ width, height, rows: canvas.lines.length, wrong }).toEqual({
          width,
          height,
          rows: height,
          wrong: [],
        });
      }
    }
  });

  it('does not act on keys while it is too small, but for q', async () => {
    const { canvas, line, ends, press } = open('calls/pac', 3);
    const { position } = line;
    canvas.width = 59;
    await press('s');
    expect(canvas.text.join('')).toContain('needs 60x20');
    expect(line.position).toBe(position);
    await press('q');
    expect(ends).toEqual([undefined]);
  });

  it('shows where it is before the path of an image, where there is no room for both', () => {
    const { scenario, ...target } = targetNamed('calls/pac');
    const name = '../kernels/vmlinux-7.3-rc7-leaf.gz:fgraph:pac_entry';
    const session = sessionOn(timelineOf({ ...target, scenario: { ...scenario, name } }), 9);
    const canvas = new Fake(120, 24);
    const app = new App(session, canvas, () => undefined);
    app.draw();
    const place = 'fgraph:pac_entry 9  step 34  pac_frame_a+0x4/0x20';
    expect(canvas.header).toMatch(
      new RegExp(`^vmlinux-7.3-rc7-leaf.gz:${place.replace('+', '\\+')} `),
    );
    canvas.width = 80;
    app.draw();
    expect(canvas.header.startsWith(`${place} `)).toBe(true);
  });

  it('marks by characters what changed, what is next, and what is wrong', async () => {
    const { canvas, press } = open('fgraph/leaf', 6, 'sframe-v5', 120, 40);
    await press('s');
    const text = canvas.text.join('\n');
    expect(text).toMatch(/ > \+0x0 /);
    expect(text).toMatch(/\*x30 ffffa0008220016c/);
    expect(text).toMatch(/!> fgraph_leaf\+0xc +- absent/);
    expect(canvas.header).toContain('[sframe-v5 irq: !warned]');
  });
});

describe('moves', () => {
  it('go over a call, and back over it', async () => {
    const { line, press } = open('calls/pac', 8);
    await press('l');
    const { position, pc } = line;
    await press('o');
    expect(line.pc).toBe(pc + 4);
    expect(line.position).toBeGreaterThan(position + 1);
    await press('O');
    expect(line.position).toBe(position);
  });

  it('finish a function, and go back to its call', async () => {
    const { line, press } = open('calls/pac', 8);
    await press('l');
    const { position, pc } = line;
    await press('s', 's', 'F');
    expect(line.position).toBe(position);
    await press('s', 's', 'f');
    expect(line.pc).toBe(pc + 4);
  });

  it('find the next call and the one before', async () => {
    const { line, press } = open('calls/pac', 8);
    await press('l');
    const first = line.position;
    await press('l');
    expect(line.position).toBeGreaterThan(first);
    await press('L');
    expect(line.position).toBe(first);
  });

  it('find the next bad verdict and the one before', async () => {
    const { line, canvas, press } = open('fgraph/leaf', 3, 'sframe-v5');
    const { position } = line;
    await press('v');
    expect(canvas.header).toContain('!warned');
    const first = line.position;
    await press('v');
    const second = line.position;
    expect(second).toBeGreaterThan(first);
    expect(first).toBeGreaterThan(position);
    await press('V');
    expect(line.position).toBe(first);
    expect(await press('V')).toBe('no bad verdict before this point (policy sframe-v5, kind irq)');
    expect(line.position).toBe(first);
  });

  it('say that there is none, and stay', async () => {
    const { line, press } = open('calls/pac', 3);
    const { position } = line;
    expect(await press('v')).toBe(
      'no bad verdict after this point (policy sframe-strict, kind irq)',
    );
    expect(await press('c')).toContain('nothing would stop it');
    expect(await press('a', ...typed('return_to_handler'))).toContain(
      ' is not reached after this point',
    );
    expect(await press('a', ...typed('nonsense'))).toContain('no symbol nonsense');
    expect(line.position).toBe(position);
  });

  it('end at the two ends', async () => {
    const { line, press } = open('calls/pac', 0);
    line.goTo(1);
    expect(await press('S')).toBe('');
    expect(line.position).toBe(0);
    expect(await press('S')).toBe('at the beginning: cannot step back');
    line.goTo(1e6);
    expect(await press('s')).toContain('at the end: the scenario is done');
  });

  it('go to an address and back', async () => {
    const { line, press } = open('calls/pac', 0);
    const { position } = line;
    await press('a', ...typed('pac_leaf_a+4'));
    expect(line.machine.symbols.format(line.pc)).toMatch(/^pac_leaf_a\+0x4\//);
    const leaf = line.position;
    await press('s', 's', 'A', ...typed('pac_leaf_a+4'));
    expect(line.position).toBe(leaf);
    expect(leaf).toBeGreaterThan(position);
  });
});

describe('stopping', () => {
  it('at a breakpoint, both ways', async () => {
    const { line, canvas, press } = open('calls/pac', 0);
    await press('B', ...typed('pac_leaf_a'));
    const at = await press('c');
    expect(at).toMatch(/^breakpoint at pac_leaf_a\+0x0/);
    expect(canvas.text.join('\n')).toMatch(/B> \+0x0/);
    const first = line.position;
    await press('s', 's', 's', 'C');
    expect(line.position).toBe(first);
    expect(await press('b')).toMatch(/breakpoint at pac_leaf_a\S* cleared/);
    expect(await press('C')).toContain('nothing would stop it');
  });

  it('after the change of watched memory, and back before it', async () => {
    const { line, press } = open('calls/pac', 9);
    const sp = line.registers().get(31);
    const hex = BigInt.asUintN(64, BigInt(sp - 32)).toString(16);
    expect(await press('w', ...typed(`${hex} 16`))).toContain('watching 16 bytes');
    const { position } = line;
    expect(await press('c')).toMatch(/^changed: 0x[0-9a-f]+, 16 bytes: [0-9a-f]+\.\. -> /);
    expect(line.position).toBe(position + 1);
    await press('s', 's');
    expect(await press('C')).toContain('the next step changes');
    expect(line.position).toBe(position);
    // A breakpoint nearer than the change is what stops, and what is said.
    await press('B', ...typed('pac_frame_a+8'), 's', 's', 's');
    expect(await press('C')).toMatch(/^breakpoint at pac_frame_a\+0x8/);
    expect(line.position).toBe(position + 1);
    await press('B', ...typed('pac_frame_a+8'));
    await press('W');
    expect(await press('c')).toContain('nothing would stop it');
  });

  it('by a key, while it is still running', async () => {
    const { app, canvas, line, press } = open('leaf/copy-page', 0);
    line.goTo(2000);
    const far = line.position;
    await press('B', ...typed('arch_stack_walk_reliable+4'));
    const shown = new Promise<void>((resolve) => {
      canvas.drawn = resolve;
    });
    app.key('C');
    app.key('ESCAPE');
    await shown;
    expect(canvas.status).toBe('stopped by a key; nothing found so far');
    expect(line.position).toBeLessThan(far);
    expect(line.position).toBeGreaterThan(0);
  });
});

describe('judging', () => {
  it('follows the policy, the kind and the mode', async () => {
    const { canvas, press } = open('calls/pac', 9);
    expect(canvas.header).toContain('[sframe-strict irq: exact]');
    await press('p');
    expect(canvas.header).toContain('[fgraph-detect irq: exact]');
    await press('P', 'P');
    expect(canvas.header).toContain('[sframe-v6 irq: unreliable]');
    await press('i');
    expect(canvas.header).toContain('[sframe-v6 nmi: unreliable]');
    await press('I', 'I');
    expect(canvas.header).toContain('[no walk request is possible here]');
    await press('i', 'm');
    expect(canvas.header).toContain('[sframe-v6 irq best-effort: ');
  });

  it('takes an exception, steps back from it, and forgets it', async () => {
    const { canvas, line, press } = open('calls/pac', 9);
    expect(await press('x')).toContain('take here: 1 irq  2 nmi  3 sdei');
    await press('2');
    expect(line.place.levels).toEqual([{ kind: 1, index: 0 }]);
    expect(canvas.header).toContain('calls/pac 9:nmi/0');
    await press('S');
    expect(line.place.levels).toEqual([]);
    expect(await press('u')).toContain('forgotten: 1 exception');
    await press('s');
    expect(line.place).toEqual({ index: 10, levels: [] });
  });
});

describe('looking', () => {
  it('searches a pane, next and previous', async () => {
    const { canvas, press } = open('calls/pac', 9);
    expect(await press('3', '/', ...typed('RECORD.LR'))).toMatch(/^\/RECORD\.LR: line 3: /);
    expect(await press('n')).toMatch(/line 5: /);
    expect(await press('N')).toMatch(/line 3: /);
    expect(await press('/', ...typed('no such text'))).toBe('/no such text: not in stack');
    expect(canvas.text.join('\n')).toContain('=[3 stack');
  });

  it('searches the code for symbols, and comes back', async () => {
    const { canvas, press } = open('calls/pac', 9);
    await press('1');
    expect(await press('/', ...typed('gic_handle'))).toContain('gic_handle_irq+0x0/');
    expect(canvas.text.join('\n')).toMatch(/ {2}\+\+0x0/);
    await press('.');
    expect(canvas.text.join('\n')).toMatch(/ > \+0x4/);
  });

  it('zooms, scrolls, helps and quits', async () => {
    const { canvas, ends, press } = open('calls/pac', 9);
    await press('5', 'z');
    expect(canvas.text[1]).toMatch(/^=\[5 walk.* 1-26 of \d+ =$/);
    await press('j', 'j');
    expect(canvas.text[1]).toMatch(/ 3-28 of /);
    await press('G', 'k', 'g');
    expect(canvas.text[1]).toMatch(/ 1-26 of /);
    await press('z', '?');
    expect(canvas.text[1]).toMatch(/^Moving/);
    await press('x', 'TAB');
    expect(canvas.text.join('\n')).toContain('=[1 code');
    expect(await press('$')).toBe('no such key: $; ? shows all keys');
    await press('?', 'q');
    expect(ends).toEqual([]);
    expect(canvas.text.join('\n')).toContain('=[1 code');
    await press('q');
    expect(ends).toEqual([undefined]);
  });

  it('ends with the error when something inside breaks', async () => {
    const { line, ends, press } = open('calls/pac', 9);
    const broken = new Error('planted');
    line.stepForward = () => {
      throw broken;
    };
    line.step = () => {
      throw broken;
    };
    await press('s');
    expect(ends).toEqual([broken]);
  });
});
