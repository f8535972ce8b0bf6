/** Defects in what the host knows of the kernel from its symbols. */
import { type Defect, roleDefect, seen, type Sight, whole } from './defect.js';

const RECOVER = whole('fgraph/recover-leaf');
const BOTTOM = whole('calls/record-bottom');

/** Where the host thinks that the entry is off the return stack. */
const poppedAt = (name: string, sight: Sight, address: number): Defect =>
  roleDefect(name, 'return_to_handler_popped', sight, { address }, 'fgraph-recover');

/** The host side of the kernel model, and the judge's idea of a trampoline. */
export const ROLE_DEFECTS: readonly Defect[] = [
  roleDefect(
    'NMI context never recognised',
    'KW_NMI_MASK',
    seen(BOTTOM, '0:sdei frame-pointer unreliable at record_bottom+'),
    { address: 0 },
  ),
  poppedAt(
    'x30 believed from anywhere on',
    seen(RECOVER, 'fgraph-recover unreliable at fgraph_exit_handler+'),
    -(2 ** 47),
  ),
  poppedAt(
    'x30 never believed',
    seen(RECOVER, 'fgraph-recover unreliable at return_to_handler+'),
    0,
  ),
  roleDefect(
    'all text is a trampoline to the judge',
    'ftrace_caller',
    seen(BOTTOM, 'unmet: frame-pointer missing at 0 of'),
    { size: 1 << 30 },
  ),
];
