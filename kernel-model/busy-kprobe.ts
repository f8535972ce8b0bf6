/**
 * A breakpoint that a real kernel hits while it is busy with another kprobe. It calls no
 * pre-handler then, so nothing walks the stack, and the outcome says nothing about the unwinder.
 *
 * The state comes from where the kernel itself looks: current_kprobe and
 * kprobe_ctlblk.kprobe_status of this CPU (kprobe_brk_handler() and reenter_kprobe(),
 * arch/arm64/kernel/probes/kprobes.c, v7.3-rc7).
 */
import type { Machine } from './machine.js';
import { WordView } from './word-view.js';

/**
 * What the kernel does with such a breakpoint.
 * - `kprobe-missed`: it counts the kprobe as missed, and goes on with the instruction under it.
 * - `kprobe-unrecoverable`: the other kprobe was itself hit inside a third one: "Failed to recover
 *   from reentered kprobes", BUG().
 * - `kprobe-oops`: the other kprobe is in a state that the kernel does not expect: WARN_ON(1), then
 *   an oops.
 */
export type BusyKprobeReason = 'kprobe-missed' | 'kprobe-unrecoverable' | 'kprobe-oops';

/** The reasons by index. */
export const BUSY_KPROBE_REASONS: readonly BusyKprobeReason[] = [
  'kprobe-missed',
  'kprobe-unrecoverable',
  'kprobe-oops',
];

/** The kernel is not busy with any kprobe. */
export const NOT_BUSY = -1;

/** Values of kprobe_status (include/linux/kprobes.h). */
const HIT_ACTIVE = 1;
const HIT_SS = 2;
const REENTER = 4;
const HIT_SSDONE = 8;

/** What one machine's kernel is busy with. */
export class BusyKprobe {
  /** The words of current_kprobe and of kprobe_status. Absent for a kernel that lacks either. */
  private readonly words:
    { readonly low: WordView; readonly high: WordView; readonly status: WordView } | undefined;

  constructor(machine: Machine) {
    const { kernel } = machine;
    // A kernel that has not booted uses the per-CPU area as linked.
    const current = kernel.symbol('current_kprobe');
    const control = kernel.symbol('kprobe_ctlblk');
    if (kernel.unbooted === undefined || current === undefined || control === undefined) return;
    this.words = {
      low: new WordView(machine, current),
      high: new WordView(machine, current + 4),
      status: new WordView(machine, control),
    };
  }

  /**
   * What would happen to a breakpoint now: an index into {@link BUSY_KPROBE_REASONS}, or
   * {@link NOT_BUSY}.
   */
  reason(): number {
    const { words } = this;
    if (words === undefined) return NOT_BUSY;
    if (words.low.get() === 0 && words.high.get() === 0) return NOT_BUSY;
    switch (words.status.get()) {
      case HIT_ACTIVE:
      case HIT_SS:
      case HIT_SSDONE:
        return 0;
      case REENTER:
        return 1;
      default:
        return 2;
    }
  }
}
