/**
 * The structure members of a real kernel that the host side needs, what for, and where their
 * offsets come from. Nothing here depends on one build.
 */
import type { Address } from '../../base/address.js';

/** A member, by its name in C and by its `#define` in an offsets file. */
export interface WantedMember {
  /**
   * Its name in asm-offsets.h where the kernel has one (arch/arm64/kernel/asm-offsets.c), else our
   * own.
   */
  readonly define: string;
  readonly struct: string;
  /** Path through nested members and anonymous unions: `thread.cpu_context`. */
  readonly member: string;
  /** What it is needed for. */
  readonly needed: string;
}

/** All members. Those of a feature that a kernel lacks are not needed there. */
export const WANTED_MEMBERS = {
  taskStack: {
    define: 'TSK_STACK',
    struct: 'task_struct',
    member: 'stack',
    needed: 'the stack of init_task',
  },
  taskPreemptCount: {
    define: 'TSK_TI_PREEMPT',
    struct: 'task_struct',
    member: 'thread_info.preempt_count',
    needed: 'the check that every exception restores it, and in_nmi()',
  },
  cpuContext: {
    define: 'THREAD_CPU_CONTEXT',
    struct: 'task_struct',
    member: 'thread.cpu_context',
    needed: 'walks of blocked tasks',
  },
  taskRetStack: {
    define: 'TSK_RET_STACK',
    struct: 'task_struct',
    member: 'ret_stack',
    needed: 'functions traced by function graph',
  },
  taskCurrRetStack: {
    define: 'TSK_CURR_RET_STACK',
    struct: 'task_struct',
    member: 'curr_ret_stack',
    needed: 'functions traced by function graph',
  },
  taskKretprobes: {
    define: 'TSK_KRETPROBE_INSTANCES',
    struct: 'task_struct',
    member: 'kretprobe_instances',
    needed: 'functions with a kretprobe',
  },
  kretprobeNext: {
    define: 'KRETPROBE_INSTANCE_NEXT',
    struct: 'kretprobe_instance',
    member: 'llist',
    needed: 'functions with a kretprobe',
  },
  kretprobeRetAddr: {
    define: 'KRETPROBE_INSTANCE_RET_ADDR',
    struct: 'kretprobe_instance',
    member: 'ret_addr',
    needed: 'functions with a kretprobe',
  },
  kretprobeFp: {
    define: 'KRETPROBE_INSTANCE_FP',
    struct: 'kretprobe_instance',
    member: 'fp',
    needed: 'functions with a kretprobe',
  },
  kprobeList: {
    define: 'KPROBE_HLIST',
    struct: 'kprobe',
    member: 'hlist',
    needed: 'brk',
  },
  kprobeAddress: {
    define: 'KPROBE_ADDR',
    struct: 'kprobe',
    member: 'addr',
    needed: 'brk',
  },
  kprobePreHandler: {
    define: 'KPROBE_PRE_HANDLER',
    struct: 'kprobe',
    member: 'pre_handler',
    needed: 'brk',
  },
  kprobeOpcode: {
    define: 'KPROBE_OPCODE',
    struct: 'kprobe',
    member: 'opcode',
    needed: 'functions with a kretprobe',
  },
  kprobeSimulator: {
    define: 'KPROBE_SIMULATOR',
    struct: 'kprobe',
    member: 'ainsn.api.handler',
    needed: 'functions with a kretprobe',
  },
  kprobeSlot: {
    define: 'KPROBE_SLOT',
    struct: 'kprobe',
    member: 'ainsn.xol_insn',
    needed: 'functions with a kretprobe',
  },
  kprobeBehindSlot: {
    define: 'KPROBE_BEHIND_SLOT',
    struct: 'kprobe',
    member: 'ainsn.xol_restore',
    needed: 'functions with a kretprobe',
  },
  kretprobeReturnHandler: {
    define: 'KRETPROBE_HANDLER',
    struct: 'kretprobe',
    member: 'handler',
    needed: 'functions with a kretprobe',
  },
  kretprobeEntryHandler: {
    define: 'KRETPROBE_ENTRY_HANDLER',
    struct: 'kretprobe',
    member: 'entry_handler',
    needed: 'functions with a kretprobe',
  },
  kretprobeHolder: {
    define: 'KRETPROBE_RPH',
    struct: 'kretprobe',
    member: 'rph',
    needed: 'functions with a kretprobe',
  },
  holderObjects: {
    define: 'KRETPROBE_HOLDER_NR_OBJS',
    struct: 'kretprobe_holder',
    member: 'pool.nr_objs',
    needed: 'functions with a kretprobe',
  },
  holderSlots: {
    define: 'KRETPROBE_HOLDER_CPU_SLOTS',
    struct: 'kretprobe_holder',
    member: 'pool.cpu_slots',
    needed: 'functions with a kretprobe',
  },
} as const satisfies Record<string, WantedMember>;

/** A member of {@link WANTED_MEMBERS}. */
export type MemberName = keyof typeof WANTED_MEMBERS;

/** Every member's name. */
export const MEMBER_NAMES = Object.keys(WANTED_MEMBERS) as MemberName[];

/** Where an offset comes from. */
export type OffsetOrigin = 'offsets file' | 'BTF' | 'DWARF' | 'init_task' | 'code' | 'unknown';

/** An offset in bytes (NaN: unknown) and its origin. */
export interface KnownOffset {
  readonly value: number;
  readonly origin: OffsetOrigin;
  /** The instruction that shows it, when the origin is code. */
  readonly evidence?: string;
}

/** The offsets of one kernel. */
export type KnownOffsets = Readonly<Record<MemberName, KnownOffset>>;

/** Offsets from a description of the build. */
export interface OffsetSource {
  readonly origin: OffsetOrigin;
  /** The offset of a member in bytes, or undefined when the description lacks it. */
  readonly offsetOf: (member: WantedMember) => number | undefined;
  /** The place in the description that says so. */
  readonly evidenceOf?: (member: WantedMember) => string | undefined;
}

/** A kernel's init_task as loaded, and what its members can be recognised by. */
export interface InitTask {
  /** 64-bit words from its start. */
  readonly words: readonly Address[];
  /** Address of its stack. */
  readonly stack: Address;
}

/** thread_info.preempt_count of init_task in a linked image (include/linux/preempt.h). */
export const INIT_PREEMPT_COUNT = 1;

/** Finds each offset in the first source that has it, else in init_task itself. */
export function findOffsets(sources: readonly OffsetSource[], initTask: InitTask): KnownOffsets {
  const found = MEMBER_NAMES.map((name): [MemberName, KnownOffset] => {
    for (const { origin, offsetOf, evidenceOf } of sources) {
      const value = offsetOf(WANTED_MEMBERS[name]);
      if (value === undefined) continue;
      const evidence = evidenceOf?.(WANTED_MEMBERS[name]);
      return [name, { value, origin, ...(evidence === undefined ? {} : { evidence }) }];
    }
    return [name, ownOffset(name, initTask)];
  });
  return Object.fromEntries(found) as KnownOffsets;
}

function ownOffset(name: MemberName, { words, stack }: InitTask): KnownOffset {
  if (name === 'taskStack') {
    const at = words.indexOf(stack);
    if (at >= 0) return { value: 8 * at, origin: 'init_task' };
  }
  if (name === 'taskPreemptCount') {
    // The task begins with thread_info: flags, ttbr0 with CONFIG_ARM64_SW_TTBR0_PAN, then the
    // count.
    for (const at of [1, 2]) {
      if (words[at] === INIT_PREEMPT_COUNT) return { value: 8 * at, origin: 'init_task' };
    }
  }
  return { value: NaN, origin: 'unknown' };
}
