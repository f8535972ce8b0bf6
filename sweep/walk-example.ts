/** A walk that is kept as an example: first as raw data, then in words. */
import type { Address } from '../base/address.js';
import type { Disassembler } from '../aarch64/disassembler.js';
import { codeName } from '../kernel-model/code-name.js';
import type { PolicyName } from '../unwinder/policy.js';
import { KERNEL_ERROR, WALK_REASONS, WALK_WARNINGS } from '../unwinder/walk-reason.js';
import { formatPoint, type Point } from '../lab/point.js';
import type { PointContext } from './sweep-observer.js';
import { kernelErrorText } from '../lab/kernel-error.js';
import type { LabParts } from '../lab/lab-parts.js';
import type { Machine } from '../kernel-model/machine.js';
import type { WalkExample } from './unit.js';
import { VerdictCode, VERDICTS } from '../scenarios/verdict.js';

/** Most entries of a truth or trace that an example keeps. */
const MAX_LISTED = 96;

/** An example as it was caught, before names are looked up. */
export interface RawExample {
  readonly point: Point;
  readonly pc: Address;
  readonly policy: PolicyName;
  readonly mode: 'reliable' | 'best-effort';
  readonly verdict: number;
  readonly status: number;
  readonly warned: number;
  /** Error of the kernel's own unwinder, or 0; see {@link WalkResult}. */
  readonly errno: number;
  readonly failedAt: Address;
  /** Address of a WARN in the kernel's own unwinder, or 0. */
  readonly warnedAt: Address;
  readonly truth: readonly Address[];
  /** Entries of the truth that are interrupted PCs, not return addresses. */
  readonly interrupted: ReadonlySet<Address>;
  readonly trace: readonly Address[];
}

/**
 * Copy what a walk leaves behind, before the next one.
 * @param explained whether to find out where an error of the kernel's own unwinder comes from
 */
export function rawExample(point: Point, context: PointContext, explained = false): RawExample {
  const { walk, truth } = context;
  if (explained) context.findOrigin?.();
  const listed = truth.addresses.subarray(0, Math.min(truth.count, MAX_LISTED));
  return {
    point,
    pc: context.pc,
    policy: context.policy.name,
    mode: context.mode,
    verdict: context.verdict,
    status: walk.status,
    warned: walk.warned,
    errno: walk.errno,
    failedAt: walk.failedAt,
    warnedAt: walk.warnedAt,
    truth: [...listed],
    interrupted: new Set(listed.filter((_, i) => truth.interrupted[i] === 1)),
    trace: [...walk.entries.subarray(0, Math.min(walk.count, MAX_LISTED))],
  };
}

/** Put an example into words. @param disassembler where there is one */
export function exampleText(
  parts: LabParts,
  raw: RawExample,
  disassembler: Disassembler | undefined,
): WalkExample {
  const { symbols, memory } = parts.machine;
  // The kernel prints a return address and an interrupted PC differently. A function that was
  // interrupted at its first instruction must not be taken for the end of the one before it.
  const name = (address: Address): string => {
    const text = codeName(parts.machine, address, raw.interrupted.has(address));
    return parts.judge.isOptional(address) ? `(${text})` : text;
  };
  const word = memory.readWord(raw.pc) ?? 0;
  const bytes = new Uint8Array(new Uint32Array([word]).buffer);
  return {
    point: formatPoint(raw.point),
    policy: raw.policy,
    mode: raw.mode,
    verdict: VERDICTS[raw.verdict] ?? '?',
    reason: reasonText(raw, parts.machine),
    at: symbols.format(raw.pc),
    instruction: disassembler?.disassemble(bytes, raw.pc).text ?? `0x${word.toString(16)}`,
    truth: raw.truth.map(name),
    trace: raw.trace.map(name),
  };
}

function reasonText(raw: RawExample, machine: Machine): string {
  if (raw.verdict === VerdictCode.WARNED) {
    const place = machine.kernel.bugTable?.at(raw.warnedAt)?.place;
    return `WARN ${WALK_WARNINGS[raw.warned] ?? ''}${place === undefined ? '' : ` at ${place}`}`;
  }
  if (raw.status === KERNEL_ERROR) return kernelErrorText(raw, machine.symbols);
  return raw.status === 0 ? '' : (WALK_REASONS[raw.status] ?? '');
}
