import { describe, expect, it } from 'vitest';
import { FAMILIES } from '../../targets/catalogue.js';
import { POLICIES } from '../../unwinder/policies/all.js';
import { run } from './run-cli.js';
import { runShared } from './shared-session.js';

interface ListJson {
  families: {
    name: string;
    summary: string;
    scenarios: {
      name: string;
      summary: string;
      promises: Record<string, { allow: { verdict: string; reason: string }[] }>;
    }[];
  }[];
}

describe('list', () => {
  it('names every family and scenario, with reasons for every promise, as JSON', async () => {
    const { status, stdout } = await runShared(['list', '--json']);
    expect(status).toBe(0);
    const { families } = JSON.parse(stdout) as ListJson;
    expect(families.map(({ name }) => name)).toEqual(FAMILIES.map(({ name }) => name));
    for (const [i, family] of families.entries()) {
      const scenarios = FAMILIES[i]?.scenarios ?? [];
      expect(family.scenarios.map(({ name }) => name)).toEqual(scenarios.map(({ name }) => name));
      for (const { promises } of family.scenarios) {
        expect(Object.keys(promises)).toEqual(Object.keys(POLICIES));
        for (const { allow } of Object.values(promises)) {
          for (const { reason } of allow) expect(reason).not.toBe('');
        }
      }
    }
  });

  it('prints a family with its promises in 100 columns', async () => {
    const { stdout } = await runShared(['list', '--family', 'leaf']);
    expect(stdout).toMatch(/^leaf: /);
    expect(stdout).not.toContain('calls/');
    expect(stdout).toMatch(/leaf\/memcpy-nocfi +memcpy without CFI/);
    expect(stdout).toMatch(/must be warned +a failed look-up takes the frame record/);
    for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(100);
  });

  it('is one line for each scenario when brief, and knows topics', async () => {
    const { stdout } = await runShared(['list', '--brief', '--topic', 'memcpy']);
    const lines = stdout.trimEnd().split('\n');
    expect(lines.length).toBe(3);
    expect(lines[1]).toMatch(/^ {2}leaf\/memcpy +memcpy annotated as a leaf/);
  });
});

it.each([[[]], [['sweep']], [['list']], [['sframe']], [['sframe', 'dump']]])(
  'help for %j goes to standard output, with status 0',
  async (command) => {
    const { status, stdout, stderr } = await runShared([...command, '--help']);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toContain(['kunwind-lab', ...command].join(' '));
  },
);

it('knows its version', () => {
  expect(run(['--version']).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
});
