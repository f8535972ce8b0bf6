/**
 * Lets our model of the unwinder walk a task of the simulated kernel. Gives it the stacks in guest memory,
 * the task's return stack and the registers at the walk request. Only here do the unwinder and the kernel
 * model meet.
 */
import type { Address } from '../base/address.js';
import { Reg, type RegisterFile } from '../emulator/registers.js';
import type { Machine } from '../kernel-model/machine.js';
import { type KernelStacks, StackSlot } from '../kernel-model/stacks.js';
import { finalRecordOf } from '../kernel-model/thread-call.js';
import { Kunwind, type WalkMode } from '../unwinder/kunwind.js';
import type { Policy } from '../unwinder/policy.js';
import type { RuleTable } from '../unwinder/rule-table.js';
import type { StackInfo, StackKind } from '../unwinder/stack-info.js';
import type { WalkResult } from '../unwinder/walk-result.js';
import { WalkStart } from '../unwinder/walk-start.js';
import { type UnwindTask } from '../unwinder/walk-state.js';
import type { StackWalker } from './stack-walker.js';
import { walkFrameSize } from './walk-frame-size.js';
import { GuestGraphReturnStack, GuestKretprobeInstances } from './tracer-views.js';

const STACK_KINDS: readonly StackKind[] = [
  'task',
  'irq',
  'overflow',
  'sdei-normal',
  'sdei-critical',
];

/** Symbols of task_structs. A kernel has init_task, and may have the others. */
const TASK_SYMBOLS = ['init_task', 'kw_task_a', 'kw_task_b'];

/** A task as the unwinder sees it; refreshed at each walk request. */
interface WalkedTask extends UnwindTask {
  readonly address: Address;
  isCurrent: boolean;
  inNmi: boolean;
}

/** Walks tasks of one machine. */
export class ModelWalker implements StackWalker {
  private readonly kunwind: Kunwind;
  private readonly start = new WalkStart();
  private readonly bestEffortStart = new WalkStart();
  /** Bytes from SP at the entry of a walk function down to its `__builtin_frame_address(0)`. */
  private readonly frameSize: number;
  private readonly bestEffortFrameSize: number;
  private readonly tasks: WalkedTask[];
  private task: WalkedTask;

  constructor(
    private readonly machine: Machine,
    stacks: KernelStacks,
    rules: RuleTable,
  ) {
    this.frameSize = walkFrameSize(machine, 'arch_stack_walk_reliable');
    this.bestEffortFrameSize = walkFrameSize(machine, 'arch_stack_walk');
    const infos: StackInfo[] = [];
    for (const [slot, kind] of STACK_KINDS.entries()) {
      const stack = stacks.all[slot];
      if (stack !== undefined && slot !== StackSlot.TASK) infos.push({ kind, ...stack });
    }
    this.tasks = [];
    for (const name of TASK_SYMBOLS) {
      const address = machine.kernel.symbol(name);
      const stack = address === undefined ? undefined : stacks.ofTask(address);
      if (address === undefined || stack === undefined) continue;
      infos.push({ kind: 'task', ...stack });
      this.tasks.push(walkedTask(machine, address, stack.low));
    }
    const first = this.tasks[0];
    if (first === undefined) throw new Error('a kernel image without init_task was accepted');
    this.task = first;
    const { returnToHandler, returnToHandlerPopped: popped, kretprobeTrampolines } = machine.kernel;
    const { start, end } = returnToHandler;
    const { sdeiHandler: sdei } = machine.kernel;
    this.kunwind = new Kunwind({
      stacks: infos,
      rules,
      returnToHandler: { low: start, high: end, ...(popped === undefined ? {} : { popped }) },
      ...(sdei === undefined ? {} : { sdeiHandler: { low: sdei.start, high: sdei.end } }),
      kretprobeTrampolines: kretprobeTrampolines.map((range) => range.start),
    });
  }

  prepare(request: RegisterFile): Address | undefined {
    const address = request.get(Reg.X0);
    const task = this.taskAt(address);
    if (task === undefined) return undefined;
    this.task = task;
    const { memory, kernel } = this.machine;
    const current = request.get(Reg.SP_EL0);
    task.isCurrent = address === current;
    if (task.isCurrent) {
      const count = memory.readWord(current + kernel.offsets.taskPreemptCount) ?? 0;
      task.inNmi = (count & kernel.offsets.nmiMask) !== 0;
      const sp = request.get(Reg.SP);
      const pc = request.get(Reg.X30);
      const fp = request.get(Reg.X29);
      this.start.fromCaller(pc, fp, sp - this.frameSize);
      this.bestEffortStart.fromCaller(pc, fp, sp - this.bestEffortFrameSize);
    } else {
      task.inNmi = false;
      // struct cpu_context: x19..x28, then fp, sp, pc.
      const context = address + kernel.offsets.cpuContext;
      const word = (index: number): Address => memory.readAddress(context + 8 * index) ?? 0;
      this.start.fromTask(word(12), word(10), 0);
      this.bestEffortStart.fromTask(word(12), word(10), 0);
    }
    return address;
  }

  private get frameSizesDiffer(): boolean {
    return this.frameSize !== this.bestEffortFrameSize;
  }

  private taskAt(address: Address): WalkedTask | undefined {
    for (const task of this.tasks) if (task.address === address) return task;
    return undefined;
  }

  supports(): boolean {
    return true;
  }

  finish(): void {
    // A walk by the model changes nothing that would have to be undone.
  }

  walk(policy: Policy, mode: WalkMode, out: WalkResult): void {
    const start = mode === 'reliable' ? this.start : this.bestEffortStart;
    this.kunwind.walk(policy, mode, start, this.task, out);
  }

  /** Make a best-effort walk. @param out holds the result of a reliable walk with the same policy */
  walkBestEffortAfter(policy: Policy, out: WalkResult): void {
    if (policy.trackedSp && this.frameSizesDiffer) this.walk(policy, 'best-effort', out);
    else if (!Kunwind.toBestEffort(out)) this.walk(policy, 'best-effort', out);
  }
}

function walkedTask(machine: Machine, address: Address, stackLow: Address): WalkedTask {
  return {
    address,
    isCurrent: false,
    inNmi: false,
    finalRecord: finalRecordOf(stackLow),
    graph: new GuestGraphReturnStack(machine, address),
    kretprobes: new GuestKretprobeInstances(machine, address),
  };
}
