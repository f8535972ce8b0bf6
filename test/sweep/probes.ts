/**
 * Scenarios for defects that no scenario of the catalogue shows: what a sound unwinder must refuse,
 * or look up twice, does not come up in code that is compiled or written with care. Each is a
 * function of the catalogue with some instructions replaced; its SFrame rows stay right.
 */
import type { Disassembler } from '../../emulator/disassembler.js';
import type { PolicyPromise, Scenario } from '../../scenarios/scenario.js';
import { type CodePatch, NOP, patchCode } from './code-patch.js';
import { scenario } from './defect.js';
import type { Slice } from './defect-sweep.js';

/** A scenario of the catalogue with one of its functions, and its promise for sframe-strict, changed. */
function probe(
  disassembler: Disassembler,
  { base, fn, args }: { base: string; fn: string; args?: NonNullable<Scenario['args']> },
  strict: PolicyPromise,
  change: (code: CodePatch) => void,
): Slice {
  const target = scenario(base);
  const { name, summary, entry, traced } = target.scenario;
  const known = args ?? target.scenario.args;
  return {
    target: {
      ...target,
      scenario: {
        name: `probe/${name.replace('/', '-')}`,
        summary,
        entry,
        ...(traced === undefined ? {} : { traced }),
        ...(known === undefined ? {} : { args: known }),
        // It leaves a metadata record, so that the SFrame of the function is asked.
        kinds: ['irq'],
        promiseAll: ANYTHING,
        promises: { 'sframe-strict': strict },
      },
    },
    prepare: (image) =>
      image.path === target.elf ? patchCode(image, disassembler, fn, change) : image,
  };
}

/** The other policies are not the subject: what they answer is swept elsewhere. */
const ANYTHING: PolicyPromise = {
  allow: (['unreliable', 'missing', 'spurious', 'misordered', 'warned'] as const).map(
    (verdict) => ({ verdict, reason: 'not the subject' }),
  ),
};

/** In record_leaf, which is called with a broken chain in x29, everything has this verdict. */
function inLeaf(verdict: 'unreliable' | 'warned', reason: string): PolicyPromise {
  const points = { verdict, in: ['record_leaf'], reason } as const;
  return { allow: [points], require: [{ ...points, everywhere: true }] };
}

/** Replaces what record_bottom does before and after its second call of record_leaf. */
function aroundCall(code: CodePatch, before: readonly number[]): void {
  const from = code.find(/^stp x19, x20, /);
  const call = code.find(/^bl /, 1);
  const to = code.find(/^ldp x19, x20, /);
  code.words.fill(NOP, from, call);
  code.words.set(before, from);
  code.words.fill(NOP, call + 1, to + 1);
  code.words[call + 1] = 0x910003fd; // mov x29, sp
}

/** x29 leads from the task stack to a record on the IRQ stack, and from there back. */
export function leftStack(disassembler: Disassembler): Slice {
  const args = [{ symbol: 'irq_stack_ptr' }];
  const broken = inLeaf(
    'unreliable',
    'the chain leads over the IRQ stack back to one that was left',
  );
  return probe(
    disassembler,
    { base: 'calls/record-bottom', fn: 'record_bottom', args },
    broken,
    (code) => {
      aroundCall(code, [
        0xf9400001, // ldr x1, [x0]
        0xa900783d, // stp x29, x30, [x1]
        0xaa0103fd, // mov x29, x1
      ]);
    },
  );
}

/** x29 leads to a FINAL record that is not the task's. */
export function falseFinal(disassembler: Disassembler): Slice {
  const broken = inLeaf('warned', 'a FINAL record is valid in task_pt_regs() only');
  return probe(
    disassembler,
    { base: 'calls/record-bottom', fn: 'record_bottom' },
    broken,
    (code) => {
      aroundCall(code, [
        0xa9017fff, // stp xzr, xzr, [sp, #16]
        0xd2800021, // mov x1, #1
        0xf90013e1, // str x1, [sp, #32]
        0x910043fd, // add x29, sp, #16
      ]);
    },
  );
}

/**
 * A traced function without a frame record returns from a traced one: at the first instruction of
 * return_to_handler two return addresses have to be recovered at one frame pointer.
 */
export function twoAtOneFrame(disassembler: Disassembler): Slice {
  const reason = 'the second search of the return stack goes on below the first';
  const strict: PolicyPromise = {
    allow: ANYTHING.allow ?? [],
    require: [{ verdict: 'exact', in: ['return_to_handler'], atLeast: TWO_AT_ONE_FRAME, reason }],
  };
  return probe(disassembler, { base: 'fgraph/nested', fn: 'fgraph_middle' }, strict, (code) => {
    code.drop(/^mov x29, sp$/);
  });
}

/** The four returns of traced functions. */
const TWO_AT_ONE_FRAME = 4;
