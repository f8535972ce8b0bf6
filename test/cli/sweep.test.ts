import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { SweepReport } from '../../sweep/report.js';
import { VERDICTS } from '../../scenarios/verdict.js';
import { EXHAUSTIVE } from '../exhaustive.js';
import { LEAF_ELF } from './image-files.js';
import { type Run, scratchFolder } from './run-cli.js';
import { runShared, runWithOneJob } from './shared-session.js';

const folder = scratchFolder();
afterAll(() => {
  folder.remove();
});

function sweep(...args: string[]): Promise<Run> {
  return (args.includes('--jobs') ? runShared : runWithOneJob)(['sweep', ...args]);
}

/** Sweep with a report. */
async function report(
  ...args: string[]
): Promise<{ status: number | null; stdout: string; json: SweepReport }> {
  const path = join(folder.path, 'report.json');
  const { status, stdout, stderr } = await sweep(...args, '--json', path);
  expect(stderr).not.toContain('kunwind-lab:');
  return { status, stdout, json: JSON.parse(readFileSync(path, 'utf8')) as SweepReport };
}

const SEEDED = ['--image', LEAF_ELF, '--function', 'leaf_memcpy_moves_lr_entry'];

describe('a sweep that finds everything as promised', () => {
  const policies = [
    'frame-pointer',
    'sframe-v5',
    'sframe-v6',
    'sframe-strict',
    'fgraph-detect',
    'fgraph-recover',
  ];

  it('ends with 0 and a table that shows known bugs', async () => {
    const args = ['sweep', 'leaf/strlen', 'leaf/strlen-nocfi', '--no-progress', '--known'];
    const { status, stdout } = await runWithOneJob(args, { COLUMNS: '160' });
    expect(status).toBe(0);
    expect(stdout).toMatch(/^leaf\/strlen +780 +3% m126 +83% m126/m);
    expect(stdout).toMatch(/^sframe-v5 .* 252 known .* 484 known/m);
    expect(stdout).toMatch(/missing +1,008 {2}SDEI pushes a plain record/);
    expect(stdout).toMatch(/\n1,560 points in 2 scenarios: all as promised\n$/);
    for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(160);
  });

  it('begins with the verdict, counts known bugs, and fits 80 columns', async () => {
    const { stdout } = await sweep('leaf/strlen', 'leaf/strlen-nocfi', '--no-progress');
    const verdict = '1,560 points in 2 scenarios: all as promised';
    expect(stdout.startsWith(`${verdict}\n`)).toBe(true);
    expect(stdout.endsWith(`\n${verdict}\n`)).toBe(true);
    expect(stdout).toMatch(/^leaf\/strlen +780 +3% m +83% m +65% m/m);
    expect(stdout).toMatch(/^leaf\/strlen-nocfi +780 +3% m +21% mw/m);
    const known = /\npromised unsafe verdicts: .*\(--known: each\)\n((?: .*\n)*)/.exec(stdout);
    expect(known?.[1]).toMatch(
      /^ {2}missing +1,008 {2}\d+ known bugs?\n {2}warned +484 {2}1 known bug\n$/,
    );
    for (const line of stdout.split('\n')) expect(line.length, line).toBeLessThanOrEqual(80);
  });

  it('is as wide as COLUMNS says, if that is a width', async () => {
    const longest = async (columns: string): Promise<number> => {
      const args = ['sweep', 'leaf/strlen', '--no-progress', '--known'];
      const { stdout } = await runWithOneJob(args, { COLUMNS: columns });
      return Math.max(...stdout.split('\n').map(({ length }) => length));
    };
    const [usual, wide] = [await longest(''), await longest('120')];
    expect(usual).toBeLessThanOrEqual(80);
    expect(wide).toBeGreaterThan(80);
    expect(wide).toBeLessThanOrEqual(120);
    expect([await longest('20'), await longest('x')]).toEqual([usual, usual]);
  });

  it('writes a report with the fields that scripts rely on', async () => {
    const { status, json } = await report('leaf/strlen', 'leaf/memcpy-nocfi', '--jobs', '1');
    expect(status).toBe(0);
    expect(json).toMatchObject({ version: 1, jobs: 1, unexpected: 0 });
    expect(json.seconds).toBeGreaterThan(0);
    expect(json.pointsPerSecond).toBeGreaterThan(0);
    expect(Object.keys(json.policies)).toEqual(policies);
    expect(json.scenarios.map(({ name }) => name)).toEqual(['leaf/memcpy-nocfi', 'leaf/strlen']);
    expect(json.points).toBe(json.scenarios.reduce((sum, { points }) => sum + points, 0));
    for (const { points, unexpected, policies: counts } of [json, ...json.scenarios]) {
      expect(unexpected).toBe(0);
      for (const verdicts of Object.values(counts)) {
        expect(Object.keys(verdicts)).toEqual([...VERDICTS]);
        expect(VERDICTS.reduce((sum, verdict) => sum + verdicts[verdict], 0)).toBe(points);
      }
    }
    expect(readdirSync(folder.path)).toEqual(['report.json']);
  });

  it('takes only the policies and kinds that are asked for', async () => {
    const { json } = await report(
      'leaf/strlen',
      '--policy',
      'sframe-strict',
      '--kind',
      'irq,nmi,brk',
    );
    expect(json.policies).toEqual({
      'sframe-strict': expect.objectContaining({ exact: json.points }) as unknown,
    });
    const repeated = await report('leaf/strlen', '--kind', 'brk', '--kind', 'irq', '--kind', 'nmi');
    expect(repeated.json.points).toBe(json.points);
  });

  it('prints progress in lines when there is no terminal, or none', async () => {
    const { stderr } = await sweep('leaf/strlen');
    expect(stderr).toMatch(/^sweeping 1 scenario: policies .*\n100% {2}780 points, [\d,]+\/s\n$/);
    expect((await sweep('leaf/strlen', '--no-progress')).stderr).toBe('');
  });

  it('is coloured only when that is asked for', async () => {
    const shown = async (extra: NodeJS.ProcessEnv, ...more: string[]): Promise<string> => {
      const args = ['sweep', 'leaf/strlen', '--no-progress', ...more];
      return (await runWithOneJob(args, extra)).stdout;
    };
    const escape = '\u001b[';
    expect(await shown({})).not.toContain(escape);
    expect(await shown({ FORCE_COLOR: '1' })).toContain(escape);
    expect(await shown({ FORCE_COLOR: '1', NO_COLOR: '1' })).not.toContain(escape);
    expect(await shown({ FORCE_COLOR: '1' }, '--no-color')).not.toContain(escape);
  });
});

describe('a sweep that finds something unexpected', () => {
  it('ends with 1 and shows where, truth beside trace, and how to replay it', async () => {
    const { status, stdout } = await sweep(...SEEDED, '--no-progress');
    expect(status).toBe(1);
    expect(stdout).toContain('✗ missing 80 times in leaf_memcpy_moves_lr\n');
    expect(stdout).toContain('first at  leaf_memcpy_moves_lr+0x10/0x14: ret x15\n');
    expect(stdout).toContain('promised  exact or unreliable\n');
    expect(stdout).toMatch(/leaf_memcpy_moves_lr_entry\+0x\w+ +- absent\n/);
    // A long command goes on behind a backslash, as a shell takes it.
    expect(stdout.replace(/ \\\n +/g, ' ')).toMatch(
      /replay {4}npx kunwind-lab debug --image \S+ --function \S+ --policy \S+ --at \d/,
    );
    expect(stdout).toMatch(/^2,840 points in 1 scenario: 2,000 unexpected\n/);
    expect(stdout).toMatch(/: 2,000 unexpected\n$/);
    // The finding comes before the tables.
    expect(stdout.indexOf('✗ missing 80 times')).toBeLessThan(stdout.indexOf('points pointer'));
    const paths = stdout.split(LEAF_ELF).join('leaf.elf').split('\n');
    for (const line of paths) expect(line.length, line).toBeLessThanOrEqual(80);
  });

  it('replays a point to the same verdict', async () => {
    const { status, json } = await report(...SEEDED);
    expect(status).toBe(1);
    const finding = json.scenarios[0]?.findings[0];
    const words = finding?.replay.split(' ') ?? [];
    const point = words.at(-1) ?? '';
    const replayed = await report(...SEEDED, '--point', point);
    expect(replayed.status).toBe(1);
    expect(replayed.json.points).toBe(1);
    const examples = replayed.json.scenarios[0]?.findings.map(({ example }) => example);
    expect(examples).toContainEqual(finding?.example);
    expect(replayed.stdout).toMatch(/missing\n +unexpected: exact or unreliable is promised/);

    expect(words.slice(0, 3)).toEqual(['npx', 'kunwind-lab', 'debug']);
    const shown = await runShared([...words.slice(2), '--print']);
    expect(shown.status, shown.stderr).toBe(0);
    expect(shown.stdout).toContain(
      `${finding?.example.policy ?? ''}, reliable, asked by irq: missing`,
    );
    expect(shown.stdout).toContain(`at ${finding?.example.at ?? ''}: `);
  });

  it('names what the outer exception interrupted at the start of a function', async () => {
    const args = ['leaf/strlen', '--point', '0:irq/20:sdei', '--policy', 'sframe-strict'];
    const { stdout } = await sweep(...args);
    expect(stdout).toMatch(/^ +leaf_strlen_entry\+0x0\/\w+ +- absent$/m);
  });

  it('stops a guest that runs away', async () => {
    const { status, stdout } = await sweep('leaf/strlen', '--budget', '50', '--no-progress');
    expect(status).toBe(1);
    expect(stdout).toMatch(/✗ the guest ran away: 50 instructions executed\n +at {8}leaf_strlen/);
  });

  it('says where the code under test crashed', async () => {
    const image = ['--image', LEAF_ELF, '--function', 'leaf_strlen', '--args', '-0x1000'];
    const { status, stdout } = await sweep(...image, '--no-progress');
    expect(status).toBe(1);
    expect(stdout).toMatch(
      /✗ the code under test crashed: [^✗]*unmapped[^✗]*\n +at {8}leaf_strlen/i,
    );
  });
});

describe('a point', () => {
  it('is shown with the answer of each policy in each mode', async () => {
    const { status, stdout } = await sweep('leaf/memcpy', '--point', '70:nmi');
    expect(status).toBe(0);
    expect(stdout).toMatch(/^leaf\/memcpy 70:nmi at leaf_memcpy\S*\+0x/);
    expect(stdout).toMatch(/^frame-pointer, reliable: unreliable \(regs-pc\)$/m);
    expect(stdout).toMatch(
      /^sframe-v5, sframe-strict, fgraph-detect, fgraph-recover, reliable: exact$/m,
    );
    expect(stdout).toMatch(/best-effort:\s/);
  });

  it('may lie inside the handling of another', async () => {
    const args = ['leaf/strlen', '--point', '70:irq/20:sdei', '--policy', 'frame-pointer'];
    const { stdout } = await sweep(...args);
    expect(stdout).toMatch(/^leaf\/strlen 70:irq\/20:sdei at /);
  });

  it('names a function that was interrupted at its first instruction, at either depth', async () => {
    const linesOf = async (point: string): Promise<string[]> => {
      const args = ['entry/trivial', '--point', point, '--policy', 'sframe-strict'];
      const { stdout } = await sweep(...args);
      return stdout.split('\n').filter((line) => line.includes('entry_trivial'));
    };
    const [, shallow] = await linesOf('0:irq');
    expect(shallow).toMatch(/^ +entry_trivial\+0x0\/0x\w+ +entry_trivial\+0x0\/0x\w+$/);
    // The outer of two exceptions is no call of the inner one's code.
    const [deep] = await linesOf('0:irq/20:sdei');
    expect(deep).toMatch(/^ +entry_trivial\+0x0\/0x\w+ +- absent$/);
  });

  it('says why a known bug is accepted', async () => {
    const { status, stdout } = await sweep('leaf/strlen-nocfi', '--point', '70:sdei');
    expect(status).toBe(0);
    expect(stdout).toMatch(/reliable: missing\n +as promised: SDEI pushes a plain record/);
  });
});

it.each([
  ['fgraph/leaf', 'irq'],
  ['entry/trivial', 'irq,sdei'],
  ['sdei', 'sdei'],
])('%s is as promised under %s alone', async (scenario, kinds) => {
  const { status, stdout } = await sweep(scenario, '--kind', kinds, '--no-progress');
  expect(stdout).toMatch(/all as promised\n$/);
  expect(status).toBe(0);
});

it('gives the same report whatever the number of workers is', async () => {
  const scenarios = ['leaf/strlen', 'leaf/memset-spills-fp', 'calls/pac'];
  if (EXHAUSTIVE) scenarios.push('leaf/memcpy-moves-lr', 'calls/recursion');
  const whole = async (jobs: number): Promise<Partial<SweepReport>> => {
    const { json } = await report(...scenarios, '--jobs', String(jobs));
    const { seconds, pointsPerSecond, jobs: used, ...rest } = json;
    expect([seconds > 0, pointsPerSecond > 0, used]).toEqual([true, true, jobs]);
    return rest;
  };
  expect(await whole(2)).toEqual(await whole(1));
  const deep = async (jobs: number): Promise<SweepReport['scenarios']> => {
    const args = ['--depth', '2', '--kind', 'sdei', '--jobs', String(jobs)];
    return (await report(EXHAUSTIVE ? 'leaf/strlen' : 'sdei/prologue', ...args)).json.scenarios;
  };
  expect(await deep(2)).toEqual(await deep(1));
});
