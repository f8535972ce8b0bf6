/** The kernel's own reader of KTAP, tools/testing/kunit/kunit.py, where a kernel tree is at hand. */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

/** Its folder in a kernel tree. */
const IN_TREE = 'tools/testing/kunit';

/** KUNIT_PY is its folder. Without it: a tree beside the project, or one that a package installed. */
function findFolder(): string | undefined {
  const given = process.env.KUNIT_PY;
  if (given !== undefined) return given;
  const installed = existsSync('/usr/src')
    ? readdirSync('/usr/src')
        .filter((name) => name.startsWith('linux'))
        .sort()
    : [];
  const trees = [
    resolve(import.meta.dirname, '../../../linux'),
    ...installed.map((name) => join('/usr/src', name)),
  ];
  return trees
    .map((tree) => join(tree, IN_TREE))
    .find((folder) => existsSync(join(folder, 'kunit.py')));
}

const folder = findFolder();
const python = spawnSync('python3', ['--version']).status === 0;

/** Why there is no kunit.py to run, in one line; undefined when there is. */
export const whyNoKunitPy: string | undefined =
  folder === undefined
    ? 'set KUNIT_PY to tools/testing/kunit of a kernel tree'
    : !existsSync(join(folder, 'kunit.py'))
      ? `KUNIT_PY: no kunit.py in ${folder}`
      : python
        ? undefined
        : 'python3 is not installed';

/** A given folder that is of no use is a mistake, and not a reason to skip. */
export const mistakenKunitPy = process.env.KUNIT_PY !== undefined && whyNoKunitPy !== undefined;

/** A group of results as `kunit.py parse --json` writes it. */
interface Group {
  readonly name: string;
  readonly test_cases: readonly { readonly name: string; readonly status: string }[];
  readonly sub_groups: readonly Group[];
}

/** What kunit.py makes of a log. */
export interface KunitPyAnswer {
  readonly status: number | null;
  /** `path: PASS` of each result, a case's parameters below its name. */
  readonly results: readonly string[];
  /** Its last word: `Ran 50 tests: passed: 49, failed: 1`. */
  readonly counts: string;
  /** What it has to say against the log. */
  readonly complaints: readonly string[];
  readonly output: string;
}

/** Runs `kunit.py parse` on a file; `json` is written. */
export function kunitPyParse(log: string, json: string): KunitPyAnswer {
  const { status, stdout, stderr } = spawnSync(
    'python3',
    ['-B', join(folder ?? '', 'kunit.py'), 'parse', log, `--json=${json}`],
    { encoding: 'utf8', cwd: folder },
  );
  const output = stdout + stderr;
  const lines = output.split('\n').map((line) => line.replace(/^\[[\d:]+\] /, ''));
  return {
    status,
    results: existsSync(json) ? flat(JSON.parse(readFileSync(json, 'utf8')) as Group, '') : [],
    counts: lines.find((line) => line.startsWith('Testing complete.'))?.slice(18) ?? '',
    complaints: lines.filter((line) => /^\s*\[?(ERROR|CRASHED)|^Traceback/i.test(line)),
    output,
  };
}

function flat({ test_cases, sub_groups }: Group, path: string): string[] {
  return [
    ...test_cases.map(({ name, status }) => `${path}${name}: ${status}`),
    ...sub_groups.flatMap((group) => flat(group, `${path}${group.name}/`)),
  ];
}
