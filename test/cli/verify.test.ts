import {
  copyFileSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseElf } from '../../elf/image.js';
import { runShared, runWithOneJob } from './shared-session.js';

const LEAF = 'scenarios/leaf/leaf.elf';
const GUEST = 'kernel-model/guest/vmlinux';
const VERIFY_LEAF = ['sframe', 'verify', LEAF];

describe('sframe verify', () => {
  let folder = '';
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'kunwind-verify-'));
  });
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  it('ends with the verdict, and status 0 when every row is true', async () => {
    const { status, stdout } = await runWithOneJob(['sframe', 'verify', GUEST]);
    expect(status).toBe(0);
    expect(stdout.trim().split('\n').at(-1)).toMatch(
      /^\d+ functions \(0 with findings\); [\d,]+ of [\d,]+ instructions reached \(99\.\d\d%\); rows: \d+ verified, 0 wrong, 0 unreached$/,
    );
    expect(stdout).toMatch(/^not reached: \d instructions, after-noreturn$/m);
  });

  it('shows each cause once, with code and a command that shows it again', async () => {
    const { status, stdout } = await runWithOneJob(VERIFY_LEAF);
    expect(status).toBe(1);
    const causes = stdout.split('\n').filter((line) => line.startsWith('✗'));
    expect(causes).toHaveLength(4);
    for (const cause of causes) expect(cause).toContain('annotated as a leaf routine');
    expect(stdout).toMatch(/> 0x[0-9a-f]+ {2}ret x15/);
    const [, replay] =
      /replay: npx kunwind-lab (.*--function leaf_memset_moves_sp)/.exec(stdout) ?? [];
    expect(replay).toBeDefined();
    expect(stdout).toContain(`debug --image ${LEAF} --function leaf_memset_moves_sp\n`);
    const again = await runWithOneJob((replay ?? '').split(' '));
    expect(again.status).toBe(1);
    expect(again.stdout).toContain('✗ cfa at leaf_memset_moves_sp+0x8');
    expect(again.stdout).toMatch(/\n1 functions? \(1 with findings\)/);
  });

  it('reports the same for any number of workers', async () => {
    const report = async (jobs: string): Promise<{ stdout: string; json: string }> => {
      const path = join(folder, `jobs${jobs}.json`);
      const { stdout } = await runShared([...VERIFY_LEAF, '--jobs', jobs, '--json', path]);
      return { stdout, json: readFileSync(path, 'utf8') };
    };
    expect(await report('3')).toEqual(await report('1'));
  });

  it('writes JSON with a cause for each mistake and addresses as text', async () => {
    const path = join(folder, 'report.json');
    await runWithOneJob([...VERIFY_LEAF, '--function', 'leaf_memcpy_moves_lr', '--json', path]);
    const report = JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
    expect(report).toMatchObject({
      file: LEAF,
      functions: { total: 1, wrong: 1 },
      rows: { total: 1, verified: 0, wrong: 1, unreached: 0 },
      causes: [
        {
          kind: 'ra',
          functions: ['leaf_memcpy_moves_lr'],
          findings: [
            { kind: 'ra', row: 0, pc: expect.stringMatching(/^0xffff[0-9a-f]{12}$/) as string },
            { kind: 'return', row: 0 },
          ],
        },
      ],
      skipped: [],
    });
  });

  it('writes SARIF with what the 2.1.0 schema requires of a log', async () => {
    const path = join(folder, 'report.sarif');
    await runWithOneJob([...VERIFY_LEAF, '--sarif', path]);
    const log = JSON.parse(readFileSync(path, 'utf8')) as SarifLog;
    expect(log.version).toBe('2.1.0');
    expect(log.$schema).toMatch(/^https:.*sarif.*2\.1\.0/);
    const [run] = log.runs;
    if (run === undefined) throw new Error('no run');
    const { rules } = run.tool.driver;
    expect(run.results).toHaveLength(5);
    for (const result of run.results) {
      expect(['error', 'note']).toContain(result.level);
      expect(rules[result.ruleIndex]?.id).toBe(result.ruleId);
      expect(result.message.text.length).toBeGreaterThan(20);
      const [location] = result.locations;
      expect(location?.physicalLocation.artifactLocation.uri).toBe(LEAF);
      expect(location?.logicalLocations[0]?.fullyQualifiedName).toMatch(/^leaf_/);
    }
    expect(new Set(rules.map(({ id }) => id)).size).toBe(rules.length);
  });

  it('says in one line what is wrong with its input', async () => {
    const text = join(folder, 'text');
    writeFileSync(text, 'no ELF at all, but long enough to hold the header of one: '.repeat(4));
    const bad = async (args: readonly string[]): Promise<string> => {
      const { status, stdout, stderr } = await runShared(['sframe', 'verify', ...args]);
      expect(status, stdout).toBe(2);
      expect(stdout).toBe('');
      expect(stderr.trim().split('\n')).toHaveLength(1);
      return stderr;
    };
    expect(await bad([])).toContain('sframe verify needs a FILE');
    expect(await bad([join(folder, 'absent')])).toContain('absent');
    expect(await bad([text])).toContain('not an ELF');
    const report = join(folder, 'both');
    const loop = join(folder, 'loop');
    symlinkSync('loop', loop);
    expect(await bad([loop])).toMatch(/^kunwind-lab: .*loop: cannot read the file: /);
    expect(await bad([loop, '--json', report])).toMatch(/loop: cannot read the file: /);
    expect(await bad([join(text, 'x')])).toMatch(/^kunwind-lab: .*x: cannot read the file: /);
    expect(await bad([LEAF, '--function', 'nothing*'])).toContain(
      `${LEAF}: no function with an FDE matches 'nothing*'`,
    );
    expect(await bad([LEAF, '--jobs', '0'])).toContain(
      "--jobs must be a positive integer, not '0'",
    );
    expect(await bad([LEAF, '--json', join(folder, 'no', 'x.json')])).toContain(
      'no such directory',
    );
    expect(await bad([LEAF, '--sarif', folder])).toContain('it is a directory');
    const copy = join(folder, 'copy.elf');
    copyFileSync(LEAF, copy);
    for (const option of ['--json', '--sarif']) {
      expect(await bad([copy, option, join(folder, '.', 'copy.elf')])).toContain(
        `${option} would overwrite ${copy}, which is read`,
      );
    }
    expect(readFileSync(copy)).toEqual(readFileSync(LEAF));
    expect(await bad([LEAF, '--json', report, '--sarif', report])).toContain(
      'would both be written to',
    );
    expect(await bad([LEAF, '--function', 'a', '--function', 'b'])).toContain('given 2 times');
    expect(await bad([corrupt(folder, 0)])).toMatch(/\.sframe: .*magic/);
    // The highest byte of the first function's size, behind the header and sfdi_func_start_offset.
    expect(await bad([corrupt(folder, 28 + 8 + 3)])).toMatch(
      /FDE 0 at 0x[0-9a-f]+ has \d+ bytes, but the file has only/,
    );
    expect(await bad([corrupt(folder, 12)])).toMatch(/\.sframe: .*(offset|byte) /);
  });
});

/** A copy of an ELF whose .sframe has a changed byte. */
function corrupt(folder: string, at: number): string {
  const path = join(folder, `corrupt${at}.elf`);
  copyFileSync(LEAF, path);
  const bytes = readFileSync(path);
  const image = parseElf(path, bytes);
  if (!image.ok) throw new Error('the scenario does not load');
  const [section] = image.value.sframe;
  if (section === undefined) throw new Error('the scenario has no .sframe');
  const offset = bytes.indexOf(section.data);
  bytes[offset + at] = (bytes[offset + at] ?? 0) ^ 0xff;
  writeFileSync(path, bytes);
  return path;
}

interface SarifLog {
  readonly $schema: string;
  readonly version: string;
  readonly runs: readonly {
    readonly tool: { readonly driver: { readonly rules: readonly { readonly id: string }[] } };
    readonly results: readonly {
      readonly ruleId: string;
      readonly ruleIndex: number;
      readonly level: string;
      readonly message: { readonly text: string };
      readonly locations: readonly {
        readonly physicalLocation: { readonly artifactLocation: { readonly uri: string } };
        readonly logicalLocations: readonly { readonly fullyQualifiedName: string }[];
      }[];
    }[];
  }[];
}
