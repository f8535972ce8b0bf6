/**
 * Lets the unwinder walk a task of the simulated kernel: gives it the stacks as live words, the
 * task's return stack and the registers at a walk request. The only place where the unwinder and
 * the kernel model meet.
 */
import type { Address } from '../emulator/address.js';
import type { ElfImage } from '../emulator/elf-types.js';
import { Reg, type RegisterFile } from '../emulator/registers.js';
import { fail, ok, type Result } from '../emulator/result.js';
import type { Machine } from '../kernel-model/machine.js';
import { type KernelStacks, StackSlot } from '../kernel-model/stacks.js';
import { finalRecordOf } from '../kernel-model/thread-call.js';
import { type GraphReturnStack } from '../unwinder/graph-return-stack.js';
import { Kunwind, type WalkMode } from '../unwinder/kunwind.js';
import { NO_KRETPROBES } from '../unwinder/kretprobe-instances.js';
import type { Policy } from '../unwinder/policy.js';
import { RuleTable } from '../unwinder/rule-table.js';
import { decodeSFrame } from '../unwinder/sframe/decode.js';
import { formatSFrameError } from '../unwinder/sframe/error.js';
import type { SFrameSection } from '../unwinder/sframe/section.js';
import type { StackInfo, StackKind } from '../unwinder/stack-info.js';
import type { UnwindDefect } from '../unwinder/walk-defect.js';
import type { WalkResult } from '../unwinder/walk-result.js';
import { WalkStart } from '../unwinder/walk-start.js';
import { NO_TRAMPOLINE, type UnwindTask } from '../unwinder/walk-state.js';

/** A `.sframe` section that cannot be used. */
export interface SFrameProblem {
  readonly kind: 'sframe';
  readonly path: string;
  readonly message: string;
}

/** The unwind rules of some images. Images without `.sframe` have none. */
export function buildRules(images: readonly ElfImage[]): Result<RuleTable, SFrameProblem> {
  const sections: SFrameSection[] = [];
  for (const image of images) {
    for (const section of image.sframe) {
      const decoded = decodeSFrame(section.data, section.address);
      if (!decoded.ok) {
        const message = formatSFrameError(decoded.error);
        return fail({ kind: 'sframe', path: image.path, message });
      }
      sections.push(decoded.value);
    }
  }
  return ok(new RuleTable(sections));
}

const STACK_KINDS: readonly StackKind[] = [
  'task',
  'irq',
  'overflow',
  'sdei-normal',
  'sdei-critical',
];

/** Names of the task_struct symbols that a kernel may have besides init_task. */
const TASK_SYMBOLS = ['init_task', 'kw_task_a', 'kw_task_b'];

/** A task as the unwinder sees it; refreshed at each walk request. */
interface WalkedTask extends UnwindTask {
  readonly address: Address;
  isCurrent: boolean;
  inNmi: boolean;
}

/**
 * Bytes from SP at the entry of the walk function to its `__builtin_frame_address(0)`: the frame
 * that a compiled arch_stack_walk_reliable() has (0x60 in the 7.3-rc7 builds of shared/kernels).
 */
const WALK_FRAME_SIZE = 0x60;

/** Walks tasks of one machine. */
export class KernelWalker {
  private readonly kunwind: Kunwind;
  private readonly start = new WalkStart();
  private readonly tasks: WalkedTask[];
  private task: WalkedTask;

  constructor(
    private readonly machine: Machine,
    stacks: KernelStacks,
    rules: RuleTable,
    defect?: UnwindDefect,
  ) {
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
    const { start, end } = machine.kernel.returnToHandler;
    this.kunwind = new Kunwind({
      stacks: infos,
      rules,
      returnToHandler: { low: start, high: end },
      kretprobeTrampoline: machine.kernel.symbol('__kretprobe_trampoline') ?? NO_TRAMPOLINE,
      ...(defect === undefined ? {} : { defect }),
    });
  }

  /**
   * Get ready to walk as the request says. @param request registers at the walk request: x0 the
   * task, x29 and x30 those of the caller
   * @returns the walked task, or undefined when the request names none that is known
   */
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
      const sp = request.get(Reg.SP) - WALK_FRAME_SIZE;
      this.start.fromCaller(request.get(Reg.X30), request.get(Reg.X29), sp);
    } else {
      task.inNmi = false;
      // struct cpu_context: x19..x28, then fp, sp, pc.
      const context = address + kernel.offsets.cpuContext;
      const word = (index: number): Address => memory.readAddress(context + 8 * index) ?? 0;
      this.start.fromTask(word(12), word(10), 0);
    }
    return address;
  }

  private taskAt(address: Address): WalkedTask | undefined {
    for (const task of this.tasks) if (task.address === address) return task;
    return undefined;
  }

  /** Walk what was prepared. */
  walk(policy: Policy, mode: WalkMode, out: WalkResult): void {
    this.kunwind.walk(policy, mode, this.start, this.task, out);
  }
}

function walkedTask(machine: Machine, address: Address, stackLow: Address): WalkedTask {
  return {
    address,
    isCurrent: false,
    inNmi: false,
    finalRecord: finalRecordOf(stackLow),
    graph: new GuestGraphReturnStack(machine, address),
    kretprobes: NO_KRETPROBES,
  };
}

/** Words of struct ftrace_ret_stack {ret, func, fp, retp}, and the mask of a type word's size. */
const RET = 0;
const RETP = 3;
const SIZE_MASK = 0x3ff;

/**
 * A task's function-graph return stack in guest memory (kernel/trace/fgraph.c, v7.3-rc7): words of
 * 8 bytes; above each entry a type word whose low bits are the entry's size in words.
 */
class GuestGraphReturnStack implements GraphReturnStack {
  constructor(
    private readonly machine: Machine,
    private readonly task: Address,
  ) {}

  private base(): Address {
    const { memory, kernel } = this.machine;
    return memory.readAddress(this.task + kernel.offsets.taskRetStack) ?? 0;
  }

  private top(): number {
    const { memory, kernel } = this.machine;
    return (memory.readWord(this.task + kernel.offsets.taskCurrRetStack) ?? 0) | 0;
  }

  private word(index: number): Address {
    return this.machine.memory.readAddress(this.base() + 8 * index) ?? 0;
  }

  /** Index in words of the entry below `top`, or -1 when there is none or the type word is bad. */
  private below(top: number): number {
    if (top <= 1) return -1;
    const type = this.machine.memory.readWord(this.base() + 8 * (top - 1)) ?? 0;
    const size = type & SIZE_MASK;
    return size === 0 || size > top - 1 ? -1 : top - 1 - size;
  }

  depth(): number {
    if (this.base() === 0) return -1;
    let count = 0;
    for (let at = this.below(this.top()); at >= 0; at = this.below(at)) count++;
    return count;
  }

  /** Word index of entry `i`, the oldest being 0. */
  private entry(i: number): number {
    let at = this.below(this.top());
    for (let left = this.depth() - 1 - i; left > 0 && at >= 0; left--) at = this.below(at);
    return at;
  }

  ret(i: number): Address {
    return this.word(this.entry(i) + RET);
  }

  retp(i: number): Address {
    return this.word(this.entry(i) + RETP);
  }
}
