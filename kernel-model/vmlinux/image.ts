/**
 * A real vmlinux as a kernel image: which of its symbols play which role, and the state that its
 * boot would have made, which is set up directly instead. docs/real-kernels.md lists that state.
 */
import { branchWord, RET } from '../../aarch64/encodings.js';
import { type Address, highWord, lowWord } from '../../base/address.js';
import type { ElfImage } from '../../elf/image.js';
import type { LoadedSegment } from '../../elf/segments.js';
import type { ElfSymbol } from '../../elf/symbols.js';
import { BugTable } from './bug-table.js';
import { bootedFunctions, TRAP_WORD } from './booted-functions.js';
import { Kind } from '../exception-kind.js';
import {
  type CodeRange,
  type KernelImage,
  kprobeBlacklistOf,
  rangeOf,
  type StructureOffsets,
  THREAD_SIZE,
} from '../kernel-image.js';
import type { KernelRegion } from '../kernel-state.js';
import type { KnownOffsets } from './structure-offsets.js';
import { TRACER_STATE_SIZE } from '../tracers/tracer-setup.js';
import { KPROBE_BUCKETS, unsupportedExceptions } from './unsupported-exceptions.js';
import type { WalkStub } from '../walk-stub.js';

/**
 * Where the memory lies that a kernel would have allocated: away from a vmlinux, from the stub and
 * from everything else that is loaded. Stacks are aligned to twice their size, for the vectors'
 * overflow test.
 */
const STATE_AREA: Address = -(2 ** 47) + 0x200018000000;
const STATE_SIZE = 0x1000 + TRACER_STATE_SIZE;
const TRACER_STATE = STATE_AREA + 0x1000;
const DATA = { iar: 0, pmr: 8, sdeiNormal: 24, sdeiCritical: 32, kprobe: 256 } as const;
const IRQ_STACK = STATE_AREA + 0x40000;
const STACK_SPACING = 2 * THREAD_SIZE;
const PMR_UNMASKED = 0xe0;

/**
 * A real kernel with its roles resolved, and everything that the driver needs.
 * @param loaded segments with relocations applied
 */
export function vmlinuxImage(
  elf: ElfImage,
  loaded: readonly LoadedSegment[],
  known: KnownOffsets,
  stub: WalkStub,
): KernelImage {
  const symbols = symbolsByName(elf);
  const at = (name: string): Address => symbols.get(name)?.address ?? NaN;
  const data = STATE_AREA;
  const { handler } = stub;
  const traps = bootedFunctions(elf.symbols);
  const unsupported = unsupportedExceptions(symbols, known);
  const probe = unsupported.has(Kind.BRK)
    ? undefined
    : kprobeState(at('kprobe_table'), known, data + DATA.kprobe, handler);
  const serror = symbols.get('do_serror');
  const printk = symbols.get('__warn_printk')?.address;
  const jump = jumpPage(elf, handler);
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
      retFromFork: threadStart(elf, symbols.get('ret_from_fork')) ?? NaN,
      walkRequest: stub.walkRequest,
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
      walkTask: stub.walkTask,
      kthread: stub.thread,
      thread: stub.thread,
      threadDone: stub.threadDone,
    },
    offsets: structureOffsets(known),
    returnToHandler,
    sdeiHandler: rangeOf(symbols.get('__sdei_asm_handler')),
    returnToHandlerPopped: undefined,
    kretprobeTrampolines,
    trampolines: [returnToHandler, ...ranges(symbols, ['ftrace_caller']), ...kretprobeTrampolines],
    kprobeBlacklist: kprobeBlacklistOf(elf, symbols, loaded),
    state: {
      regions: [
        { name: 'kernel state', low: STATE_AREA, size: STATE_SIZE, code: false },
        jump,
        stackRegion('IRQ stack', IRQ_STACK),
        stackRegion('SDEI normal stack', IRQ_STACK + STACK_SPACING),
        stackRegion('SDEI critical stack', IRQ_STACK + 2 * STACK_SPACING),
      ],
      words: [
        { address: data + DATA.pmr, value: PMR_UNMASKED },
        { address: data + DATA.sdeiNormal, value: IRQ_STACK + STACK_SPACING },
        { address: data + DATA.sdeiCritical, value: IRQ_STACK + 2 * STACK_SPACING },
        { address: at('irq_stack_ptr'), value: IRQ_STACK },
        { address: at('handle_arch_irq'), value: handler },
        ...(probe?.words ?? []),
      ],
      code: [
        ...[...traps.keys()].map((address) => ({ address, word: TRAP_WORD })),
        // The breakpoint after the call is the WARN; the message is not printed.
        ...(printk === undefined ? [] : [{ address: printk, word: RET }]),
        // This returns only for a RAS error that is not fatal; the walk replaces it.
        ...(serror === undefined
          ? []
          : [{ address: serror.address, word: branchWord(serror.address, jump.low) }]),
      ],
    },
    unbooted: {
      unsupported,
      ...(probe === undefined ? {} : { kprobeAddress: probe.address }),
      tracers: {
        state: TRACER_STATE,
        instructionSlot: jump.low + INSTRUCTION_SLOT,
        graphEntry: stub.graphEntry,
        graphReturn: stub.graphReturn,
        probeHandler: handler,
      },
      members: known,
    },
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

/** The symbols with an address in the image, by name. A global symbol wins over a local one. */
export function symbolsByName(elf: ElfImage): ReadonlyMap<string, ElfSymbol> {
  const symbols = new Map<string, ElfSymbol>();
  for (const symbol of elf.symbols) {
    if (symbol.absolute) continue;
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

/** Distance below the image of a page of our own, within branch range of all its functions. */
const JUMP_DISTANCE = 0x10000;
/**
 * Offset in that page of a slot for an instruction that is stepped out of line, as in a page of
 * kprobe_insn_slots.
 */
const INSTRUCTION_SLOT = 0x100;

/** LDR X16, .+8; BR X16; the address (Arm ARM C6.2.205, C6.2.37). */
function jumpPage(elf: ElfImage, to: Address): KernelRegion {
  const words = Uint32Array.of(0x58000050, 0xd61f0200, lowWord(to), highWord(to));
  const first = elf.segments[0]?.address ?? 0;
  const low = Math.floor(first / JUMP_DISTANCE) * JUMP_DISTANCE - JUMP_DISTANCE;
  return { name: 'jump', low, size: 4096, code: true, bytes: new Uint8Array(words.buffer) };
}

const MOV_X0_X20 = 0xaa1403e0;
const BLR_X19 = 0xd63f0260;

/**
 * Where ret_from_fork calls the function of a kernel thread, after its call of schedule_tail: `mov
 * x0, x20` and `blr x19` (arch/arm64/kernel/entry.S). Undefined when it has no such code.
 */
export function threadStart(elf: ElfImage, fork: ElfSymbol | undefined): Address | undefined {
  if (fork === undefined) return undefined;
  for (const { address, data } of elf.segments) {
    const offset = fork.address - address;
    if (offset < 0 || offset + FORK_SIZE > data.length) continue;
    const view = new DataView(data.buffer, data.byteOffset + offset, FORK_SIZE);
    for (let at = 0; at + 8 <= FORK_SIZE; at += 4) {
      const [first, second] = [view.getUint32(at, true), view.getUint32(at + 4, true)];
      if (first === MOV_X0_X20 && second === BLR_X19) return fork.address + at;
    }
  }
  return undefined;
}

/** Bytes of ret_from_fork that are searched. */
const FORK_SIZE = 48;

/**
 * One kprobe, whose address the host changes before each breakpoint. It is the only one in every
 * bucket of kprobe_table, so the kernel's get_kprobe() always finds it.
 */
function kprobeState(table: Address, known: KnownOffsets, at: Address, handler: Address) {
  const words = [{ address: at + known.kprobePreHandler.value, value: handler }];
  const node = at + known.kprobeList.value;
  for (let i = 0; i < KPROBE_BUCKETS; i++) words.push({ address: table + 8 * i, value: node });
  return { address: at + known.kprobeAddress.value, words };
}

/** NMI_MASK of include/linux/preempt.h (v7.3-rc7). It matters only for kernels with SDEI stacks. */
const NMI_MASK = 0xf0000000;

function structureOffsets(known: KnownOffsets): StructureOffsets {
  return {
    taskStack: known.taskStack.value,
    taskPreemptCount: known.taskPreemptCount.value,
    cpuContext: known.cpuContext.value,
    taskRetStack: known.taskRetStack.value,
    taskCurrRetStack: known.taskCurrRetStack.value,
    taskKretprobes: known.taskKretprobes.value,
    // The list links this member, not the start of the instance.
    kretprobeNext: 0,
    kretprobeRetAddr: known.kretprobeRetAddr.value - known.kretprobeNext.value,
    kretprobeFp: known.kretprobeFp.value - known.kretprobeNext.value,
    nmiMask: NMI_MASK,
  };
}
