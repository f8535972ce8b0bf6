/**
 * A kretprobe on a kernel that was not booted: the kretprobe and its kprobe as register_kretprobe()
 * leaves them, with a small pool of instances. The kernel's own code does the rest, starting at the
 * breakpoint on the function's first instruction.
 */
import { brkWord } from '../../aarch64/encodings.js';
import type { Address } from '../../base/address.js';
import { fail, ok, type Result } from '../../base/result.js';
import type { KernelImage } from '../kernel-image.js';
import { ProbeBrk, simulatorOf } from './kprobe-rules.js';
import type { Machine } from '../machine.js';
import type { CodeWord } from '../kernel-state.js';
import { initialisedSite, patchSite } from './patch-site.js';
import type { MemberName } from '../vmlinux/structure-offsets.js';
import type { TracerSetup } from './tracer-setup.js';

/** Byte offsets in the tracer's memory. */
const KRETPROBE = 0x1000;
const HOLDER = 0x1200;
const SLOT_LIST = 0x1300;
const SLOT = 0x1400;
const INSTANCES = 0x1500;
/** Byte offset of rph in struct kretprobe_instance, counted from its list member, next. */
const INSTANCE_HOLDER = 8;
/**
 * Byte offsets in struct objpool_slot (v6.7 and later): head, tail, last, mask, then the objects.
 */
const SLOT_TAIL = 4;
const SLOT_LAST = 8;
const SLOT_MASK = 12;
const SLOT_ENTRIES = 16;
/**
 * Objects in the pool, all of them for CPU 0; a power of two. Deeper recursion is missed, as in any
 * kernel.
 */
const OBJECTS = 4;
const INSTANCE_SPACING = 0x80;

const NEEDED_SYMBOLS = [
  'pre_handler_kretprobe',
  'kprobe_table',
  'nr_cpu_ids',
  '__cpu_possible_mask',
] as const;
const NEEDED_MEMBERS: readonly MemberName[] = [
  ...(['taskKretprobes', 'kretprobeNext', 'kretprobeRetAddr', 'kretprobeFp'] as const),
  ...(['kprobeList', 'kprobeAddress', 'kprobePreHandler', 'kprobeOpcode'] as const),
  ...(['kprobeSimulator', 'kprobeSlot', 'kprobeBehindSlot', 'kretprobeReturnHandler'] as const),
  ...(['kretprobeEntryHandler', 'kretprobeHolder', 'holderObjects', 'holderSlots'] as const),
];

/** Why functions of this kernel cannot have a kretprobe; undefined when they can. */
export function kretprobeObstacle(kernel: KernelImage): string | undefined {
  if (kernel.symbol('__kretprobe_trampoline') === undefined) {
    return 'no __kretprobe_trampoline: CONFIG_KRETPROBES is needed, and without rethook';
  }
  const absent = NEEDED_SYMBOLS.filter((name) => kernel.symbol(name) === undefined);
  if (absent.length > 0) return `no ${absent.join(', ')}: kretprobes of v6.7 or later are needed`;
  const { members } = kernel.unbooted ?? {};
  return NEEDED_MEMBERS.some((name) => Number.isNaN(members?.[name].value ?? NaN))
    ? 'the layout of struct kprobe, kretprobe, kretprobe_holder or kretprobe_instance, or task_struct.kretprobe_instances, is not known: see kunwind-lab doctor'
    : undefined;
}

/**
 * Sets up a kretprobe on `fn`, with entry and return handlers that do nothing. Its kprobe is linked
 * in front of the one that is in every bucket of kprobe_table. The instances of its pool are in the
 * slot of CPU 0, the only possible CPU.
 */
export function kretprobe(machine: Machine, fn: Address): Result<TracerSetup, string> {
  const { kernel, memory } = machine;
  const { tracers, members } = kernel.unbooted ?? {};
  if (tracers === undefined || members === undefined) return fail('a real kernel is needed');
  const obstacle = kretprobeObstacle(kernel);
  if (obstacle !== undefined) return fail(obstacle);
  const at = (name: string): Address => kernel.symbol(name) ?? NaN;
  const probe = tracers.state + KRETPROBE;
  const holder = tracers.state + HOLDER;
  const slots = tracers.state + SLOT_LIST;
  const slot = tracers.state + SLOT;
  const other = memory.readAddress(at('kprobe_table')) ?? 0;
  const stepped = steppedInstruction(machine, fn, tracers.instructionSlot);
  if (!stepped.ok) return stepped;
  const { opcode, simulator, behind } = stepped.value;
  const words = [
    // hlist_node.next of the kprobe that is already there: the list of its bucket.
    { address: other, value: probe + members.kprobeList.value },
    { address: probe + members.kprobeAddress.value, value: fn },
    { address: probe + members.kprobePreHandler.value, value: at('pre_handler_kretprobe') },
    { address: probe + members.kprobeSimulator.value, value: simulator },
    {
      address: probe + members.kprobeSlot.value,
      value: simulator === 0 ? tracers.instructionSlot : 0,
    },
    { address: probe + members.kprobeBehindSlot.value, value: behind },
    { address: probe + members.kretprobeEntryHandler.value, value: tracers.probeHandler },
    { address: probe + members.kretprobeReturnHandler.value, value: tracers.probeHandler },
    { address: probe + members.kretprobeHolder.value, value: holder },
    { address: holder, value: probe },
    { address: holder + members.holderSlots.value, value: slots },
    { address: slots, value: slot },
  ];
  for (let i = 0; i < OBJECTS; i++) {
    const instance = tracers.state + INSTANCES + INSTANCE_SPACING * i;
    words.push(
      { address: slot + SLOT_ENTRIES + 8 * i, value: instance },
      { address: instance + members.kretprobeNext.value + INSTANCE_HOLDER, value: holder },
    );
  }
  const words32 = [
    { address: probe + members.kprobeOpcode.value, value: opcode },
    { address: holder + members.holderObjects.value, value: OBJECTS },
    { address: slot + SLOT_TAIL, value: OBJECTS },
    { address: slot + SLOT_LAST, value: OBJECTS },
    { address: slot + SLOT_MASK, value: OBJECTS - 1 },
  ];
  const code = [
    ...stepped.value.code,
    { address: at('__cpu_possible_mask'), word: 1 },
    { address: fn, word: brkWord(ProbeBrk.KPROBE) },
  ];
  return ok({ words, words32, code, breakpoints: new Map([[fn, opcode]]) });
}

/** How the instruction under the breakpoint is executed. */
interface SteppedInstruction {
  readonly opcode: number;
  /** The kernel function that simulates it; 0: it is stepped in the slot. */
  readonly simulator: Address;
  /** Where execution continues after the slot, or 0. */
  readonly behind: Address;
  readonly code: readonly CodeWord[];
}

/**
 * The instruction as arch_prepare_kprobe() would prepare it. For the first word of a patch site,
 * that is the instruction that boot puts there.
 */
function steppedInstruction(
  machine: Machine,
  fn: Address,
  slot: Address,
): Result<SteppedInstruction, string> {
  const site = patchSite(machine, fn);
  const booted = site === undefined ? [] : [initialisedSite(site)];
  const opcode = booted.find(({ address }) => address === fn)?.word ?? machine.loadedWord(fn) ?? 0;
  const name = simulatorOf(opcode);
  if (name === undefined) {
    const code = [
      ...booted,
      { address: slot, word: opcode },
      { address: slot + 4, word: brkWord(ProbeBrk.SINGLE_STEP) },
    ];
    return ok({ opcode, simulator: 0, behind: fn + 4, code });
  }
  const simulator = machine.kernel.symbol(name);
  if (simulator === undefined) return fail(`no ${name}, which the probed instruction needs`);
  return ok({ opcode, simulator, behind: 0, code: booted });
}
