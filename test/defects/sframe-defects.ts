/** Defects in `.sframe` data: each fact of a row or a function, wrong by the least it can be. */
import { type Defect, nested, seen, sframeDefect, whole } from './defect.js';
import { DataWord, type FunctionPatch } from './sframe-patch.js';

const BOTTOM = whole('calls/record-bottom');
const DYNAMIC = whole('calls/dynamic-sp');
const PAC = whole('calls/pac');

/** A defect in record_bottom. @param red what is seen in it */
const inBottom = (name: string, red: string, change: (fn: FunctionPatch) => void): Defect =>
  sframeDefect(name, 'calls', 'record_bottom', seen(BOTTOM, `${red} record_bottom+`), change);

/** Rows of record_bottom: 0 on entry, 1 with the frame, 2 at the RET. */
export const SFRAME_DEFECTS: readonly Defect[] = [
  inBottom('CFA offset 16 too high', 'sframe-v5 missing at', (fn) => {
    fn.addToWord(1, DataWord.CFA, 16);
  }),
  inBottom('CFA offset 8 too low', 'sframe-v5 unreliable at', (fn) => {
    fn.addToWord(1, DataWord.CFA, -8);
  }),
  sframeDefect(
    'CFA offset of a leaf not a multiple of 16',
    'calls',
    'record_leaf',
    seen(BOTTOM, 'sframe-strict unreliable at record_leaf+'),
    (fn) => {
      fn.addToWord(0, DataWord.CFA, 8);
    },
  ),
  inBottom('RA offset that of FP', 'sframe-v5 missing at', (fn) => {
    fn.addToWord(1, DataWord.RA, -8);
  }),
  inBottom('RA offset 8 too high', 'sframe-v5 missing at', (fn) => {
    fn.addToWord(1, DataWord.RA, 8);
  }),
  inBottom('FP offset that of RA', 'sframe-v5 missing at', (fn) => {
    fn.addToWord(1, DataWord.FP, 8);
  }),
  inBottom('CFA on FP instead of SP', 'sframe-v5 missing at', (fn) => {
    fn.flipBase(1);
  }),
  sframeDefect(
    'CFA on SP instead of FP',
    'calls',
    'dynamic_sp',
    seen(DYNAMIC, 'sframe-v5 missing at dynamic_sp+'),
    (fn) => {
      fn.flipBase(2);
    },
  ),
  inBottom('frame row one instruction early', '1:irq sframe-v5 missing at', (fn) => {
    fn.moveRow(1, -4);
  }),
  inBottom('epilogue row one instruction early', '21:irq sframe-v5 spurious at', (fn) => {
    fn.moveRow(2, -4);
  }),
  inBottom('epilogue row one instruction late', '22:irq sframe-v5 missing at', (fn) => {
    fn.moveRow(2, 4);
  }),
  inBottom('frame row two instructions late', '3:irq sframe-v5 spurious at', (fn) => {
    fn.moveRow(1, 8);
  }),
  inBottom('frame row missing', 'sframe-v5 spurious at', (fn) => {
    fn.mergeRow(1);
  }),
  inBottom('function starts one instruction late', '22:irq sframe-v5 missing at', (fn) => {
    fn.moveStart(4);
  }),
  inBottom('function starts one instruction early', '1:irq sframe-v5 missing at', (fn) => {
    fn.moveStart(-4);
  }),
  inBottom('function one instruction short', '22:irq sframe-v5 warned at', (fn) => {
    fn.resize(-4);
  }),
  sframeDefect(
    'mangled bit dropped, RA in x30',
    'calls',
    'pac_leaf_a',
    seen(
      PAC,
      'wrong-row: the return address is signed, but its row says that it is not pac_leaf_a+',
    ),
    (fn) => {
      fn.flipMangled(1);
    },
  ),
  sframeDefect(
    'mangled bit dropped, RA on the stack',
    'calls',
    'pac_frame_b',
    seen(
      PAC,
      'wrong-row: the return address is signed, but its row says that it is not pac_frame_b+',
    ),
    (fn) => {
      fn.flipMangled(2);
    },
  ),
  inBottom(
    'mangled bit added',
    'wrong-row: the return address is not signed, but its row says that it is',
    (fn) => {
      fn.flipMangled(1);
    },
  ),
  sframeDefect(
    'RA offset in kernel code',
    'guest',
    'function_graph_enter',
    seen(whole('fgraph/leaf'), 'sframe-v5 missing at function_graph_enter+'),
    (fn) => {
      fn.addToWord(2, DataWord.RA, -8);
    },
  ),
  sframeDefect(
    'CFA base of call_on_irq_stack',
    'guest',
    'call_on_irq_stack',
    seen(nested('entry/trivial', 0, 1), 'sframe-v5 unreliable at call_on_irq_stack+'),
    (fn) => {
      fn.flipBase(2);
    },
  ),
  // No walk asks for these: registers and record say the same, or the CFA is not used.
  inBottom(
    'frame row one instruction late',
    "wrong-row: the row's CFA is -48 bytes off the SP at the call",
    (fn) => {
      fn.moveRow(1, 4);
    },
  ),
  sframeDefect(
    'CFA offset of a leaf 16 too high',
    'calls',
    'record_leaf',
    seen(BOTTOM, "wrong-row: the row's CFA is 16 bytes off the SP at the call record_leaf+"),
    (fn) => {
      fn.addToWord(0, DataWord.CFA, 16);
    },
  ),
];
