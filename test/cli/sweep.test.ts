import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { SweepReport } from '../../sweep/report.js';
import { VERDICTS } from '../../scenarios/verdict.js';
import { CliSession } from './cli-session.js';
import { LEAF_ELF } from './image-files.js';
import { run, scratchFolder } from './run-cli.js';

const folder = scratchFolder();
const session = new CliSession();
afterAll(() => {
  session.close();
  folder.remove();
});

/** Sweep with a report. */
function report(...args: string[]): { status: number | null; stdout: string; json: SweepReport } {
  const path = join(folder.path, 'report.json');
  const { status, stdout, stderr } = run(['sweep', ...args, '--json', path]);
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

  it('ends with 0 and a table that shows known bugs', () => {
    const { status, stdout } = run(['sweep', 'leaf/strlen', 'leaf/strlen-nocfi', '--no-progress']);
    expect(status).toBe(0);
    expect(stdout).toMatch(/^leaf\/strlen +780 +3% m126 +83% m126/m);
    expect(stdout).toMatch(/^sframe-v5 .* 252 known .* 484 known/m);
    expect(stdout).toMatch(/missing +1,008 {2}SDEI pushes a plain record/);
    expect(stdout).toMatch(/\n1,560 points in 2 scenarios, .*: all as promised\n$/);
    for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(100);
  });

  it('writes a report with the fields that scripts rely on', () => {
    const { status, json } = report('leaf/strlen', 'leaf/memcpy-nocfi', '--jobs', '1');
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

  it('takes only the policies and kinds that are asked for', () => {
    const { json } = report('leaf/strlen', '--policy', 'sframe-strict', '--kind', 'irq,nmi,brk');
    expect(json.policies).toEqual({
      'sframe-strict': expect.objectContaining({ exact: json.points }) as unknown,
    });
    const repeated = report('leaf/strlen', '--kind', 'brk', '--kind', 'irq', '--kind', 'nmi');
    expect(repeated.json.points).toBe(json.points);
  });

  it('prints progress in lines when there is no terminal, or none', () => {
    const { stderr } = run(['sweep', 'leaf/strlen']);
    expect(stderr).toMatch(/^sweeping 1 scenario: policies .*\n100% {2}780 points, [\d,]+\/s\n$/);
    expect(run(['sweep', 'leaf/strlen', '--no-progress']).stderr).toBe('');
  });

  it('is coloured only when that is asked for', () => {
    const args = ['sweep', 'leaf/strlen', '--no-progress'];
    const escape = '\u001b[';
    expect(run(args).stdout).not.toContain(escape);
    expect(run(args, { FORCE_COLOR: '1' }).stdout).toContain(escape);
    expect(run(args, { FORCE_COLOR: '1', NO_COLOR: '1' }).stdout).not.toContain(escape);
    expect(run([...args, '--no-color'], { FORCE_COLOR: '1' }).stdout).not.toContain(escape);
  });
});

describe('a sweep that finds something unexpected', () => {
  it('ends with 1 and shows where, truth beside trace, and how to replay it', () => {
    const { status, stdout } = run(['sweep', ...SEEDED, '--no-progress']);
    expect(status).toBe(1);
    expect(stdout).toContain('✗ missing 80 times in leaf_memcpy_moves_lr\n');
    expect(stdout).toContain('first at  leaf_memcpy_moves_lr+0x10/0x14: ret x15\n');
    expect(stdout).toContain('promised  exact or unreliable\n');
    expect(stdout).toMatch(/leaf_memcpy_moves_lr_entry\+0x\w+\/0x\w+ +- absent\n/);
    expect(stdout).toMatch(
      /replay {4}npx kunwind-lab debug --image \S+ --function \S+ --policy \S+ --at \d/,
    );
    expect(stdout).toMatch(/: 2,000 unexpected\n$/);
  });

  it('replays a point to the same verdict', () => {
    const { status, json } = report(...SEEDED);
    expect(status).toBe(1);
    const finding = json.scenarios[0]?.findings[0];
    const words = finding?.replay.split(' ') ?? [];
    const point = words.at(-1) ?? '';
    const replayed = report(...SEEDED, '--point', point);
    expect(replayed.status).toBe(1);
    expect(replayed.json.points).toBe(1);
    const examples = replayed.json.scenarios[0]?.findings.map(({ example }) => example);
    expect(examples).toContainEqual(finding?.example);
    expect(replayed.stdout).toContain('missing, unexpected: exact or unreliable is promised');

    expect(words.slice(0, 3)).toEqual(['npx', 'kunwind-lab', 'debug']);
    const shown = run([...words.slice(2), '--print']);
    expect(shown.status, shown.stderr).toBe(0);
    expect(shown.stdout).toContain(
      `${finding?.example.policy ?? ''}, reliable, asked by irq: missing`,
    );
    expect(shown.stdout).toContain(`at ${finding?.example.at ?? ''}: `);
  });

  it('names what the outer exception interrupted at the start of a function', () => {
    const args = ['leaf/strlen', '--point', '0:irq/20:sdei', '--policy', 'sframe-strict'];
    const { stdout } = run(['sweep', ...args]);
    expect(stdout).toMatch(/^ +leaf_strlen_entry\+0x0\/\w+ +- absent$/m);
  });

  it('stops a guest that runs away', () => {
    const { status, stdout } = run(['sweep', 'leaf/strlen', '--budget', '50', '--no-progress']);
    expect(status).toBe(1);
    expect(stdout).toMatch(/✗ the guest ran away: 50 instructions executed\n +at {8}leaf_strlen/);
  });

  it('says where the code under test crashed', () => {
    const image = ['--image', LEAF_ELF, '--function', 'leaf_strlen', '--args', '-0x1000'];
    const { status, stdout } = run(['sweep', ...image, '--no-progress']);
    expect(status).toBe(1);
    expect(stdout).toMatch(/✗ the code under test crashed: .*unmapped.*\n +at {8}leaf_strlen/i);
  });
});

describe('a point', () => {
  it('is shown with the answer of each policy in each mode', async () => {
    const { status, stdout } = await session.run(['sweep', 'leaf/memcpy', '--point', '70:nmi']);
    expect(status).toBe(0);
    expect(stdout).toMatch(/^leaf\/memcpy 70:nmi at leaf_memcpy\S*\+0x/);
    expect(stdout).toMatch(/^frame-pointer, reliable: unreliable \(regs-pc\)$/m);
    expect(stdout).toMatch(
      /^sframe-v5, sframe-strict, fgraph-detect, fgraph-recover, reliable: exact$/m,
    );
    expect(stdout).toMatch(/best-effort: /);
  });

  it('may lie inside the handling of another', async () => {
    const args = ['sweep', 'leaf/strlen', '--point', '70:irq/20:sdei', '--policy', 'frame-pointer'];
    const { stdout } = await session.run(args);
    expect(stdout).toMatch(/^leaf\/strlen 70:irq\/20:sdei at /);
  });

  it('names a function that was interrupted at its first instruction, at either depth', async () => {
    const linesOf = async (point: string): Promise<string[]> => {
      const args = ['sweep', 'entry/trivial', '--point', point, '--policy', 'sframe-strict'];
      const { stdout } = await session.run(args);
      return stdout.split('\n').filter((line) => line.includes('entry_trivial'));
    };
    const [, shallow] = await linesOf('0:irq');
    expect(shallow).toMatch(/^ +entry_trivial\+0x0\/0x\w+ +entry_trivial\+0x0\/0x\w+$/);
    // The outer of two exceptions is no call of the inner one's code.
    const [deep] = await linesOf('0:irq/20:sdei');
    expect(deep).toMatch(/^ +entry_trivial\+0x0\/0x\w+ +- absent$/);
  });

  it('says why a known bug is accepted', async () => {
    const { status, stdout } = await session.run([
      'sweep',
      'leaf/strlen-nocfi',
      '--point',
      '70:sdei',
    ]);
    expect(status).toBe(0);
    expect(stdout).toMatch(/reliable: missing, as promised: SDEI pushes a plain record/);
  });
});

it.each([
  ['fgraph/leaf', 'irq'],
  ['entry/trivial', 'irq,sdei'],
  ['sdei', 'sdei'],
])('%s is as promised under %s alone', (scenario, kinds) => {
  const { status, stdout } = run(['sweep', scenario, '--kind', kinds, '--no-progress']);
  expect(stdout).toMatch(/all as promised\n$/);
  expect(status).toBe(0);
});

it('gives the same report whatever the number of workers is', () => {
  const scenarios = ['leaf/strlen', 'leaf/memcpy-moves-lr', 'calls/recursion'];
  const [one, two] = ['1', '2'].map((jobs) => {
    const { json } = report(...scenarios, '--jobs', jobs);
    const { seconds, pointsPerSecond, jobs: used, ...rest } = json;
    expect([seconds > 0, pointsPerSecond > 0, used]).toEqual([true, true, Number(jobs)]);
    return rest;
  });
  expect(two).toEqual(one);
  const deep = ['1', '2'].map(
    (jobs) =>
      report('leaf/strlen', '--depth', '2', '--kind', 'sdei', '--jobs', jobs).json.scenarios,
  );
  expect(deep[1]).toEqual(deep[0]);
});
