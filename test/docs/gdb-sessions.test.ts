/**
 * The gdb sessions that documents show, on a timeline that stands where the command above each has it: gdb
 * prints what is shown.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { goToPoint } from '../../debug/point-stop.js';
import { parsePoint } from '../../lab/point.js';
import { ROOT } from '../cli/run-cli.js';
import { gdb, hasGdb, serve } from '../debug/gdb/gdb-fixture.js';
import { timeline } from '../debug/timeline-fixture.js';
import { blocksOf } from './blocks.js';
import { notPrinted } from './shown-output.js';

interface Session {
  readonly title: string;
  readonly scenario: string;
  /** As `--at` has it. */
  readonly at: string;
  /** From the first prompt of gdb on. */
  readonly shown: string;
}

/** The sessions of a document; one without a command goes on from the point of the one before. */
function sessionsOf(document: string): Session[] {
  const text = readFileSync(join(ROOT, document), 'utf8');
  let [scenario, at] = ['', '0'];
  return blocksOf(text).flatMap(({ text: block, line }): Session[] => {
    const server = /^\$ npx kunwind-lab debug (\S+)(?: --at (\S+))?/.exec(block);
    if (server !== null) [scenario, at] = [server[1] ?? '', server[2] ?? '0'];
    const shown = /^\(gdb\) [^]*/m.exec(block)?.[0];
    return shown === undefined ? [] : [{ title: `${document}:${line}`, scenario, at, shown }];
  });
}

const sessions = ['README.md', 'docs/debugger.md'].flatMap(sessionsOf);

describe.skipIf(!hasGdb)('gdb sessions of the documents (needs gdb-multiarch)', () => {
  it('are found', () => {
    expect(sessions.length).toBeGreaterThanOrEqual(3);
  });

  it.each(sessions.map((session) => [session.title, session] as const))(
    '%s',
    async (_, { scenario, at, shown }) => {
      const line = timeline(scenario);
      const point = parsePoint(/:/.test(at) ? at : `${at}:irq`);
      if (point === undefined) throw new Error(`no point ${at}`);
      expect(goToPoint(line, point)).toBeUndefined();
      const served = await serve(line);
      const commands = [...shown.matchAll(/^\(gdb\) (.*)/gm)].map(([, command]) => command ?? '');
      const { text, answers } = await gdb(served, commands);
      for (const answer of answers) expect(answer).not.toMatch(/error|Undefined|No symbol/i);
      const isWithoutOutput = commands.length === shown.trimEnd().split('\n').length;
      if (!isWithoutOutput) expect(notPrinted(shown, text), text).toBeUndefined();
    },
  );
});
