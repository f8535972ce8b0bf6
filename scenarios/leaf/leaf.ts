/**
 * Leaf routines in assembly. Each is built from one source in two variants: annotated as a leaf,
 * and without any CFI, as such routines are in the kernel today.
 *
 * There are also wrong annotations: the routine changes what the leaf rule (CFA = SP, return
 * address in x30, FP unchanged) takes for granted, and the resulting trace is called reliable.
 */
import { insideUnsafe } from '../exception-code.js';
import {
  BOUNDARY_KINDS,
  mergePromises,
  SFRAME_POLICIES,
  TRUSTING_SDEI,
  under,
  type Promises,
} from '../promise-terms.js';
import { everywhere, promisesFor } from '../promises.js';
import type { AllowedVerdict, PolicyPromise, Scenario, ScenarioFamily } from '../scenario.js';
import { withPromises } from '../with-promises.js';

/** A routine, and the checksum that its entry function returns. */
const ROUTINES: readonly (readonly [string, number])[] = [
  ['memcpy', 2807291993],
  ['memmove', 452951003],
  ['memset', 3176771476],
  ['memcmp', 4264937472],
  ['memchr', 887777727],
  ['strlen', 29410475],
  ['strnlen', 895821292],
  ['strcmp', 4267263591],
  ['strncmp', 4294966335],
  ['strchr', 32891],
  ['strrchr', 828599],
  ['copy_page', 3916124050],
  ['arx_block', 1233391955],
];

const routines: readonly Scenario[] = ROUTINES.flatMap(([routine, result]) => {
  const dashed = routine.replaceAll('_', '-');
  const name = `leaf_${routine}`;
  const common = {
    result,
    topics: ['leaf', routine, ...(routine === 'memcpy' ? ['review'] : [])],
  };
  return [
    withPromises(
      {
        ...common,
        name: `leaf/${dashed}`,
        summary: `${routine} annotated as a leaf: exact throughout`,
        entry: `${name}_entry`,
      },
      () => promisesFor({ framed: [`${name}_entry`], frameless: [name] }),
    ),
    withPromises(
      {
        ...common,
        name: `leaf/${dashed}-nocfi`,
        summary: `${routine} without CFI: unreliable throughout`,
        entry: `${name}_nocfi_entry`,
      },
      () => promisesFor({ framed: [`${name}_nocfi_entry`], unannotated: [`${name}_nocfi`] }),
    ),
  ];
});

/** Some points of the function, of the kinds that go through a vector, have this unsafe verdict. */
function unsafe(verdict: AllowedVerdict['verdict'], fn: string, reason: string): PolicyPromise {
  const points = { verdict, kinds: BOUNDARY_KINDS, in: [fn], depth: 1, reason } as const;
  return { allow: [points], require: [points] };
}

const REASON = {
  inner: 'x30 leads back to the seeded routine, and its own return address is in x15 only',
  stale: 'x30 holds the address the inner call has already returned to',
  pattern: 'x30 holds the byte pattern while the return address is on the stack',
  lost: 'x29 holds a length: the walk stops there, and its error is dropped',
  lostStrict: 'x29 holds a length: the walk stops there, and says so',
  tracked: 'the failed step consults SFrame with the SP that the wrong annotation gave',
  sdeiLost: 'SDEI pushes a plain record with the length as its fp: the walk stops there',
};

const MOVES_LR = 'leaf_memcpy_moves_lr';
const SPILLS_LR = 'leaf_memset_spills_lr';
const SPILLS_FP = 'leaf_memset_spills_fp';

const movesLr = (): Promises =>
  mergePromises(
    promisesFor({
      framed: [`${MOVES_LR}_entry`],
      frameless: [MOVES_LR, 'leaf_memcpy_inner'],
    }),
    under(SFRAME_POLICIES, everywhere('missing', ['leaf_memcpy_inner'], REASON.inner)),
    under(SFRAME_POLICIES, unsafe('missing', MOVES_LR, REASON.stale)),
    insideUnsafe(SFRAME_POLICIES, 'missing', REASON.stale),
  );

const spillsLr = (): Promises =>
  mergePromises(
    promisesFor({ framed: [`${SPILLS_LR}_entry`], frameless: [SPILLS_LR] }),
    under(SFRAME_POLICIES, unsafe('missing', SPILLS_LR, REASON.pattern)),
    insideUnsafe(SFRAME_POLICIES, 'missing', REASON.pattern),
  );

/** Points of an SDEI event in the routine that overwrites x29: more than the caller is skipped. */
function sdeiInSpillsFp(verdict: 'missing' | 'unreliable'): PolicyPromise {
  const points = { kinds: ['sdei'], in: [SPILLS_FP], depth: 1, reason: REASON.sdeiLost } as const;
  return { allow: [{ verdict, ...points }], require: [{ verdict, ...points }] };
}

const spillsFp = (): Promises =>
  mergePromises(
    promisesFor({ framed: [`${SPILLS_FP}_entry`], wrong: [SPILLS_FP] }),
    under(['sframe-v5', 'sframe-v6'], unsafe('missing', SPILLS_FP, REASON.lost)),
    under(['sframe-v5'], unsafe('spurious', SPILLS_FP, REASON.tracked)),
    under(
      ['sframe-strict', 'fgraph-detect', 'fgraph-recover'],
      unsafe('unreliable', SPILLS_FP, REASON.lostStrict),
    ),
    under(
      TRUSTING_SDEI,
      sdeiInSpillsFp('missing'), // before x29 is taken and after it is restored
    ),
    under(['frame-pointer', 'sframe-strict'], sdeiInSpillsFp('unreliable')),
    insideUnsafe(['sframe-v5', 'sframe-v6'], 'missing', REASON.lost),
    insideUnsafe(['sframe-v5'], 'spurious', REASON.tracked),
    insideUnsafe(
      ['frame-pointer', 'sframe-strict', 'fgraph-detect', 'fgraph-recover'],
      'unreliable',
      REASON.lostStrict,
    ),
  );

const seeded: readonly Scenario[] = [
  withPromises(
    {
      name: 'leaf/memcpy-moves-lr',
      summary: 'annotated as a leaf, but it calls: the return address waits in x15',
      entry: `${MOVES_LR}_entry`,
      result: 2807291993,
      topics: ['leaf', 'seeded'],
    },
    movesLr,
  ),
  withPromises(
    {
      name: 'leaf/memset-moves-sp',
      summary: 'annotated as a leaf, but it lowers SP: the CFA is wrong, though no trace uses it',
      entry: 'leaf_memset_moves_sp_entry',
      result: 3176771476,
      wrongRows: ['leaf_memset_moves_sp'],
      topics: ['leaf', 'seeded'],
    },
    () =>
      promisesFor({
        framed: ['leaf_memset_moves_sp_entry'],
        frameless: ['leaf_memset_moves_sp'],
      }),
  ),
  withPromises(
    {
      name: 'leaf/memset-spills-lr',
      summary: 'annotated as a leaf, but x30 is saved on the stack and used for data',
      entry: `${SPILLS_LR}_entry`,
      result: 3176771476,
      wrongRows: [SPILLS_LR],
      topics: ['leaf', 'seeded'],
    },
    spillsLr,
  ),
  withPromises(
    {
      name: 'leaf/memset-spills-fp',
      summary: 'annotated as a leaf, but x29 is saved on the stack and used for data',
      entry: `${SPILLS_FP}_entry`,
      result: 3176771476,
      wrongRows: [SPILLS_FP],
      topics: ['leaf', 'seeded'],
    },
    spillsFp,
  ),
];

/** Leaf routines in assembly. */
export const family: ScenarioFamily = {
  name: 'leaf',
  summary: 'string, memory and cipher routines: annotated, without CFI, and annotated wrongly',
  elf: 'leaf.elf',
  scenarios: [...routines, ...seeded],
};
