/** Defects in `.sframe` data: each fact of a row or a function, wrong by the least it can be. */
import { type Defect, nested, sframeDefect, slices } from './defect.js';
import { DataWord } from './sframe-patch.js';

const BOTTOM = slices('calls/record-bottom');
const DYNAMIC = slices('calls/dynamic-sp');
const PAC = slices('calls/pac');

/** Rows of record_bottom: 0 on entry, 1 with the frame, 2 at the RET. */
export const SFRAME_DEFECTS: readonly Defect[] = [
  sframeDefect('CFA offset 16 too high', 'calls', 'record_bottom', BOTTOM, (fn) => {
    fn.addToWord(1, DataWord.CFA, 16);
  }),
  sframeDefect('CFA offset 8 too low', 'calls', 'record_bottom', BOTTOM, (fn) => {
    fn.addToWord(1, DataWord.CFA, -8);
  }),
  sframeDefect(
    'CFA offset of a leaf not a multiple of 16',
    'calls',
    'record_leaf',
    BOTTOM,
    (fn) => {
      fn.addToWord(0, DataWord.CFA, 8);
    },
  ),
  sframeDefect('RA offset that of FP', 'calls', 'record_bottom', BOTTOM, (fn) => {
    fn.addToWord(1, DataWord.RA, -8);
  }),
  sframeDefect('RA offset 8 too high', 'calls', 'record_bottom', BOTTOM, (fn) => {
    fn.addToWord(1, DataWord.RA, 8);
  }),
  sframeDefect('FP offset that of RA', 'calls', 'record_bottom', BOTTOM, (fn) => {
    fn.addToWord(1, DataWord.FP, 8);
  }),
  sframeDefect('CFA on FP instead of SP', 'calls', 'record_bottom', BOTTOM, (fn) => {
    fn.flipBase(1);
  }),
  sframeDefect('CFA on SP instead of FP', 'calls', 'dynamic_sp', DYNAMIC, (fn) => {
    fn.flipBase(2);
  }),
  sframeDefect('frame row one instruction early', 'calls', 'record_bottom', BOTTOM, (fn) => {
    fn.moveRow(1, -4);
  }),
  sframeDefect('epilogue row one instruction early', 'calls', 'record_bottom', BOTTOM, (fn) => {
    fn.moveRow(2, -4);
  }),
  sframeDefect('epilogue row one instruction late', 'calls', 'record_bottom', BOTTOM, (fn) => {
    fn.moveRow(2, 4);
  }),
  sframeDefect('frame row two instructions late', 'calls', 'record_bottom', BOTTOM, (fn) => {
    fn.moveRow(1, 8);
  }),
  sframeDefect('frame row missing', 'calls', 'record_bottom', BOTTOM, (fn) => {
    fn.mergeRow(1);
  }),
  sframeDefect('function starts one instruction late', 'calls', 'record_bottom', BOTTOM, (fn) => {
    fn.moveStart(4);
  }),
  sframeDefect('function starts one instruction early', 'calls', 'record_bottom', BOTTOM, (fn) => {
    fn.moveStart(-4);
  }),
  sframeDefect('function one instruction short', 'calls', 'record_bottom', BOTTOM, (fn) => {
    fn.resize(-4);
  }),
  sframeDefect('mangled bit dropped, RA in x30', 'calls', 'pac_leaf_a', PAC, (fn) => {
    fn.flipMangled(1);
  }),
  sframeDefect('mangled bit dropped, RA on the stack', 'calls', 'pac_frame_b', PAC, (fn) => {
    fn.flipMangled(2);
  }),
  sframeDefect('mangled bit added', 'calls', 'record_bottom', BOTTOM, (fn) => {
    fn.flipMangled(1);
  }),
  sframeDefect(
    'RA offset in kernel code',
    'guest',
    'function_graph_enter',
    slices('fgraph/leaf'),
    (fn) => {
      fn.addToWord(2, DataWord.RA, -8);
    },
  ),
  sframeDefect(
    'CFA base of call_on_irq_stack',
    'guest',
    'call_on_irq_stack',
    [nested('entry/trivial', 0, 1)],
    (fn) => {
      fn.flipBase(2);
    },
  ),
  // No walk asks for these: registers and record say the same, or the CFA is not used.
  sframeDefect('frame row one instruction late', 'calls', 'record_bottom', BOTTOM, (fn) => {
    fn.moveRow(1, 4);
  }),
  sframeDefect('CFA offset of a leaf 16 too high', 'calls', 'record_leaf', BOTTOM, (fn) => {
    fn.addToWord(0, DataWord.CFA, 16);
  }),
];
