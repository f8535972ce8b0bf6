/** Defects in what the guest kernel's entry code saves: each store left out, misplaced, or made too late. */
import type { ExceptionKind } from '../../scenarios/scenario.js';
import type { CodePatch } from './code-patch.js';
import { type Defect, guestDefect, seen, type Sight } from './defect.js';
import { ENTRY_STORES, PMR_STORE, STORE_DEFECTS } from './entry-stores.js';

/** At the first instruction of a scenario, under one kind of exception. */
function firstPoint(kind: ExceptionKind, red: string): Sight {
  const slice = {
    scenario: 'calls/record-bottom',
    depth: 1,
    kinds: [kind],
    part: { from: 0, to: 1 },
  } as const;
  return seen(slice, `0:${kind} ${red}`);
}

/** The entry code of each kind that has a vector. */
const VECTORED = [
  ['el1h_64_irq', 'irq'],
  ['el1h_64_sync', 'brk'],
] as const;

const STORES: readonly Defect[] = VECTORED.flatMap(([fn, kind]) =>
  [...ENTRY_STORES, PMR_STORE].flatMap((store) =>
    STORE_DEFECTS.map(({ name, plant }) =>
      guestDefect(`${store.name} ${name}`, fn, firstPoint(kind, store.red), (code) => {
        plant(code, store);
      }),
    ),
  ),
);

/** The registers that entry code uses for itself, used before they are saved. */
const TOO_LATE: readonly Defect[] = (
  [
    ['x0', /^mov x0, #2$/, /^stp x0, x1, \[sp\]$/],
    ['x21', /^add x21, sp, /, /^stp x20, x21, /],
    ['x22', /^mrs x22, elr_el1$/, /^stp x22, x23, \[sp, #0xb0\]$/],
    ['x23', /^mrs x23, spsr_el1$/, /^stp x22, x23, \[sp, #0xb0\]$/],
    ['x28', /^mrs x28, sp_el0$/, /^stp x28, x29, /],
    ['x29', /^add x29, sp, /, /^stp x28, x29, /],
  ] as const
).map(([register, user, store]) =>
  guestDefect(
    `${register} used before it is saved`,
    'el1h_64_error',
    firstPoint('serror', `pt-regs-wrong: pt_regs has ${register} 0x`),
    (code) => {
      code.moveBefore(user, store);
    },
  ),
);

const sdei = (name: string, red: string, change: (code: CodePatch) => void): Defect =>
  guestDefect(name, '__sdei_asm_handler', firstPoint('sdei', red), change);

/** x0 to x3 are with the firmware. */
const SDEI: readonly Defect[] = [
  ...Array.from({ length: 13 }, (_, i) => 2 * i + 4).map((n) =>
    sdei(`x${n} and x${n + 1} left out`, `pt-regs-wrong: pt_regs has x${n} 0x5ae5a5`, (code) => {
      code.drop(new RegExp(`^stp x${n}, x${n + 1}, \\[x1, `));
    }),
  ),
  sdei('LR and SP left out', 'pt-regs-wrong: pt_regs has x30 0x5ae5a5', (code) => {
    code.drop(/^stp x30, x4, /);
  }),
  sdei('PC and PSTATE left out', 'pt-regs-wrong: pt_regs has pc 0x5ae5a5', (code) => {
    code.drop(/^stp x2, x3, /);
  }),
  sdei('the record 16 bytes too low', 'pt-regs-wrong: the frame record has fp 0x5ae5a5', (code) => {
    const at = code.find(/^stp x29, x2, \[sp, #-0x10\]!$/);
    code.words[at] = ((code.words[at] as number) - (2 << 15)) >>> 0;
  }),
  sdei('the record has LR for the PC', 'pt-regs-wrong: the frame record has lr 0x', (code) => {
    code.change(/^stp x29, x2, /, 2 << 10, 30 << 10);
  }),
];

export const PT_REGS_DEFECTS: readonly Defect[] = [...STORES, ...TOO_LATE, ...SDEI];
