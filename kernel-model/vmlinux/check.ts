/**
 * Checks whether a real kernel has what it takes to run it without booting it, and what a missing
 * part costs. The result is a list for a person to read and, when nothing required is missing, the
 * kernel image.
 */
import type { ElfError } from '../../elf/error.js';
import type { ElfImage } from '../../elf/image.js';
import { ok, type Result } from '../../base/result.js';
import {
  type KernelImage,
  PT_REGS_SIZE,
  rangeOf,
  S_STACKFRAME,
  THREAD_SIZE,
} from '../kernel-image.js';
import { codeOffsets } from './code-offsets.js';
import { Kind } from '../exception-kind.js';
import type { OffsetsFile } from './offsets-file.js';
import {
  findOffsets,
  type InitTask,
  type KnownOffsets,
  INIT_PREEMPT_COUNT,
  MEMBER_NAMES,
  type MemberName,
  type OffsetSource,
  WANTED_MEMBERS,
} from './structure-offsets.js';
import { threadStart, vmlinuxImage } from './image.js';
import { LinkedKernel } from './linked-kernel.js';
import { unsupportedExceptions } from './unsupported-exceptions.js';
import type { WalkStub } from '../walk-stub.js';

/** One thing that is checked. */
export interface VmlinuxItem {
  readonly what: string;
  /**
   * `ok`: present. `missing`: absent, but the kernel can be swept without it. `unusable`: the
   * kernel cannot be swept.
   */
  readonly state: 'ok' | 'missing' | 'unusable';
  /** What was found, or what the absence costs. */
  readonly detail: string;
}

/** The result of a check. */
export interface VmlinuxCheck {
  readonly items: readonly VmlinuxItem[];
  /** Undefined when something required is missing. */
  readonly kernel: KernelImage | undefined;
}

/** Checks a kernel. `sources` are those of structure offsets, the best one first. */
export function checkVmlinux(
  elf: ElfImage,
  sources: readonly OffsetSource[],
  stub: WalkStub,
  given?: OffsetsFile,
): Result<VmlinuxCheck, ElfError> {
  const loaded = elf.applyRelocations();
  if (!loaded.ok) return loaded;
  const linked = new LinkedKernel(elf, loaded.value);
  const offsets = findOffsets([...sources, codeOffsets(linked)], linked.initTask());
  const items = [
    ...requiredItems(linked, given),
    ...offsetSourceItems(linked, offsets),
    ...layoutItems(linked, offsets),
    ...featureItems(linked, offsets),
  ];
  const usable = items.every(({ state }) => state !== 'unusable');
  return ok({ items, kernel: usable ? vmlinuxImage(elf, loaded.value, offsets, stub) : undefined });
}

/** In one line, the first thing that makes a kernel unusable. */
export function unusableReason({ items }: VmlinuxCheck): string {
  const bad = items.filter(({ state }) => state === 'unusable');
  const [first] = bad;
  const more = bad.length > 1 ? ` (and ${bad.length - 1} more; see kunwind-lab doctor)` : '';
  return first === undefined ? '' : `${first.what}: ${first.detail}${more}`;
}

const REQUIRED: readonly (readonly [symbol: string, why: string])[] = [
  ['vectors', 'the exception vectors'],
  ['init_task', 'the current task'],
  ['irq_stack_ptr', 'where the IRQ stack is'],
  ['overflow_stack', 'the overflow stack of CONFIG_VMAP_STACK'],
  ['handle_arch_irq', 'the pointer through which interrupts are handled'],
];

function* requiredItems(
  linked: LinkedKernel,
  given: OffsetsFile | undefined,
): Generator<VmlinuxItem> {
  if (linked.elf.stripped) {
    yield unusable(
      'symbols',
      'the file is stripped, and symbol names are needed: use the vmlinux of the build',
    );
    return;
  }
  const isKernel = linked.has('vectors') && linked.has('init_task');
  if (!isKernel) {
    yield unusable('symbols', 'neither vectors nor init_task: this is not an arm64 vmlinux');
    return;
  }
  yield found('symbols', `${linked.elf.symbols.length}`);
  for (const [name, why] of REQUIRED) {
    if (!linked.has(name)) yield unusable(name, `no such symbol: ${why}`);
  }
  if (threadStart(linked.elf, linked.symbols.get('ret_from_fork')) === undefined) {
    yield unusable(
      'ret_from_fork',
      'no such symbol, or no `blr x19` in it: threads cannot be started',
    );
  }
  const { threadSize } = linked;
  if (threadSize === undefined)
    yield unusable('task stack', 'size unknown: no __end_init_stack, and init_stack has no size');
  else if (threadSize !== THREAD_SIZE) {
    yield unusable(
      'task stack',
      `${threadSize} bytes; only kernels with ${THREAD_SIZE} can be run`,
    );
  } else yield found('task stack', `${threadSize} bytes, init_stack`);
  const size = given?.ptRegsSize ?? linked.ptRegsSize();
  const record = given?.stackFrame ?? linked.stackFrame();
  if (size !== PT_REGS_SIZE || record !== S_STACKFRAME) {
    const have = `${size ?? 'unknown'} bytes, frame record at ${record ?? 'unknown'}`;
    yield unusable(
      'pt_regs',
      `${have}; kernels with metadata records have ${PT_REGS_SIZE} and ${S_STACKFRAME} (v6.13 and later)`,
    );
  } else yield found('pt_regs', `${size} bytes, metadata record at ${record}`);
}

/**
 * Says which descriptions of the build the offsets are from, the best one first, and which ones
 * were not needed.
 */
function* offsetSourceItems(linked: LinkedKernel, offsets: KnownOffsets): Generator<VmlinuxItem> {
  if (!linked.has('init_task')) return;
  const origins = new Set(MEMBER_NAMES.map((name) => offsets[name].origin));
  const used = ORIGINS.filter((origin) => origins.has(origin));
  const names = new Set(linked.elf.sections.map(({ name }) => name));
  const has = {
    BTF: names.has('.BTF'),
    DWARF: names.has('.debug_info') || names.has('.zdebug_info'),
  };
  const spare = (['BTF', 'DWARF'] as const).filter((origin) => has[origin] && !origins.has(origin));
  const rest = spare.length === 0 ? '' : `; not used: ${spare.join(', ')}`;
  yield found('structure offsets', `from ${used.join(', ') || 'nowhere'}${rest}`);
}

/** By rank: each offset comes from the first of these that has it. */
const ORIGINS = ['offsets file', 'BTF', 'DWARF', 'init_task', 'code'] as const;

function* layoutItems(linked: LinkedKernel, offsets: KnownOffsets): Generator<VmlinuxItem> {
  if (!linked.has('init_task')) return;
  const task = linked.initTask();
  for (const name of MEMBER_NAMES) {
    const { struct, member, needed, define } = WANTED_MEMBERS[name];
    const { value, origin, evidence } = offsets[name];
    const what = `${struct}.${member}`;
    if (!Number.isNaN(value)) {
      const told = evidence === undefined ? origin : `${origin}: ${evidence}`;
      // The other sources are part of the file, and so of the same build.
      const wrong = origin === 'offsets file' ? contradictionOf(name, value, task) : undefined;
      if (wrong === undefined) yield found(what, `${value} (${told})`);
      else yield unusable(what, `${value} (${told}), but ${wrong}: offsets of another build?`);
    } else if (name === 'taskStack')
      yield unusable(what, `not known: give --offsets with ${define}`);
    else yield missing(what, `not known, but needed for ${needed}: give --offsets with ${define}`);
  }
}

/**
 * How init_task contradicts the offset of a member; undefined when it does not. It is part of the
 * image, so it shows the true layout.
 */
function contradictionOf(
  name: MemberName,
  offset: number,
  { words, stack }: InitTask,
): string | undefined {
  if (words.length === 0) return undefined;
  const word = words[offset / 8];
  if (name === 'taskStack' && !Number.isNaN(stack) && word !== stack) {
    return 'init_task does not point to its stack there';
  }
  if (name === 'taskPreemptCount' && word !== INIT_PREEMPT_COUNT) {
    return `init_task does not have its preempt_count of ${INIT_PREEMPT_COUNT} there`;
  }
  return undefined;
}

function* featureItems(linked: LinkedKernel, offsets: KnownOffsets): Generator<VmlinuxItem> {
  if (!linked.has('init_task')) return;
  const { elf } = linked;
  yield elf.sframe.length > 0
    ? found('.sframe', `${elf.sframe.reduce((sum, { size }) => sum + size, 0)} bytes`)
    : missing(
        '.sframe',
        'only frame-pointer is possible: other policies would be unreliable at every exception',
      );
  const unsupported = unsupportedExceptions(linked.symbols, offsets);
  const kind = (what: string, number: number, detail: string): VmlinuxItem => {
    const why = unsupported.get(number);
    return why === undefined ? found(what, detail) : missing(what, why);
  };
  yield kind(
    'brk',
    Kind.BRK,
    'a kprobe in kprobe_table, handled by do_el1_brk64 or its predecessors',
  );
  yield kind('serror', Kind.SERROR, 'the walk stands in for do_serror, which panics');
  yield found(
    'nmi',
    'also where code has set PSTATE.I: as linked, priority masking is not patched in',
  );
  yield kind('sdei', Kind.SDEI, 'firmware events');
  const graph = rangeOf(linked.symbols.get('return_to_handler')) !== undefined;
  yield graph && !Number.isNaN(offsets.taskRetStack.value)
    ? found('function graph', 'return_to_handler and the return stack')
    : missing(
        'function graph',
        graph
          ? 'task_struct.ret_stack is not known: no traced functions'
          : 'no CONFIG_FUNCTION_GRAPH_TRACER: no fgraph paths',
      );
  yield linked.has('__kretprobe_trampoline')
    ? found('kretprobes', '__kretprobe_trampoline')
    : missing('kretprobes', 'no CONFIG_KRETPROBES: no kretprobe paths');
  yield linked.has('arch_stack_walk_reliable') && linked.has('arch_stack_walk')
    ? found('own unwinder', 'arch_stack_walk_reliable')
    : missing(
        'own unwinder',
        'no arch_stack_walk_reliable (before v6.19 or without CONFIG_HAVE_RELIABLE_STACKTRACE): --unwinder model only',
      );
  yield linked.has('kunwind_variant')
    ? found('variants', 'kunwind_variant')
    : missing('variants', 'no kunwind_variant: one unwinder, compared with the given --policy');
  yield linked.has('__start___bug_table')
    ? found('bug table', 'WARN and BUG sites have names')
    : missing('bug table', 'no CONFIG_GENERIC_BUG: a WARN is reported by address only');
}

function found(what: string, detail: string): VmlinuxItem {
  return { what, state: 'ok', detail };
}

function missing(what: string, detail: string): VmlinuxItem {
  return { what, state: 'missing', detail };
}

function unusable(what: string, detail: string): VmlinuxItem {
  return { what, state: 'unusable', detail };
}
