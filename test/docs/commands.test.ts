/**
 * Every command that README, CONTRIBUTING and docs/ show is run here, or is in a short table of those that
 * are not, with what covers it; and what it is shown to print, it prints. `npm test` runs those of
 * README in one process and without workers; `npm run test:docs` all of them, as a reader does.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { CliSession } from '../cli/cli-session.js';
import { ROOT, type Run } from '../cli/run-cli.js';
import { commandsOf, type ShownCommand, withoutPrompt } from './commands.js';
import { NOT_RUN } from './commands-not-run.js';
import { missing, Reader, withoutWorkers } from './reader.js';
import { notPrinted } from './shown-output.js';

declare module 'vitest' {
  interface ProvidedContext {
    /** Whether every document's commands are run, as a reader does. */
    readonly everyDocument: boolean;
  }
}

const EVERY = inject('everyDocument');
/** Takes minutes: only as a reader does. */
const LONG = ['npm start'];
const DOCUMENTS = [
  'README.md',
  'CONTRIBUTING.md',
  ...readdirSync(join(ROOT, 'docs')).map((name) => `docs/${name}`),
].filter((name) => name.endsWith('.md'));

const texts = new Map(DOCUMENTS.map((name) => [name, readFileSync(join(ROOT, name), 'utf8')]));
const all = [...texts].flatMap(([document, text]) =>
  commandsOf(text).map((shown) => ({ document, ...shown })),
);
const isRun = ({ command }: ShownCommand): boolean =>
  NOT_RUN.every((entry) => !entry.command.test(command));

let reader: Reader;
let session: CliSession;
beforeAll(() => {
  reader = new Reader();
  session = new CliSession({ folder: reader.clone });
});
afterAll(() => {
  session.close();
  reader.remove();
});

/** What a command may end with: 1 has to be said, but in running text, which is of findings. */
function statuses({ comment, kind, output }: ShownCommand): readonly number[] {
  if (/\bexits with 1\b/.test(comment)) return [1];
  if (/\bexits with 0 or 1\b/.test(comment)) return [0, 1];
  return kind === 'script' && output === undefined ? [0] : [0, 1];
}

/** Runs of commands that take minutes, for all places that show them. */
const longRuns = new Map<string, Promise<Run>>();

function execute({ command, setup }: ShownCommand): Run | Promise<Run> {
  if (!EVERY) return session.run(withoutWorkers(command));
  if (!LONG.includes(command)) return reader.run(command, setup);
  const known = longRuns.get(command) ?? reader.run(command, setup);
  longRuns.set(command, known);
  return known;
}

describe.each(DOCUMENTS)('%s', (document) => {
  const own = all.filter((shown) => shown.document === document && isRun(shown));
  const chosen = EVERY
    ? own
    : own.filter(({ command }) => document === 'README.md' && !LONG.includes(command));

  it('has a prompt before each command that stands beside output', () => {
    expect(withoutPrompt(texts.get(document) ?? '')).toEqual([]);
  });

  for (const shown of chosen) {
    const absent = missing(shown.command, shown.setup);
    const title = `${shown.line}: ${shown.command}`;
    const skipped = `${title} (skipped: needs ${absent ?? ''})`;
    it.skipIf(absent !== undefined)(absent === undefined ? title : skipped, async () => {
      const { status, stdout, stderr } = await execute(shown);
      expect(stderr).not.toContain('    at ');
      expect(statuses(shown), stderr + stdout.slice(-2000)).toContain(status);
      if (shown.output === undefined) return;
      // What is shown is one of the two: progress and the report are not in an order.
      const unlike = [stdout, stderr].map((printed) => notPrinted(shown.output ?? '', printed));
      expect(unlike, stdout.slice(-20_000)).toContain(undefined);
    });
  }
});

describe('the commands of documents', () => {
  it('are found', () => {
    expect(all.filter(({ document }) => document === 'README.md').length).toBeGreaterThan(30);
    expect(all.length).toBeGreaterThan(90);
  });

  it('are run, but for a few kinds, each with what covers it', () => {
    const unused = NOT_RUN.filter(
      ({ command }) => !all.some((shown) => command.test(shown.command)),
    );
    expect(unused).toEqual([]);
    expect(NOT_RUN.filter(({ coveredBy }) => !existsSync(join(ROOT, coveredBy)))).toEqual([]);
    const ci = readFileSync(join(ROOT, '.ci/run'), 'utf8');
    for (const script of ['npm ci', 'npm test', 'npm run test:docs', 'npm run test:linux'])
      expect(ci).toContain(script);
  });

  it('compare two reports of a sweep, in which nothing has changed', async () => {
    const shown = all.find(({ command }) => command.startsWith('diff <('));
    for (const name of ['before', 'after']) {
      const { status } = await reader.run(`npx kunwind-lab sweep calls/pac --json ${name}.json`);
      expect(status).toBe(0);
    }
    expect(await reader.run(shown?.command ?? '')).toMatchObject({ status: 0, stdout: '' });
  });
});
