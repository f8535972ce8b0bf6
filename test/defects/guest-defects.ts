/** Defects in the guest kernel's own code, found by what it disassembles to. */
import type { CodePatch } from './code-patch.js';
import {
  type Defect,
  type Equivalent,
  guestDefect,
  guestEdit,
  nested,
  part,
  seen,
  whole,
} from './defect.js';

const BOTTOM = whole('calls/record-bottom');
const ENTRY = nested('entry/trivial', 0, 1);
const FGRAPH = whole('fgraph/leaf');
const RECOVER = whole('fgraph/recover-leaf');
const TASKS = whole('tasks/switch');
const BLOCKED = whole('tasks/blocked');

/** `mov x0, #imm16` (MOVZ). */
const movX0 = (value: number): number => 0xd2800000 | (value << 5);
/** The imm12 field of ADD (immediate), and imm7 of LDP/STP in units of 8 bytes. */
const imm12 = (value: number): number => value << 10;
const imm7 = (bytes: number): number => (bytes >> 3) << 15;
const rn = (register: number): number => register << 5;
const rt = (register: number): number => register;
const rt2 = (register: number): number => register << 10;

/** A defect that is seen where record_bottom is interrupted. @param red what is seen there */
const inBottom = (
  name: string,
  fn: string,
  red: string,
  change: (code: CodePatch) => void,
): Defect => guestDefect(name, fn, seen(BOTTOM, `${red} record_bottom+`), change);

export const ENTRY_DEFECTS: readonly Defect[] = [
  inBottom('metadata type 3', 'el1h_64_irq', 'frame-pointer warned at', (code) => {
    code.change(/^mov x0, #2$/, movX0(2), movX0(3));
  }),
  inBottom('metadata type FINAL', 'el1h_64_irq', 'frame-pointer warned at', (code) => {
    code.change(/^mov x0, #2$/, movX0(2), movX0(1));
  }),
  inBottom(
    'plain record instead of metadata',
    'el1h_64_error',
    '0:serror frame-pointer missing at',
    (code) => {
      code.change(/^stp xzr, xzr, /, rt(31) | rt2(31), rt(29) | rt2(30));
    },
  ),
  inBottom('x29 not set', 'el1h_64_sync', '0:brk frame-pointer missing at', (code) => {
    code.drop(/^add x29, sp, /);
  }),
  guestDefect(
    'x29 set before the metadata record',
    'el1h_64_irq',
    seen(ENTRY, 'frame-pointer warned at el1h_64_irq+'),
    (code) => {
      code.moveBefore(/^add x29, sp, /, /^stp xzr, xzr, /);
    },
  ),
  inBottom('aborted SP 16 too low in pt_regs', 'el1h_64_irq', 'sframe-v5 unreliable at', (code) => {
    code.change(/^add x21, sp, /, imm12(0x140), imm12(0x130));
  }),
  inBottom('x29 not saved in pt_regs', 'el1h_64_irq', 'sframe-v5 missing at', (code) => {
    code.change(/^stp x28, x29, /, rt2(29), rt2(30));
  }),
  inBottom(
    'ELR and SPSR stored 16 bytes too high',
    'el1h_64_irq',
    'sframe-v5 warned at',
    (code) => {
      code.change(/^stp x22, x23, \[sp, #0x100\]/, imm7(0x100), imm7(0x110));
    },
  ),
  inBottom(
    'SP restored 16 too high',
    'ret_to_kernel',
    'not-restored: sp differs after the return',
    (code) => {
      code.change(/^add sp, sp, /, imm12(0x140), imm12(0x150));
    },
  ),
  inBottom(
    'x20 and x21 not restored',
    'ret_to_kernel',
    'not-restored: x20 differs after the return',
    (code) => {
      code.drop(/^ldp x20, x21, /);
    },
  ),
  inBottom(
    'x29 not restored',
    'ret_to_kernel',
    'not-restored: x29 differs after the return',
    (code) => {
      code.change(/^ldp x28, x29, /, rt2(29), rt2(31));
    },
  ),
  inBottom(
    'priority mask not restored',
    'ret_to_kernel',
    '0:irq not-restored: preempt_count or the priority mask changed',
    (code) => {
      code.drop(/^str w20, \[x21, /);
    },
  ),
  inBottom(
    'preempt_count not restored after an IRQ',
    'irq_exit_rcu',
    '0:irq not-restored: preempt_count or the priority mask changed',
    (code) => {
      code.drop(/^str w0, \[x1, /);
    },
  ),
  inBottom(
    'preempt_count not restored after an NMI',
    'irqentry_nmi_exit',
    '0:nmi not-restored: preempt_count or the priority mask changed',
    (code) => {
      code.drop(/^str w0, \[x1, /);
    },
  ),
  inBottom(
    'stack not switched back',
    'call_on_irq_stack',
    'engine: the engine stopped in entry, handler or exit code',
    (code) => {
      code.drop(/^mov sp, x29$/);
    },
  ),
  inBottom('no record for the caller', 'call_on_irq_stack', 'sframe-v5 missing at', (code) => {
    code.change(/^stp x29, x30, /, rt2(30), rt2(9));
  }),
  guestDefect(
    'record of the interrupted PSTATE',
    '__sdei_asm_handler',
    seen(BOTTOM, 'unmet: frame-pointer exact at 0 of'),
    (code) => {
      code.change(/^stp x29, x2, /, rt2(2), rt2(3));
    },
  ),
  inBottom(
    'x28 and x29 not restored',
    '__sdei_asm_handler',
    '0:sdei not-restored: x29 differs after the return',
    (code) => {
      code.drop(/^ldp x28, x29, /);
    },
  ),
];

export const TRACER_DEFECTS: readonly Defect[] = [
  guestDefect(
    'x0 and x1 not restored',
    'return_to_handler',
    seen(FGRAPH, 'wrong-result: returned -105550933131236 instead of 31'),
    (code) => {
      code.drop(/^ldp x0, x1, /);
    },
  ),
  guestDefect(
    'x29 not shown to the tracer',
    'return_to_handler',
    seen(FGRAPH, 'wrong-result: returned nothing instead of 31'),
    (code) => {
      code.drop(/^str x29, /);
    },
  ),
  guestDefect(
    'return stack popped before the handlers run',
    'ftrace_return_to_handler',
    seen(FGRAPH, 'fgraph-detect unreliable at fgraph_exit_handler+'),
    (code) => {
      // In place of the store to fregs->pc, which nobody reads here: the registers are set up by
      // then, `current` in x2.
      const pop = code.words[code.find(/^str w22, \[x0, #0x878\]$/)] as number;
      code.words[code.find(/^str x23, \[x21, #0x68\]$/)] = (pop ^ rn(0) ^ rn(2)) >>> 0;
    },
  ),
  guestDefect(
    'words reserved before their type word is written',
    'fgraph_reserve_data',
    seen(
      part('fgraph/several-tail', 640, 660),
      'frame-pointer best-effort warned at fgraph_reserve_data+',
    ),
    (code) => {
      // The index is raised over whatever lay there.
      code.drop(/^str x1, \[x6, x0\]$/);
    },
  ),
  guestDefect(
    'record of the traced function without its caller',
    'ftrace_caller',
    seen(FGRAPH, 'sframe-v5 missing at fgraph_entry_handler+'),
    (code) => {
      code.change(/^stp x29, x9, /, rt2(9), rt2(30));
    },
  ),
  guestDefect(
    'entry popped before SP is restored',
    'return_to_handler',
    seen(RECOVER, 'fgraph-recover unreliable at return_to_handler+'),
    (code) => {
      code.moveBefore(/^str x9, \[x10, #0x878\]$/, /^add sp, sp, /);
    },
    'fgraph-recover',
  ),
  guestDefect(
    "x28 saved as the blocked task's FP",
    'cpu_switch_to',
    seen(BLOCKED, 'sframe-v5 missing at __switch_to+'),
    (code) => {
      code.change(/^stp x29, x9, /, rt(29), rt(28));
    },
  ),
  guestDefect(
    'current not switched',
    'cpu_switch_to',
    seen(TASKS, 'runaway: 100,000 instructions executed tasks_yield+'),
    (code) => {
      code.drop(/^msr sp_el0, x1$/);
    },
  ),
];

/** Different code that leaves everything as it was. */
export const GUEST_EQUIVALENTS: readonly Equivalent[] = [
  {
    name: "SP saved as the blocked task's FP",
    where: 'guest cpu_switch_to',
    edit: guestEdit('cpu_switch_to', (code) => {
      code.change(/^stp x29, x9, /, rt(29), rt(9));
    }),
    shownBy: [],
    missedBy: [BLOCKED],
    reason: 'its only caller keeps its record at the bottom of its frame, so there SP is FP',
  },
];
