/** Replay commands in the documentation lead where it says, to the verdict that it says. */
import { readdirSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Scenario, ScenarioFamily } from '../../scenarios/scenario.js';
import { FAMILIES, scenarioElf } from '../../targets/catalogue.js';
import { Lab } from '../../lab/lab.js';
import { parsePoint } from '../../lab/point.js';
import { pointRange } from '../../sweep/range.js';
import { VERDICTS } from '../../scenarios/verdict.js';
import { backend, must } from '../cpu-fixture.js';
import { repositoryPath } from '../machine-fixture.js';
import { runSweep } from '../sweep/sweep-run.js';

const REPLAY =
  /([a-z]+\/[a-z0-9-]+) --point (\S+) --policy ([a-z0-9-]+)(?:(?:`: `| +# )(\S+\+0x[0-9a-f]+)(?:`, |: )([a-z]+))?/g;
/** Documents in which every replay says where it leads, and how many there are at least. */
const PLACED = new Map([
  ['review-claims.md', 30],
  ['kretprobe-window.md', 10],
]);

interface Replay {
  readonly document: string;
  readonly scenario: string;
  readonly point: string;
  readonly policy: string;
  readonly at: string | undefined;
  readonly verdict: string | undefined;
}

const replays = readdirSync(repositoryPath('docs')).flatMap((document): Replay[] => {
  const text = readFileSync(repositoryPath(`docs/${document}`), 'utf8');
  return [...text.matchAll(REPLAY)].map((found) => {
    const [, scenario = '', point = '', policy = '', at, verdict] = found;
    return { document, scenario, point, policy, at, verdict };
  });
});

let lab: Lab;
beforeAll(() => {
  lab = must(Lab.create(backend()));
});
afterAll(() => {
  lab.close();
});

function named(name: string): { family: ScenarioFamily; scenario: Scenario } {
  for (const family of FAMILIES) {
    const scenario = family.scenarios.find((one) => one.name === name);
    if (scenario !== undefined) return { family, scenario };
  }
  throw new Error(`no scenario ${name}`);
}

/** `function+0x10: verdict` of the reliable walk at the point. */
function replayed({ scenario: name, point, policy }: Replay): string {
  const { family, scenario } = named(name);
  const { kernel = 'linux' } = scenario;
  const parts = must(lab.machineFor(scenarioElf(family, kernel), kernel));
  const parsed = parsePoint(point);
  if (parsed === undefined) throw new Error(`no point ${point}`);
  const found: string[] = [];
  runSweep(parts, scenario, {
    ...pointRange(parsed, 100_000),
    walked: (_, context) => {
      if (context.policy.name !== policy || context.mode !== 'reliable') return;
      const place = parts.machine.symbols.at(context.pc);
      const at = `${place?.symbol.name ?? '?'}+0x${(place?.offset ?? 0).toString(16)}`;
      found.push(`${at}: ${VERDICTS[context.verdict] ?? '?'}`);
    },
  });
  return found.join(', ');
}

describe('the replays of the documentation', () => {
  it.each([...PLACED])('say in %s where they lead', (document, least) => {
    const own = replays.filter((replay) => replay.document === document);
    expect(own.length).toBeGreaterThanOrEqual(least);
    expect(own.filter(({ at }) => at === undefined)).toEqual([]);
  });

  it.each(replays.map((replay) => [Object.values(replay).slice(0, 4).join(' '), replay] as const))(
    '%s',
    (_, replay) => {
      const { at, verdict } = replay;
      const found = replayed(replay);
      if (at === undefined) expect(found).toMatch(/^\S+: [a-z]+$/);
      else expect(found).toBe(`${at}: ${verdict ?? ''}`);
    },
  );
});
