/** `kunwind-lab debug --kernel` of a kernel that was built, against the sweep of the same function. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { SweepReport } from '../../sweep/report.js';
import { debugPrint } from '../cli/debug-print.js';
import { run, scratchFolder } from '../cli/run-cli.js';
import { HAS_KERNELS, LEAF_KERNEL } from './kernels.js';

const folder = scratchFolder();
afterAll(() => {
  folder.remove();
});

describe.skipIf(!HAS_KERNELS)('a finding in a kernel that was built', () => {
  it('is opened at its point by its own command, with the same truth and trace', async () => {
    const path = join(folder.path, 'report.json');
    const call = ['--kernel', LEAF_KERNEL, '--function', 'fgraph:int_sqrt', '--args', '1000'];
    const which = ['--policy', 'sframe-strict', '--kind', 'irq'];
    run(['sweep', ...call, ...which, '--json', path, '--no-progress']);
    const { scenarios } = JSON.parse(readFileSync(path, 'utf8')) as SweepReport;
    const finding = scenarios[0]?.findings.find(({ fn }) => fn === 'ftrace_return_to_handler');
    const words = finding?.replay.split(' ') ?? [];
    expect(words.slice(0, 3)).toEqual(['npx', 'kunwind-lab', 'debug']);
    const text = await debugPrint(run, ...words.slice(3));
    expect(text).toContain(`\nat ${finding?.example.at ?? ''}: `);
    expect(text).toMatch(/^sframe-strict, reliable, asked by irq: missing$/m);
    expect(text).toContain("the kernel's own unwinder: the same answer\n");
    const walk = text.slice(text.indexOf('-- walk --'));
    const named = (side: RegExp): string[] =>
      [...walk.matchAll(side)].map(([, name = '']) => name.replace(/[()]/g, ''));
    const bare = (names: readonly string[] = []): string[] =>
      names.map((name) => name.replace(/[()]/g, ''));
    expect(named(/^(?: {3}|!.. ?)(\(?\w+\+0x\S+)/gm)).toEqual(bare(finding?.example.truth));
    expect(named(/^(?: {3}|!.. ?)\(?\w+\+0x\S+ +(\(?\w+\+0x\S+)$/gm)).toEqual(
      bare(finding?.example.trace),
    );
  });

  it('is judged at every instruction as the sweep judges it there', () => {
    const report = join(folder.path, 'counts.json');
    const trace = join(folder.path, 'counts.jsonl');
    const call = ['--kernel', LEAF_KERNEL, '--function', 'fgraph:int_sqrt', '--args', '1000'];
    const policies = ['sframe-v5', 'sframe-v6', 'sframe-strict'] as const;
    const which = ['--policy', policies.join(','), '--kind', 'serror'];
    run(['sweep', ...call, ...which, '--json', report, '--no-progress']);
    expect(run(['debug', ...call, ...which, '--trace', trace]).status).toBe(0);
    const stops = readFileSync(trace, 'utf8')
      .trimEnd()
      .split('\n')
      .map(
        (line) => JSON.parse(line) as { index?: number; verdicts?: Record<string, string> | null },
      )
      .filter(({ index, verdicts }) => typeof index === 'number' && verdicts !== null);
    const [scenario] = (JSON.parse(readFileSync(report, 'utf8')) as SweepReport).scenarios;
    for (const policy of policies) {
      const counts = Object.entries(scenario?.policies[policy] ?? {});
      expect(counts).toHaveLength(7);
      const seen = stops.map(({ verdicts }) => verdicts?.[policy]);
      const count = (verdict: string): number => seen.filter((one) => one === verdict).length;
      for (const [verdict, times] of counts) {
        expect({ policy, verdict, times: count(verdict) }).toEqual({ policy, verdict, times });
      }
    }
    expect(stops.length).toBeGreaterThan(500);
  });
});
