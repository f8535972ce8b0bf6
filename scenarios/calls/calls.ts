/**
 * Every shape that a call and a frame can have in AArch64 code: written by hand with CFI, and as
 * GCC compiles it at -O2 with frame pointers. All of it is annotated correctly unless its summary
 * says otherwise, so the policies that ask SFrame must be exact at every instruction.
 */
import { insideUnsafe } from '../exception-code.js';
import {
  BOUNDARY_KINDS,
  mergePromises,
  SFRAME_POLICIES,
  under,
  type Promises,
} from '../promise-terms.js';
import { everywhere } from '../promises.js';
import type { Scenario, ScenarioFamily } from '../scenario.js';
import { shape } from './shape.js';

const frameRecords: readonly Scenario[] = [
  shape('record-bottom', 'frame record at the bottom of its frame', 'record_bottom', [5, 35], {
    framed: ['record_bottom'],
    frameless: ['record_leaf'],
  }),
  shape('record-top', 'frame record above the locals, as LLVM has it', 'record_top', [6, 41], {
    framed: ['record_top'],
    frameless: ['record_leaf'],
  }),
  shape(
    'record-middle',
    'frame record between outgoing stack arguments and saved registers',
    'record_middle',
    [7, 37],
    { framed: ['record_middle'], frameless: ['record_stack_arguments', 'record_leaf'] },
  ),
  shape('record-mixed', 'the three places on one stack', 'record_mixed', [8, 169], {
    framed: ['record_mixed', 'record_mixed_middle', 'record_bottom'],
    frameless: ['record_leaf'],
  }),
  shape('compiled-bottom', 'the usual frame of a C function', 'compiled_bottom', [6, 47], {
    framed: ['compiled_bottom'],
    frameless: ['compiled_leaf', 'compiled_leaf_scratch'],
  }),
  shape(
    'compiled-middle',
    'a C function that passes arguments on the stack',
    'compiled_middle',
    [6, 951],
    {
      framed: ['compiled_middle', 'compiled_bottom'],
      frameless: ['compiled_ten_arguments', 'compiled_leaf', 'compiled_leaf_scratch'],
    },
  ),
  shape(
    'compiled-top',
    'a C function with a stack protector: locals below the record',
    'compiled_top',
    [6, 41],
    { framed: ['compiled_top'], frameless: ['compiled_leaf'] },
  ),
];

const frameSizes: readonly Scenario[] = [
  shape(
    'large-frame-sp',
    'a frame over 4 KiB, made in two steps, CFA on SP',
    'large_frame_sp',
    [41, 49],
    { framed: ['large_frame_sp'], frameless: ['large_leaf'] },
  ),
  shape('large-frame-fp', 'a frame over 4 KiB, CFA on FP', 'large_frame_fp', [42, 51], {
    framed: ['large_frame_fp'],
    frameless: ['large_leaf'],
  }),
  shape('compiled-large', 'a C function with 5 KiB of locals', 'compiled_large', [6, 168], {
    framed: ['compiled_large'],
    frameless: ['compiled_leaf'],
  }),
  shape('dynamic-sp', 'SP lowered by a computed amount, CFA on FP', 'dynamic_sp', [5, 15], {
    framed: ['dynamic_sp'],
    frameless: ['dynamic_leaf'],
  }),
  shape(
    'dynamic-branch',
    'CFA on FP in one branch and on SP in the other of one function',
    'dynamic_both',
    [5, 28],
    { framed: ['dynamic_both', 'dynamic_branch'], frameless: ['dynamic_leaf', 'large_leaf'] },
  ),
  shape(
    'compiled-alloca',
    'alloca for the whole of a C function, and in one branch of another',
    'compiled_dynamic_entry',
    [5, 112],
    {
      framed: ['compiled_dynamic_entry', 'compiled_alloca', 'compiled_alloca_branch'],
      frameless: ['compiled_fill'],
    },
  ),
  shape(
    'compiled-variadic',
    'variadic C functions: register save areas, arguments on the stack',
    'compiled_variadic_entry',
    [6, 118],
    {
      framed: ['compiled_variadic_entry', 'compiled_sum_mapped', 'compiled_sum_list'],
      frameless: ['compiled_sum', 'compiled_leaf'],
    },
  ),
];

const HIDDEN = 'a caller without a frame record is skipped: from a callee only x29 is followed';

/** The same under all policies, because they only ever use the CFI of the interrupted function. */
const callerHidden = (): Promises =>
  mergePromises(
    under(SFRAME_POLICIES, everywhere('missing', ['leaf_without_frame'], HIDDEN)),
    insideUnsafe(SFRAME_POLICIES, 'missing', HIDDEN),
  );

const leaves: readonly Scenario[] = [
  shape('leaf', 'leaves without a frame and with stack space only', 'leaf_caller', [4660, 96049], {
    framed: ['leaf_caller'],
    frameless: ['leaf_without_frame', 'leaf_with_scratch'],
  }),
  shape(
    'caller-without-record',
    'a function that calls with its return address saved but no frame record: unsafe, CFI or not',
    'without_record_entry',
    [20, 345],
    {
      framed: ['without_record_entry'],
      frameless: ['caller_without_record', 'leaf_without_frame'],
    },
    callerHidden,
  ),
  shape(
    'lr-in-register',
    'a return address kept in x15: its CFI has no SFrame form, so the function has no entry',
    'lr_in_register_entry',
    [20, 66],
    { framed: ['lr_in_register_entry'], unannotated: ['lr_in_register'] },
  ),
];

const control: readonly Scenario[] = [
  shape(
    'epilogues',
    'several epilogues (.cfi_remember_state) and a shrink-wrapped prologue',
    'epilogue_entry',
    [0, 1670],
    {
      framed: ['epilogue_entry', 'epilogue_many', 'epilogue_shrink_wrapped'],
      frameless: ['leaf_without_frame'],
    },
  ),
  shape(
    'tail-calls',
    'tail calls from functions with and without a frame',
    'tail_entry',
    [300, 54060],
    {
      framed: ['tail_entry', 'tail_framed', 'tail_conditional'],
      frameless: ['tail_plain', 'tail_end', 'leaf_without_frame', 'leaf_with_scratch'],
    },
  ),
  shape(
    'compiled-control',
    'shrink-wrapping, several epilogues and sibling calls as compiled',
    'compiled_control_entry',
    [6, 764],
    {
      framed: [
        'compiled_control_entry',
        'compiled_shrink_wrapped',
        'compiled_epilogues',
        'compiled_sibling',
      ],
      frameless: ['compiled_leaf', 'compiled_leaf_scratch'],
    },
  ),
  shape(
    'indirect',
    'BLR and BR to functions, a jump table, the BTI landing pads of each',
    'indirect_entry',
    [12, 342],
    {
      framed: ['indirect_entry', 'indirect_tail', 'indirect_table'],
      frameless: [
        'indirect_target_c',
        'indirect_target_jc',
        'indirect_tail_jc',
        'leaf_without_frame',
      ],
    },
  ),
  shape(
    'compiled-indirect',
    'function pointers, tail calls through them and a jump table as compiled',
    'compiled_indirect_entry',
    [6, 1016],
    {
      framed: [
        'compiled_indirect_entry',
        'compiled_indirect_tail',
        'compiled_sibling',
        'compiled_switch',
      ],
      frameless: ['compiled_leaf', 'compiled_leaf_scratch'],
    },
  ),
  shape(
    'noreturn',
    'a call as the last instruction: the return address belongs to the next symbol',
    'noreturn_entry',
    [30, 512],
    {
      framed: ['noreturn_entry', 'noreturn_caller', 'noreturn_callee', 'noreturn_next'],
      frameless: ['leaf_without_frame'],
    },
  ),
  shape(
    'compiled-noreturn',
    'the same for a callee that C declares noreturn',
    'compiled_noreturn_entry',
    [30, 512],
    {
      framed: [
        'compiled_noreturn_entry',
        'compiled_noreturn_caller',
        'noreturn_callee',
        'compiled_noreturn_next',
      ],
      frameless: ['leaf_without_frame'],
    },
  ),
];

/** Frames of 48 bytes: at every other level the CFA has bit 4 set, wherever the stack starts. */
const bothAlignments = (): Promises => ({
  'sframe-v6': {
    require: (['exact', 'unreliable'] as const).map((verdict) => ({
      verdict,
      kinds: BOUNDARY_KINDS,
      in: ['recursion_sum'],
      depth: 1,
      atLeast: 100,
      reason: 'bit 4 of the CFA alternates from level to level, and 0x15 refuses it when set',
    })),
  },
});

const depthAndSigning: readonly Scenario[] = [
  shape(
    'recursion',
    '60 levels of one return address, frames of an odd multiple of 16 bytes',
    'recursion_sum',
    [60, 1830],
    { framed: ['recursion_sum'] },
    bothAlignments,
  ),
  shape('compiled-recursion', '60 levels as compiled', 'compiled_recursion', [60, 1830], {
    framed: ['compiled_recursion'],
  }),
  shape('pac', 'return addresses signed with key A and key B, by hand', 'pac_entry', [100, 107], {
    framed: ['pac_entry', 'pac_frame_a', 'pac_frame_b'],
    frameless: ['pac_leaf_a', 'pac_leaf_b'],
  }),
  ...(['a', 'b'] as const).map((key) =>
    shape(
      `compiled-pac-${key}`,
      `C with every return address signed with key ${key.toUpperCase()}, also in leaves`,
      `compiled_pac_${key}`,
      [6, 94],
      {
        framed: [`compiled_pac_${key}`, `compiled_pac_${key}_sibling`],
        frameless: [`compiled_pac_${key}_leaf`, `compiled_pac_${key}_scratch`],
      },
    ),
  ),
];

/** Call shapes. */
export const family: ScenarioFamily = {
  name: 'calls',
  summary: 'every shape of frame, call, tail call and return, hand-written and compiled',
  elf: 'calls.elf',
  scenarios: [...frameRecords, ...frameSizes, ...leaves, ...control, ...depthAndSigning],
};
