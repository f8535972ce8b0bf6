/** What an unwind step read, derived from the slot of its PC and its rule. */
import { hexWord } from '../../base/hex-word.js';
import type { Address } from '../../base/address.js';
import type { LabParts } from '../../lab/lab-parts.js';
import { GuestGraphReturnStack, GuestKretprobeInstances } from '../../lab/tracer-views.js';
import { PT_REGS_LR, PT_REGS_PC } from '../../unwinder/frame-record.js';
import type { StackKind } from '../../unwinder/stack-info.js';
import { CfaBase, RecoverKind, type UnwindRule } from '../../unwinder/unwind-rule.js';
import { HOW_GRAPH, HOW_KRETPROBE, type WalkResult } from '../../unwinder/walk-result.js';
import type { WalkRequest } from '../evaluate.js';
import { stackNameAt } from './stack-view.js';
import type { StepOrigin } from './step-origin.js';

/** A 64-bit word that an unwind step read. */
export interface WordRead {
  /** What the step read it as: `lr`, `fp`, `pc`, `x30` and so on. */
  readonly what: string;
  readonly address: Address;
  /** 16 hexadecimal digits, as in memory: a return address may be signed. */
  readonly value: string;
  readonly stack: StackKind | undefined;
}

/** What the step to entry `i` read. */
export function stepReads(
  parts: LabParts,
  request: WalkRequest,
  out: WalkResult,
  i: number,
  origin: StepOrigin,
  rule: UnwindRule | undefined,
): WordRead[] {
  const word = (what: string, address: Address): WordRead => wordRead(parts, what, address);
  const slot = out.slots[i] as number;
  // The pt_regs in force: the previous entry's PC came from them.
  const regs = i > 0 ? (out.slots[i - 1] as number) - 8 * PT_REGS_PC : NaN;
  const list: WordRead[] = [];
  switch (origin) {
    case 'start':
      break;
    case 'frame-record':
      list.push(word('fp', slot - 8), word('lr', slot));
      break;
    case 'pt-regs':
      list.push(word('pt_regs.pc', slot), word('pt_regs.x29', slot - 8 * (PT_REGS_PC - 29)));
      break;
    case 'sframe-load':
    case 'sframe-register':
      if (rule === undefined) break;
      if (!Number.isNaN(regs)) {
        const base =
          rule.cfaBase === CfaBase.SP ? 31 : rule.cfaBase === CfaBase.FP ? 29 : rule.cfaRegister;
        list.push(word(`pt_regs.${base === 31 ? 'sp' : `x${base}`}`, regs + 8 * base));
      }
      if (rule.fpKind === RecoverKind.LOAD_CFA && rule.raKind === RecoverKind.LOAD_CFA) {
        list.push(word('fp', slot - rule.raOffset + rule.fpOffset));
      }
      if (origin === 'sframe-load') list.push(word('ra', slot));
      else if (!Number.isNaN(regs) && rule.raKind === RecoverKind.UNCHANGED) {
        list.push(word('pt_regs.x30', regs + 8 * PT_REGS_LR));
      }
      break;
  }
  if (((out.hows[i] as number) & (HOW_GRAPH | HOW_KRETPROBE)) !== 0) {
    list.push(...recoveryReads(parts, request, out, i));
  }
  return list;
}

/** The tracer's record that holds the entry's address. */
function recoveryReads(
  { machine, stacks }: LabParts,
  { task }: WalkRequest,
  out: WalkResult,
  i: number,
): WordRead[] {
  const address = out.entries[i] as number;
  const fp = out.fps[i] as number;
  const list: WordRead[] = [];
  const graph = new GuestGraphReturnStack(machine, task);
  if (((out.hows[i] as number) & HOW_GRAPH) !== 0) {
    for (let n = graph.depth() - 1; n >= 0; n--) {
      if (graph.ret(n) !== address || graph.retp(n) !== fp) continue;
      const at = graph.addressOf(n);
      list.push(wordRead({ machine, stacks }, `ret_stack[${n}].ret`, at));
      break;
    }
  }
  const instances = new GuestKretprobeInstances(machine, task);
  if (((out.hows[i] as number) & HOW_KRETPROBE) !== 0) {
    for (let n = 0; n < instances.count(); n++) {
      if (instances.fp(n) !== fp) continue;
      list.push(wordRead({ machine, stacks }, `kretprobe[${n}].ret_addr`, instances.addressOf(n)));
      break;
    }
  }
  return list;
}

function wordRead(
  { machine, stacks }: Pick<LabParts, 'machine' | 'stacks'>,
  what: string,
  address: Address,
): WordRead {
  const low = machine.memory.readWord(address);
  const high = machine.memory.readWord(address + 4);
  const hex = (word: number | undefined): string =>
    word === undefined ? '????????' : hexWord(word);
  return { what, address, value: hex(high) + hex(low), stack: stackNameAt(stacks, address) };
}
