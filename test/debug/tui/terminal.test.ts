/** The full-screen debugger on a real terminal, screen by screen (screens/*.txt). */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { NO_TMUX, type TerminalOptions, TmuxTerminal } from './tmux.js';

const POINT = 'fgraph/leaf --at 6:irq --policy sframe-v5';
/** What the shell shows once the debugger has given the terminal back. */
const restored = (status: number): string => `before\nstatus ${status}\necho icanon isig opost\n`;

const open: TmuxTerminal[] = [];
afterAll(() => {
  for (const terminal of open) terminal.close();
});

function terminal(options: TerminalOptions): TmuxTerminal {
  const made = new TmuxTerminal(options);
  open.push(made);
  return made;
}

async function opened(options: TerminalOptions): Promise<TmuxTerminal> {
  const made = terminal(options);
  await made.has('? shows all keys');
  return made;
}

async function expectRestored(at: TmuxTerminal, status: number, message = ''): Promise<void> {
  await at.has('status ');
  await at.has('opost');
  expect(at.screen()).toBe(restored(status).replace('status', `${message}status`));
}

// Most of the time is waiting: for programs to start, and for screens.
describe.skipIf(NO_TMUX !== undefined)(
  `a terminal${NO_TMUX === undefined ? '' : `: ${NO_TMUX}`}`,
  { concurrent: true },
  () => {
    it.each([
      [80, 24],
      [120, 40],
    ])('of %ix%i shows a session', async (width, height) => {
      const at = terminal({ width, height, args: POINT });
      const size = `${width}x${height}`;
      const step = async (name: string, ...keys: string[]): Promise<void> => {
        at.press(...keys);
        await at.shows(`${size}-${name}`);
      };
      await at.shows(`${size}-01-open`);
      await step('02-step', 's');
      await step('03-step-back', 'S');
      await step('04-policy', 'p', 'p');
      await step('05-ask-exception', 'x');
      await step('06-exception', '1');
      await step('07-back-from-exception', 'S', 'u', 'P', 'P');
      await step('08-next-bad-verdict', 'v');
      await step('09-bad-verdict-before', 'v', 'V');
      await step('10-no-bad-verdict-before', 'V');
      at.press('B');
      at.type('fgraph_leaf+0xc');
      await at.shows(`${size}-11-ask-breakpoint`);
      await step('12-breakpoint', 'Enter', 'c');
      await step('13-back-to-breakpoint', 's', 's', 'C');
      at.press('Tab', 'Tab', '/');
      at.type('pt_regs.pc');
      await step('14-search', 'Enter');
      await step('15-zoom', 'z');
      at.resize(100, 30);
      await at.shows(`${size}-16-resized`);
      at.resize(59, 19);
      await at.shows(`${size}-17-too-small`);
      at.resize(width, height);
      await at.has('=[3 stack');
      await step('18-help', 'z', '?');
      await step('19-registers', 'Escape', '2');
      await step('20-return-stack', '4');
      at.press('q');
      await expectRestored(at, 0);
    });

    it('without colour shows the same characters', async () => {
      // eslint-disable-next-line no-control-regex -- what the terminal was sent
      const colors = /\x1b\[[0-9;]*(3[0-7]|9[0-7])m/;
      const colored = await opened({ width: 80, height: 24, args: POINT });
      await colored.shows('80x24-01-open');
      expect(colored.screen(true)).toMatch(colors);
      const started = ['TERM=xterm NO_COLOR=1', 'TERM=vt100', 'TERM=linux NO_COLOR=1'].map(
        (environment) => terminal({ width: 80, height: 24, args: POINT, environment }),
      );
      for (const at of started) {
        await at.shows('80x24-01-open');
        expect(at.screen(true)).not.toMatch(colors);
        at.press('s');
        await at.shows('80x24-02-step');
        at.press('q');
        await expectRestored(at, 0);
      }
    });

    it('gets back what it was when a signal ends the debugger', async () => {
      for (const [signal, status] of [
        ['SIGTERM', 143],
        ['SIGHUP', 129],
      ] as const) {
        const at = await opened({ width: 80, height: 24, args: POINT });
        process.kill(at.pid, signal);
        await expectRestored(at, status);
      }
    });

    it('gets back what it was when the debugger itself breaks', async () => {
      const folder = mkdtempSync(join(tmpdir(), 'kunwind-defect-'));
      const defect = join(folder, 'defect.mjs');
      mkdirSync(folder, { recursive: true });
      writeFileSync(defect, "process.on('SIGUSR2', () => { throw new Error('planted'); });\n");
      const at = await opened({
        width: 80,
        height: 24,
        args: POINT,
        environment: `TERM=xterm NODE_OPTIONS=--import=${defect}`,
      });
      process.kill(at.pid, 'SIGUSR2');
      await expectRestored(at, 2, 'kunwind-lab: internal error: planted\n');
      rmSync(folder, { recursive: true });
    });

    it('that cannot move its cursor is told what to use instead', async () => {
      const at = terminal({ width: 100, height: 24, args: POINT, environment: 'TERM=dumb' });
      await at.has('status 2');
      expect(at.screen().split('\n').slice(1, 3).join('')).toBe(
        "kunwind-lab: the full-screen debugger needs a terminal that can move its cursor, and TERM is 'dumb': use --print, --trace FILE or --gdb PORT",
      );
    });

    it('survives bytes that are no keys', async () => {
      const at = await opened({ width: 80, height: 24, args: POINT });
      at.press('-H', '80', 'bf', 'ff', '1b', '5b', '39', '39', '7e', '0');
      at.press('-H', 'c3', '28');
      at.press('s');
      await at.shows('80x24-02-step');
    });
  },
);
