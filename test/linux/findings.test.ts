/** The findings of docs/findings.md that are not in tracers.test.ts; only where ../shared/kernels is present. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ScenarioArgument } from '../../scenarios/scenario.js';
import { kernelTargets } from '../../targets/kernel-target.js';
import { Lab } from '../../lab/lab.js';
import { UnitRunner } from '../../sweep/run-unit.js';
import { DEFAULT_BUDGET } from '../../sweep/sweep.js';
import type { PolicyName } from '../../unwinder/policy.js';
import { backend, must } from '../cpu-fixture.js';
import { HAS_KERNELS, LEAF_KERNEL, PLAIN_KERNEL } from './kernels.js';

const POLICIES: readonly PolicyName[] = ['sframe-v5', 'sframe-v6', 'sframe-strict'];
const IRQ = 1;
const WARN = 'WARN bad-metadata at arch/arm64/kernel/stacktrace.c:247';

let lab: Lab;
let runner: UnitRunner;

beforeAll(() => {
  if (!HAS_KERNELS) return;
  lab = must(Lab.create(backend()));
  runner = new UnitRunner(lab);
});
afterAll(() => {
  if (HAS_KERNELS) lab.close();
});

/** Where an interrupt before that instruction is, and each variant's reliable walk, checked against the model's. */
async function walksAt(
  path: string,
  name: string,
  instruction: number,
  args?: readonly ScenarioArgument[],
): Promise<Record<string, string>> {
  const source = { file: 'vmlinux', path };
  const { targets } = must(
    kernelTargets({ source, functions: [name], ...(args === undefined ? {} : { args }) }),
  );
  const [target] = targets;
  if (target === undefined) throw new Error('there is one target');
  const { points, compared, problems, disagreements, walks } = await runner.run({
    id: 0,
    target,
    policies: POLICIES,
    unwinder: 'both',
    verbose: true,
    range: {
      from: instruction,
      to: instruction + 1,
      kinds: IRQ,
      outerKinds: 0,
      innerKinds: 0,
      innerFrom: 0,
      innerTo: 0,
      budget: DEFAULT_BUDGET,
    },
  });
  expect(problems).toEqual([]);
  expect([points, compared]).toEqual([1, 2 * POLICIES.length]);
  expect(disagreements).toEqual([]);
  const reliable = walks.filter(({ mode }) => mode === 'reliable');
  return Object.fromEntries([
    ['at', reliable[0]?.at.replace(/\/.*/, '') ?? 'nowhere'],
    ...reliable.map(({ policy, verdict, reason }) => [policy, `${verdict} ${reason}`.trim()]),
  ]) as Record<string, string>;
}

interface Finding {
  readonly title: string;
  readonly point: readonly [path: string, fn: string, index: number];
  /** Where the point is, and what variants 5, 6 and 7 answer. */
  readonly walks: readonly [at: string, v5: string, v6: string, strict: string];
}

const NO_ROWS = [
  `warned ${WARN}`,
  'unreliable no-sframe-entry',
  'unreliable no-sframe-entry',
] as const;

describe.skipIf(!HAS_KERNELS)('in a real kernel', () => {
  it.each([
    {
      title: 'crc32_le_arm64 of the annotated build has no rows',
      point: [LEAF_KERNEL, 'crc32_le_arm64', 0],
      walks: ['crc32_le_arm64+0x0', ...NO_ROWS],
    },
    {
      title: 'crc32_le_arm64 of the mainline build has no rows',
      point: [PLAIN_KERNEL, 'crc32_le_arm64', 0],
      walks: ['crc32_le_arm64+0x0', ...NO_ROWS],
    },
    {
      title: 'a string routine of the mainline build has no rows',
      point: [PLAIN_KERNEL, '__pi_strlen', 0],
      walks: ['__pi_strlen+0x0', ...NO_ROWS],
    },
    {
      title: 'a string routine of the annotated build is exact',
      point: [LEAF_KERNEL, '__pi_strlen', 0],
      walks: ['__pi_strlen+0x0', 'exact', 'exact', 'exact'],
    },
    {
      title: 'v6 alone refuses a CFA with bit 4 set',
      point: [LEAF_KERNEL, 'has_lpa2', 20],
      walks: ['bsearch+0x14', 'exact', 'unreliable cfa-misaligned', 'exact'],
    },
    {
      title: 'v5 takes a word behind an ordinary frame record for the type of one of metadata',
      point: [PLAIN_KERNEL, 'io_mkdirat', 100],
      walks: [
        '__pi_memset_generic+0x10c',
        'unreliable pt-regs-not-accessible',
        'unreliable no-sframe-entry',
        'unreliable no-sframe-entry',
      ],
    },
  ] satisfies Finding[])('$title', async ({ point, walks: [at, v5, v6, strict] }) => {
    const walks = await walksAt(...point);
    expect(walks).toEqual({ at, 'sframe-v5': v5, 'sframe-v6': v6, 'sframe-strict': strict });
  });
});
