/**
 * A real vmlinux as a kernel image: which of its symbols play which role, and the state that its boot would have
 * made and that is set up directly instead. docs/real-kernels.md lists that state.
 */
import type { Address } from '../emulator/address.js';
import type { ElfImage, ElfSymbol } from '../emulator/elf-types.js';
import { BugTable } from './bug-table.js';
import { bootedFunctions, TRAP_WORD } from './booted-functions.js';
import { Kind } from './exception-kind.js';
import { HANDLER_STUB } from './handler-stub.js';
import {
  type CodeRange,
  type KernelImage,
  type KernelRegion,
  kprobeBlacklistOf,
  rangeOf,
  type StructureOffsets,
  THREAD_SIZE,
} from './kernel-image.js';
import type { KnownOffsets } from './structure-offsets.js';

/** How far below the image our own memory lies; a branch from any function reaches it. */
const STUB_DISTANCE = 0x400000;
const CODE_AREA = 0x1000;
/** Offsets in the data page behind the stub. */
const DATA = {
  iar: 0,
  pmr: 8,
  walkTask: 16,
  sdeiNormal: 24,
  sdeiCritical: 32,
  kprobe: 256,
} as const;
/** The stacks begin here: aligned to twice their size, as the overflow test of the vectors wants it. */
const STACK_AREA = 0x40000;
const STACK_SPACING = 2 * THREAD_SIZE;
const PMR_UNMASKED = 0xe0;
/** Buckets of kprobe_table: 1 << KPROBE_HASH_BITS (kernel/kprobes.c). */
const KPROBE_BUCKETS = 64;

/** The roles of a real kernel, with everything that the driver needs. */
export function vmlinuxImage(elf: ElfImage, known: KnownOffsets): KernelImage {
  const symbols = symbolsByName(elf);
  const at = (name: string): Address => symbols.get(name)?.address ?? NaN;
  const [first] = elf.segments;
  const base = Math.floor((first?.address ?? 0) / STUB_DISTANCE) * STUB_DISTANCE - STUB_DISTANCE;
  const data = base + CODE_AREA;
  const irqStack = base + STACK_AREA;
  const stub = HANDLER_STUB;
  const handler = base + stub.handler;
  const traps = bootedFunctions(elf.symbols);
  const probe = kprobeState(symbols, known, data + DATA.kprobe, handler);
  const serror = symbols.get('do_serror');
  const kinds =
    (1 << Kind.IRQ) |
    (1 << Kind.NMI) |
    (probe === undefined ? 0 : 1 << Kind.BRK) |
    (serror === undefined ? 0 : 1 << Kind.SERROR);
  const returnToHandler = rangeOf(symbols.get('return_to_handler')) ?? NO_CODE;
  const kretprobeTrampolines = ranges(symbols, [
    '__kretprobe_trampoline',
    'arch_rethook_trampoline',
  ]);
  return {
    elf,
    roles: {
      vectors: at('vectors'),
      initTask: at('init_task'),
      retFromFork: base + stub.thread,
      walkRequest: base + stub.walkRequest,
      irqStackPointer: at('irq_stack_ptr'),
      overflowStack: at('overflow_stack'),
      sdeiNormalStackPointer: data + DATA.sdeiNormal,
      sdeiCriticalStackPointer: data + DATA.sdeiCritical,
      sdeiHandler: NaN,
      sdeiComplete: NaN,
      sdeiNormalEvent: NaN,
      sdeiCriticalEvent: NaN,
      gicIar: data + DATA.iar,
      gicPmr: data + DATA.pmr,
      walkTask: data + DATA.walkTask,
      kthread: base + stub.thread,
      thread: base + stub.thread,
      threadDone: base + stub.threadDone,
    },
    offsets: structureOffsets(known),
    returnToHandler,
    returnToHandlerPopped: undefined,
    kretprobeTrampolines,
    trampolines: [returnToHandler, ...ranges(symbols, ['ftrace_caller']), ...kretprobeTrampolines],
    kprobeBlacklist: kprobeBlacklistOf(elf, symbols),
    state: {
      regions: [
        { name: 'handler stub', low: base, size: CODE_AREA, code: true, bytes: stubBytes() },
        { name: 'stub data', low: data, size: CODE_AREA, code: false },
        stackRegion('IRQ stack', irqStack),
        stackRegion('SDEI normal stack', irqStack + STACK_SPACING),
        stackRegion('SDEI critical stack', irqStack + 2 * STACK_SPACING),
      ],
      words: [
        { address: data + DATA.pmr, value: PMR_UNMASKED },
        { address: data + DATA.sdeiNormal, value: irqStack + STACK_SPACING },
        { address: data + DATA.sdeiCritical, value: irqStack + 2 * STACK_SPACING },
        { address: at('irq_stack_ptr'), value: irqStack },
        { address: at('handle_arch_irq'), value: handler },
        ...(probe?.words ?? []),
      ],
      code: [
        ...[...traps.keys()].map((address) => ({ address, word: TRAP_WORD })),
        // Only a RAS error that is not fatal comes back from here: the walk stands in for it.
        ...(serror === undefined
          ? []
          : [{ address: serror.address, word: branch(serror.address, handler) }]),
      ],
    },
    unbooted: { kinds, ...(probe === undefined ? {} : { kprobeAddress: probe.address }) },
    bootedFunctions: traps,
    bugTable: BugTable.read(
      elf,
      symbols.get('__start___bug_table')?.address,
      symbols.get('__stop___bug_table')?.address,
    ),
    symbol: (name) => symbols.get(name)?.address,
  };
}

const NO_CODE: CodeRange = { start: NaN, end: NaN };

/** By name; a global symbol wins over a local one. */
export function symbolsByName(elf: ElfImage): ReadonlyMap<string, ElfSymbol> {
  const symbols = new Map<string, ElfSymbol>();
  for (const symbol of elf.symbols) {
    const known = symbols.get(symbol.name);
    if (known === undefined || (symbol.global && !known.global)) symbols.set(symbol.name, symbol);
  }
  return symbols;
}

function ranges(symbols: ReadonlyMap<string, ElfSymbol>, names: readonly string[]): CodeRange[] {
  return names.map((name) => rangeOf(symbols.get(name))).filter((range) => range !== undefined);
}

function stackRegion(name: string, low: Address): KernelRegion {
  return { name, low, size: THREAD_SIZE, code: false };
}

function stubBytes(): Uint8Array {
  return new Uint8Array(Uint32Array.from(HANDLER_STUB.words).buffer);
}

/** B from one address to another (Arm ARM C6.2.26). */
function branch(from: Address, to: Address): number {
  return (0x14000000 | (((to - from) / 4) & 0x3ffffff)) >>> 0;
}

/**
 * One kprobe whose address the host changes before each breakpoint: it is the only one in every bucket of
 * kprobe_table, so that the kernel's get_kprobe() finds it wherever it looks.
 */
function kprobeState(
  symbols: ReadonlyMap<string, ElfSymbol>,
  known: KnownOffsets,
  at: Address,
  handler: Address,
) {
  const table = symbols.get('kprobe_table');
  if (
    table === undefined ||
    (!symbols.has('kprobe_brk_handler') && !symbols.has('kprobe_breakpoint_handler'))
  )
    return undefined;
  if (table.size !== 8 * KPROBE_BUCKETS) return undefined;
  const words = [{ address: at + known.kprobePreHandler.value, value: handler }];
  for (let i = 0; i < KPROBE_BUCKETS; i++)
    words.push({ address: table.address + 8 * i, value: at });
  return { address: at + known.kprobeAddress.value, words };
}

/** NMI_MASK of include/linux/preempt.h (v7.3-rc7): only for kernels with SDEI stacks does it matter. */
const NMI_MASK = 0xf0000000;

function structureOffsets(known: KnownOffsets): StructureOffsets {
  return {
    taskStack: known.taskStack.value,
    taskPreemptCount: known.taskPreemptCount.value,
    cpuContext: known.cpuContext.value,
    taskRetStack: known.taskRetStack.value,
    taskCurrRetStack: known.taskCurrRetStack.value,
    taskKretprobes: known.taskKretprobes.value,
    kretprobeNext: known.kretprobeNext.value,
    kretprobeRetAddr: known.kretprobeRetAddr.value,
    kretprobeFp: known.kretprobeFp.value,
    nmiMask: NMI_MASK,
  };
}
