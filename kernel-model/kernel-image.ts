/**
 * A kernel image: an ELF and the roles that its symbols play. The built-in guest kernel and a real
 * vmlinux differ only in data (docs/design.md, "Kernel images and roles").
 */
import type { Address } from '../base/address.js';
import type { ElfImage } from '../elf/image.js';
import type { LoadedSegment } from '../elf/segments.js';
import type { ElfSymbol } from '../elf/symbols.js';
import { fail, ok, type Result } from '../base/result.js';
import type { BugTable } from './vmlinux/bug-table.js';
import type { KnownOffsets } from './vmlinux/structure-offsets.js';
import type { KernelState, TracerPlaces } from './kernel-state.js';

/** A half-open range of code addresses. */
export interface CodeRange {
  readonly start: Address;
  readonly end: Address;
}

/** Structure offsets in bytes. NaN: not known; the member then reads as 0. */
export interface StructureOffsets {
  /** task_struct.stack. */
  readonly taskStack: number;
  /** task_struct.thread_info.preempt_count. */
  readonly taskPreemptCount: number;
  /** task_struct.thread.cpu_context: x19..x28, fp, sp, pc. */
  readonly cpuContext: number;
  /** task_struct.ret_stack: pointer to the function-graph return stack; words of 8 bytes. */
  readonly taskRetStack: number;
  /** task_struct.curr_ret_stack: int, index of the top, in words. */
  readonly taskCurrRetStack: number;
  /** task_struct.kretprobe_instances: head of a list, newest first. */
  readonly taskKretprobes: number;
  /** struct kretprobe_instance: link, replaced return address, x29 at the entry of the function. */
  readonly kretprobeNext: number;
  readonly kretprobeRetAddr: number;
  readonly kretprobeFp: number;
  /** preempt_count bits that say in_nmi(); 0xf0000000 in v7.3-rc7 (include/linux/preempt.h). */
  readonly nmiMask: number;
}

/** Addresses of the symbols that the host side needs, by their role. */
export interface KernelRoles {
  readonly vectors: Address;
  readonly initTask: Address;
  readonly retFromFork: Address;
  /** First instruction of the function that a handler calls to have the stack walked. */
  readonly walkRequest: Address;
  readonly irqStackPointer: Address;
  readonly overflowStack: Address;
  readonly sdeiNormalStackPointer: Address;
  readonly sdeiCriticalStackPointer: Address;
  readonly sdeiHandler: Address;
  /** The HVC by which the SDEI handler hands control back to the firmware. */
  readonly sdeiComplete: Address;
  readonly sdeiNormalEvent: Address;
  readonly sdeiCriticalEvent: Address;
  /** Guest words in which the host describes a pending interrupt. */
  readonly gicIar: Address;
  readonly gicPmr: Address;
  /** Pointer variable: the task whose walk a handler asks for; 0 for the current one. */
  readonly walkTask: Address;
  /** Function of every kernel thread. Its argument is {thread function, argument}. */
  readonly kthread: Address;
  /** Thread function of a scenario, and the function it ends in. */
  readonly thread: Address;
  readonly threadDone: Address;
}

/** How exceptions are delivered to a kernel that was not booted. */
export interface UnbootedExceptions {
  /** The kinds that the kernel cannot take, and why. */
  readonly unsupported: ReadonlyMap<number, string>;
  /**
   * `addr` of the only registered kprobe, which every breakpoint is taken for. Absent: no kprobes.
   */
  readonly kprobeAddress?: Address;
  /** Needed to trace functions. */
  readonly tracers: TracerPlaces;
  readonly members: KnownOffsets;
}

/**
 * The functions that only a booted kernel can run, by the address at which execution is stopped.
 */
export type BootedFunctions = ReadonlyMap<Address, string>;

/** A loaded kernel image with its roles resolved. */
export interface KernelImage {
  readonly elf: ElfImage;
  /** Absent for the built-in guest kernel, as are the following. */
  readonly state?: KernelState;
  readonly unbooted?: UnbootedExceptions;
  readonly bootedFunctions?: BootedFunctions;
  readonly bugTable?: BugTable;
  readonly roles: KernelRoles;
  readonly offsets: StructureOffsets;
  readonly returnToHandler: CodeRange;
  /**
   * Where in return_to_handler the entry is off the return stack and x30 is the address; undefined
   * on a kernel without that point.
   */
  readonly returnToHandlerPopped: Address | undefined;
  /**
   * Where functions with a kretprobe return to: the trampoline of the breakpoint style, and the
   * older one.
   */
  readonly kretprobeTrampolines: readonly CodeRange[];
  /** What the firmware calls for an SDEI event. Its frame record is not that of a call. */
  readonly sdeiHandler: CodeRange | undefined;
  /** Trampolines whose own addresses a correct trace may list or skip. */
  readonly trampolines: readonly CodeRange[];
  /**
   * Code where the kernel refuses a kprobe: entry, noinstr and kprobes text, and NOKPROBE
   * functions.
   */
  readonly kprobeBlacklist: readonly CodeRange[];
  /** A data symbol of the image. */
  symbol(name: string): Address | undefined;
}

/** Sizes that do not depend on the build (arch/arm64 v7.3-rc7, 4 KiB pages). */
export const THREAD_SIZE = 16384;
export const OVERFLOW_STACK_SIZE = 4096;
export const PT_REGS_SIZE = 320;
/** offsetof(struct pt_regs, pmr): 32 bits. */
export const S_PMR = 284;
/** offsetof(struct pt_regs, stackframe): the frame record and the metadata type after it. */
export const S_STACKFRAME = 296;
export const FRAME_RECORD_META_FINAL = 1;
export const FRAME_RECORD_META_PT_REGS = 2;

/** A required symbol that the kernel image lacks. */
export interface MissingRole {
  readonly kind: 'missing-symbol';
  readonly path: string;
  readonly names: readonly string[];
}

/** Resolve the roles of the built-in guest kernel. Its addresses are as linked. */
export function resolveKernel(elf: ElfImage): Result<KernelImage, MissingRole> {
  const symbols = new Map<string, ElfSymbol>();
  for (const symbol of elf.symbols) symbols.set(symbol.name, symbol);
  const missing: string[] = [];
  const value = (name: string): Address => {
    const symbol = symbols.get(name);
    if (symbol === undefined) {
      missing.push(name);
      return 0;
    }
    return symbol.address;
  };
  const roles: KernelRoles = {
    vectors: value('vectors'),
    initTask: value('init_task'),
    retFromFork: value('ret_from_fork'),
    walkRequest: value('walk_request'),
    irqStackPointer: value('irq_stack_ptr'),
    overflowStack: value('overflow_stack'),
    sdeiNormalStackPointer: value('sdei_stack_normal_ptr'),
    sdeiCriticalStackPointer: value('sdei_stack_critical_ptr'),
    sdeiHandler: value('__sdei_asm_handler'),
    sdeiComplete: value('sdei_complete'),
    sdeiNormalEvent: value('kw_sdei_event_normal'),
    sdeiCriticalEvent: value('kw_sdei_event_critical'),
    gicIar: value('gic_iar'),
    gicPmr: value('gic_pmr'),
    walkTask: value('walk_task'),
    kthread: value('kthread'),
    thread: value('kunwind_thread'),
    threadDone: value('kunwind_done'),
  };
  const offsets: StructureOffsets = {
    taskStack: value('TSK_STACK'),
    taskPreemptCount: value('TSK_TI_PREEMPT'),
    cpuContext: value('THREAD_CPU_CONTEXT'),
    taskRetStack: value('KW_TSK_RET_STACK'),
    taskCurrRetStack: value('KW_TSK_CURR_RET_STACK'),
    taskKretprobes: value('KW_TSK_KRETPROBE_INSTANCES'),
    kretprobeNext: value('KW_KRETPROBE_INSTANCE_NEXT'),
    kretprobeRetAddr: value('KW_KRETPROBE_INSTANCE_RET_ADDR'),
    kretprobeFp: value('KW_KRETPROBE_INSTANCE_FP'),
    nmiMask: value('KW_NMI_MASK'),
  };
  const returnToHandler = rangeOf(symbols.get('return_to_handler'));
  if (returnToHandler === undefined) missing.push('return_to_handler');
  if (missing.length > 0 || returnToHandler === undefined) {
    return fail({ kind: 'missing-symbol', path: elf.path, names: missing });
  }
  const kretprobeTrampolines = ['__kretprobe_trampoline', '__kretprobe_trampoline_regs']
    .map((name) => rangeOf(symbols.get(name)))
    .filter((range) => range !== undefined);
  const trampolines = [
    returnToHandler,
    rangeOf(symbols.get('ftrace_caller')),
    ...kretprobeTrampolines,
  ].filter((range) => range !== undefined);
  const kprobeBlacklist = kprobeBlacklistOf(elf, symbols);
  return ok({
    elf,
    roles,
    offsets,
    returnToHandler,
    returnToHandlerPopped: symbols.get('return_to_handler_popped')?.address,
    kretprobeTrampolines,
    sdeiHandler: rangeOf(symbols.get('__sdei_asm_handler')),
    trampolines,
    kprobeBlacklist,
    symbol: (name) => symbols.get(name)?.address,
  });
}

/** The code of a symbol; undefined for a symbol without a size. */
export function rangeOf(symbol: ElfSymbol | undefined): CodeRange | undefined {
  if (symbol === undefined || symbol.size === 0) return undefined;
  return { start: symbol.address, end: symbol.address + symbol.size };
}

/** Bytes of an image, with their address. */
type SegmentBytes = Pick<LoadedSegment, 'address' | 'data'>;

/**
 * Code where a kernel refuses a kprobe: four text sections, and the functions marked NOKPROBE.
 * @param segments with relocations applied, because in a position-independent image the list of
 * NOKPROBE functions consists of them
 */
export function kprobeBlacklistOf(
  elf: ElfImage,
  symbols: ReadonlyMap<string, ElfSymbol>,
  segments: readonly SegmentBytes[] = elf.segments,
): readonly CodeRange[] {
  return ['entry', 'noinstr', 'kprobes', 'irqentry']
    .map((name) => boundsOf(symbols, `__${name}_text_start`, `__${name}_text_end`))
    .filter((range) => range !== undefined)
    .concat(blacklistedFunctions(elf, symbols, segments));
}

/**
 * The functions marked NOKPROBE, listed as pointers between two symbols
 * (include/asm-generic/vmlinux.lds.h).
 */
function blacklistedFunctions(
  elf: ElfImage,
  symbols: ReadonlyMap<string, ElfSymbol>,
  segments: readonly SegmentBytes[],
): readonly CodeRange[] {
  const list = boundsOf(symbols, '__start_kprobe_blacklist', '__stop_kprobe_blacklist');
  const segment = segments.find(
    ({ address, data }) =>
      list !== undefined && list.start >= address && list.end <= address + data.length,
  );
  if (list === undefined || segment === undefined) return [];
  const { buffer, byteOffset } = segment.data;
  const view = new DataView(buffer, byteOffset + list.start - segment.address);
  const listed = new Set<Address>();
  for (let at = 0; at < list.end - list.start; at += 8) {
    listed.add(Number(view.getBigInt64(at, true)));
  }
  return elf.symbols
    .filter(({ kind, address }) => kind === 'function' && listed.has(address))
    .map((symbol) => rangeOf(symbol))
    .filter((range) => range !== undefined);
}

function boundsOf(
  symbols: ReadonlyMap<string, ElfSymbol>,
  start: string,
  end: string,
): CodeRange | undefined {
  const low = symbols.get(start);
  const high = symbols.get(end);
  if (low === undefined || high === undefined) return undefined;
  return { start: low.address, end: high.address };
}
