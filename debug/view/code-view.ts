/** The instructions around an address, with labels and the unwind rule in force at each. */
import { hexWord } from '../../base/hex-word.js';
import type { Address } from '../../base/address.js';
import type { Disassembler } from '../../aarch64/disassembler.js';
import type { LabParts } from '../../lab/lab-parts.js';
import { ruleNotation } from './rule-notation.js';

/** One instruction. */
export interface CodeLine {
  readonly address: Address;
  /** Name of the function that begins here. */
  readonly label: string | undefined;
  /** `name+0x10`, or the address where there is no symbol. */
  readonly place: string;
  /** The instruction; PC-relative operands include their symbols. */
  readonly text: string;
  readonly isCurrent: boolean;
  /** SFrame rule for this address; undefined when it has none. */
  readonly rule: string | undefined;
  /** The instruction that a kprobe's breakpoint has replaced. */
  readonly probed: string | undefined;
}

/** How many instructions to show before and after the current one. */
export interface CodeWindow {
  readonly before: number;
  readonly after: number;
}

/** The window around `pc`, or around `center` when scrolled. Empty where no memory is mapped. */
export function codeView(
  parts: LabParts,
  disassembler: Disassembler | undefined,
  pc: Address,
  window: CodeWindow,
  center: Address = pc,
): CodeLine[] {
  const { memory } = parts.machine;
  const region = memory.regionAt(center);
  if (region === undefined) return [];
  const from = Math.max(region.low, center - 4 * window.before);
  const to = Math.min(region.high - 4, center + 4 * window.after);
  const lines: CodeLine[] = [];
  for (let at = from; at <= to; at += 4) lines.push(codeLine(parts, disassembler, at, pc));
  return lines;
}

/** One instruction. */
export function codeLine(
  { machine, rules }: LabParts,
  disassembler: Disassembler | undefined,
  address: Address,
  pc: Address,
): CodeLine {
  const found = machine.symbols.at(address);
  const rule = rules.find(address);
  const probed = machine.breakpoints.get(address);
  return {
    address,
    label: found?.offset === 0 ? found.symbol.name : undefined,
    place: placeName(found, address),
    text: instructionText(disassembler, machine.memory.readWord(address) ?? 0, address),
    isCurrent: address === pc,
    rule: rule < 0 ? undefined : ruleNotation(rules.rule(rule)),
    probed: probed === undefined ? undefined : instructionText(disassembler, probed, address),
  };
}

function placeName(
  found: { readonly symbol: { readonly name: string }; readonly offset: number } | undefined,
  address: Address,
): string {
  if (found === undefined) return `0x${BigInt.asUintN(64, BigInt(address)).toString(16)}`;
  return `${found.symbol.name}+0x${found.offset.toString(16)}`;
}

/** An instruction word as text, or the bare word without a disassembler. */
export function instructionText(
  disassembler: Disassembler | undefined,
  word: number,
  address: Address,
): string {
  const bytes = new Uint8Array(Uint32Array.of(word).buffer);
  const text = disassembler?.disassemble(bytes, address).text;
  return text ?? `.inst 0x${hexWord(word)}`;
}
