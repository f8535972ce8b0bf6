/**
 * The stacks in use, word by word, with what lies there: frame records, pt_regs, metadata records.
 * They are found by following x29 from record to record, without asking the unwinder.
 */
import { hexWord } from '../../base/hex-word.js';
import { type Address, addressFromWords } from '../../base/address.js';
import { stripHighWord } from '../../emulator/pointer-auth.js';
import { Reg, type RegisterFile } from '../../emulator/registers.js';
import { codeName } from '../../kernel-model/code-name.js';
import type { Machine } from '../../kernel-model/machine.js';
import { type KernelStacks, type GuestStack, StackSlot } from '../../kernel-model/stacks.js';
import type { StackKind } from '../../unwinder/stack-info.js';
import {
  METADATA_FINAL,
  METADATA_PT_REGS,
  METADATA_TYPE,
  PT_REGS_SIZE,
  PT_REGS_STACKFRAME,
} from '../../unwinder/frame-record.js';
import type { LabParts } from '../../lab/lab-parts.js';

/** One 64-bit word of a stack. */
export interface StackWord {
  readonly address: Address;
  /** 16 hexadecimal digits. */
  readonly value: string;
  /**
   * What the word is: `record.fp`, `record.lr`, `pt_regs.x0`, `metadata FINAL`. Empty if unknown.
   */
  readonly role: string;
  /** Address of the object that the word belongs to, or undefined. */
  readonly object: Address | undefined;
  /** `function+0x10/0x40` when the value, with any signature stripped, is an address of code. */
  readonly symbol: string;
  /** The value carries a pointer authentication code. */
  readonly isSigned: boolean;
  /** `SP`, `FP`, ... that point at this word. */
  readonly markers: readonly string[];
}

/** A stack in use, from the innermost word of interest upwards. */
export interface StackSection {
  readonly kind: StackKind;
  readonly low: Address;
  /** One past the last byte. */
  readonly high: Address;
  readonly words: readonly StackWord[];
  /** Words up to `high` that are not listed. */
  readonly omitted: number;
}

/** A register whose target is marked on the stack. */
export interface StackMarker {
  readonly name: string;
  readonly address: Address;
}

/** Slots of KernelStacks by name. */
const STACK_NAMES: readonly StackKind[] = [
  'task',
  'irq',
  'overflow',
  'sdei-normal',
  'sdei-critical',
];

/** Most records that are followed, because a chain may be a loop. */
const MAX_RECORDS = 256;
/** Words of one stack that are listed, unless the caller says otherwise. */
const MAX_WORDS = 192;

/** Fields of struct pt_regs other than x0..x30, by offset / 8. */
const PT_REGS_FIELDS: Readonly<Record<number, string>> = {
  31: 'sp',
  32: 'pc',
  33: 'pstate',
  34: 'orig_x0',
  35: 'syscallno/pmr',
  36: 'sdei_ttbr1',
  37: 'stackframe.fp',
  38: 'stackframe.lr',
  39: 'stackframe.type',
};

/** Words that hold return addresses. */
const RETURN_ADDRESSES: readonly string[] = ['record.lr', `pt_regs.x${Reg.X30}`];

/** Name of the stack that holds an address, or undefined. */
export function stackNameAt(stacks: KernelStacks, address: Address): StackKind | undefined {
  // slotOf takes an SP, which may be the stack's high end, so ask for the end of this word.
  const slot = stacks.slotOf(address + 8);
  return slot === StackSlot.NONE ? undefined : STACK_NAMES[slot];
}

/**
 * The stacks that a walk from these registers can reach.
 * @param extra more places to mark, such as the interrupted SP
 */
export function stackView(
  { machine, stacks }: LabParts,
  registers: RegisterFile,
  extra: readonly StackMarker[] = [],
  limit = MAX_WORDS,
): StackSection[] {
  const sp = registers.get(Reg.SP);
  const objects = new Map<Address, { readonly role: string; readonly object: Address }>();
  const starts = new Map<number, Address>();
  const note = (address: Address): void => {
    const slot = stacks.slotOf(address + 8);
    if (slot === StackSlot.NONE) return;
    starts.set(slot, Math.min(starts.get(slot) ?? Infinity, address));
  };
  note(sp);
  followRecords(machine.memory, stacks, registers.get(Reg.X29), objects, note);
  const markers = [
    { name: 'SP', address: sp },
    { name: 'FP', address: registers.get(Reg.X29) },
    ...extra,
  ];
  return [...starts].map(([slot, from]) => {
    const stack = stacks.all[slot] as GuestStack;
    const first = Math.floor(from / 8) * 8;
    const total = (stack.high - first) / 8;
    const words = Array.from({ length: Math.min(limit, total) }, (_, i) =>
      stackWord(stack, first + 8 * i, objects, markers, machine),
    );
    return {
      kind: STACK_NAMES[slot] ?? 'task',
      low: stack.low,
      high: stack.high,
      words,
      omitted: total - words.length,
    };
  });
}

/** The part of guest memory's interface that is needed here. */
interface Words {
  readAddress(address: Address): Address | undefined;
}

function followRecords(
  memory: Words,
  stacks: KernelStacks,
  start: Address,
  objects: Map<Address, { readonly role: string; readonly object: Address }>,
  note: (address: Address) => void,
): void {
  let fp = start;
  for (let i = 0; i < MAX_RECORDS; i++) {
    if (fp % 8 !== 0 || stacks.slotOf(fp + 16) === StackSlot.NONE || objects.has(fp)) return;
    const next = memory.readAddress(fp) ?? 0;
    const lr = memory.readAddress(fp + 8) ?? 0;
    if (next !== 0 || lr !== 0) {
      note(fp);
      objects.set(fp, { role: 'record.fp', object: fp });
      objects.set(fp + 8, { role: 'record.lr', object: fp });
      fp = next;
      continue;
    }
    const type = memory.readAddress(fp + METADATA_TYPE);
    const name =
      type === METADATA_FINAL ? 'FINAL' : type === METADATA_PT_REGS ? 'PT_REGS' : 'unknown type';
    const isRegs = type === METADATA_PT_REGS || type === METADATA_FINAL;
    const regs = fp - PT_REGS_STACKFRAME;
    if (type === METADATA_PT_REGS) {
      note(regs);
      for (let at = 0; at < PT_REGS_SIZE; at += 8) {
        const field = PT_REGS_FIELDS[at / 8] ?? `x${at / 8}`;
        objects.set(regs + at, { role: `pt_regs.${field}`, object: regs });
      }
    } else {
      note(fp);
      objects.set(fp, { role: 'metadata.fp', object: fp });
      objects.set(fp + 8, { role: 'metadata.lr', object: fp });
    }
    const object = type === METADATA_PT_REGS ? regs : fp;
    objects.set(fp + METADATA_TYPE, { role: `metadata ${name}`, object });
    if (!isRegs || type === METADATA_FINAL) return;
    fp = memory.readAddress(regs + 8 * Reg.X29) ?? 0;
  }
}

function stackWord(
  stack: GuestStack,
  address: Address,
  objects: ReadonlyMap<Address, { readonly role: string; readonly object: Address }>,
  markers: readonly StackMarker[],
  machine: Machine,
): StackWord {
  const i = (address - stack.low) / 4;
  const low = stack.words[i] ?? 0;
  const high = stack.words[i + 1] ?? 0;
  const stripped = stripHighWord(high);
  const code = addressFromWords(low, stripped);
  const known = objects.get(address);
  // A return address belongs to the call before it. Any other address of code is taken as it is.
  const returns = known !== undefined && RETURN_ADDRESSES.includes(known.role);
  const isCode = code < 0 && machine.symbols.isCode(returns ? code - 1 : code);
  return {
    address,
    value: hexWord(high) + hexWord(low),
    role: known?.role ?? '',
    object: known?.object,
    symbol: isCode ? codeName(machine, code, !returns) : '',
    isSigned: isCode && (stripped | 0) !== (high | 0),
    markers: markers.filter((marker) => marker.address === address).map(({ name }) => name),
  };
}
