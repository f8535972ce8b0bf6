/** Why a point cannot be judged: the guest crashes, or an exception does not return as it should. */
import { hexWord } from '../base/hex-word.js';
import { formatWord } from '../aarch64/disassembler.js';
import { type Address, formatAddress } from '../base/address.js';
import type { MissingItem } from '../elf/dynamic-linker.js';
import { MemoryAccess, memoryAccess } from '../emulator/memory-access.js';
import { registerName } from '../emulator/registers.js';
import { DriverStatus } from '../kernel-model/exception-driver.js';
import type { KernelImage } from '../kernel-model/kernel-image.js';
import type { Machine } from '../kernel-model/machine.js';
import { type PtRegsCheck, SavedField, savedFieldName } from '../kernel-model/pt-regs-check.js';
import type { Point } from './point.js';

/**
 * - `engine`: the engine stopped with an error in entry, handler or exit code.
 * - `no-request`: the handler did not ask for a walk.
 * - `runaway`: guest code exceeded its instruction budget.
 * - `truth-path`: the calls between vector and walk request differ from those learned before.
 * - `no-return`: the exception did not end with its ERET.
 * - `not-restored`: registers, stack or kernel state differ after the return.
 * - `pt-regs-wrong`: entry code has saved something else than the CPU had.
 * - `scenario`: the scenario itself cannot be executed, or exceeds a limit of what is recorded.
 * - `unknown-instruction`: the engine refuses an instruction of the code under test.
 * - `undefined-symbol`: the code under test used something that its file does not define.
 * - `unbooted`: a real kernel called a function that only works once it has booted.
 * - `warned`: a real kernel reached a WARN.
 * - `bug`: a real kernel reached a BUG.
 */
export type ProblemKind =
  | 'engine'
  | 'no-request'
  | 'runaway'
  | 'truth-path'
  | 'no-return'
  | 'not-restored'
  | 'pt-regs-wrong'
  | 'scenario'
  | 'unknown-instruction'
  | 'undefined-symbol'
  | 'unbooted'
  | 'warned'
  | 'bug';

/** One problem. */
export interface Problem {
  readonly kind: ProblemKind;
  /** Undefined when the problem is in the scenario itself. */
  readonly point: Point | undefined;
  /** PC of the scenario. */
  readonly pc: Address;
  readonly detail: string;
  /** Of an unknown instruction. */
  readonly word?: number;
  /** Of wrong pt_regs. */
  readonly saved?: SavedDifference;
}

/** Something in pt_regs, or in the record with it, that is not what the CPU had. */
export interface SavedDifference {
  /** `x0` to `x30`, `sp`, `pc`, `pstate`, `pmr`, `record.fp`, `record.lr` or `record.type`. */
  readonly register: string;
  /** What is saved, and what the CPU had: 64 bits in hexadecimal, 32 of pmr. */
  readonly value: string;
  readonly truth: string;
}

/** The kind and description of a problem, without its place. */
export interface Explanation {
  readonly kind: ProblemKind;
  readonly detail: string;
  /** Of an unknown instruction; reports name it. */
  readonly word?: number;
  /** Of wrong pt_regs. */
  readonly saved?: SavedDifference;
}

/**
 * Explains a difference that was just found. @param field what {@link PtRegsCheck.compare} has returned
 */
export function explainSaved(
  { valueLow, valueHigh, truthLow, truthHigh }: PtRegsCheck,
  field: number,
): Explanation {
  const register = savedFieldName(field);
  const saved = {
    register,
    value: wordsText(valueLow, valueHigh, field),
    truth: wordsText(truthLow, truthHigh, field),
  };
  const detail = `pt_regs has ${register} ${saved.value}, and the CPU had ${saved.truth}`;
  const record = `the frame record has ${register.slice(7)} ${saved.value}, and should have ${saved.truth}`;
  return { kind: 'pt-regs-wrong', detail: register.startsWith('record.') ? record : detail, saved };
}

function wordsText(low: number, high: number, field: number): string {
  return `0x${field === SavedField.PMR ? '' : hexWord(high)}${hexWord(low)}`;
}

/**
 * Explains a driver's status.
 * @param status a `DriverStatus` other than DONE
 * @param register the register that differs, for REGISTER_CHANGED
 */
export function explainDriverStatus(status: number, register: number): Explanation {
  switch (status) {
    case DriverStatus.ENGINE_ERROR:
      return { kind: 'engine', detail: 'the engine stopped in entry, handler or exit code' };
    case DriverStatus.NO_REQUEST:
      return { kind: 'no-request', detail: 'the handler did not ask for a walk' };
    case DriverStatus.RUNAWAY:
      return { kind: 'runaway', detail: 'the handler exceeded its instruction budget' };
    case DriverStatus.PATH_CHANGED:
      return { kind: 'truth-path', detail: 'the call path to the handler is not the one learned' };
    case DriverStatus.NO_RETURN:
      return { kind: 'no-return', detail: 'the exception did not end in its ERET' };
    case DriverStatus.REGISTER_CHANGED:
      return { kind: 'not-restored', detail: registerChanged(register) };
    case DriverStatus.STACK_CHANGED:
      return { kind: 'not-restored', detail: 'the interrupted stack was written above SP' };
    default:
      return { kind: 'not-restored', detail: 'preempt_count or the priority mask changed' };
  }
}

/**
 * Explains a breakpoint of a real kernel: a function that needs a booted kernel, a WARN or a BUG.
 * Undefined at any other instruction, and for built-in kernels.
 */
export function explainKernelStop(
  { bootedFunctions, bugTable }: KernelImage,
  pc: Address,
): Explanation | undefined {
  const name = bootedFunctions?.get(pc);
  if (name !== undefined) {
    return { kind: 'unbooted', detail: `${name} was called, which needs a booted kernel` };
  }
  const site = bugTable?.at(pc);
  if (site === undefined) return undefined;
  const where = site.place ?? 'a place that the kernel does not name';
  return site.warning
    ? { kind: 'warned', detail: `WARN at ${where}` }
    : { kind: 'bug', detail: `BUG at ${where}` };
}

const access = new MemoryAccess();

/**
 * What a step that failed has used that another file would define: a function that was called, or
 * data. Undefined when it failed for another reason.
 */
export function explainMissing(machine: Machine): Explanation | undefined {
  const { stepper, linker } = machine;
  const called = linker.at(stepper.pc);
  if (called !== undefined) return missingItem(machine, called, 'called');
  if (!memoryAccess(stepper.instructionWord, stepper.registers, access)) return undefined;
  const accessed = linker.at(access.address);
  return accessed && missingItem(machine, accessed, access.reads ? 'read' : 'wrote');
}

/** What an engine says of an instruction that it does not know, and of little else. */
const REFUSED = /UC_ERR_(EXCEPTION|INSN_INVALID)/;

/**
 * The instruction that a step has failed at because the engine does not know it; undefined when the
 * step failed for another reason.
 * @param problem what {@link Machine.stepper} says of the step
 */
export function explainRefusal(
  { stepper, symbols }: Machine,
  problem: string,
): Explanation | undefined {
  const { pc, instructionWord: word } = stepper;
  // UDF is undefined on every CPU: executing it is a crash.
  if (!REFUSED.test(problem) || word >>> 16 === 0) return undefined;
  const detail = `${formatWord(word)} at ${symbols.format(pc)} (${formatAddress(pc)})`;
  return { kind: 'unknown-instruction', detail, word };
}

function missingItem(machine: Machine, { kind, name }: MissingItem, verb: string): Explanation {
  const used = {
    symbol: `${verb} ${name}, which this file does not define`,
    // One of this file's own need not have a name: its place in the thread area is enough.
    'thread-local': `used ${name === '' ? 'a thread-local variable' : `the thread-local variable ${name}`}, and there is no thread area`,
    ifunc: `${verb} an indirect function, ${failedResolver(machine)}`,
  }[kind];
  return { kind: 'undefined-symbol', detail: `the code ${used}` };
}

function failedResolver({ stepper, linker, symbols, unresolved }: Machine): string {
  const { pc } = stepper;
  const resolver = linker.indirectFunctions.find(({ trap }) => trap === pc)?.resolver;
  const name = resolver === undefined ? 'which' : symbols.format(resolver);
  return `whose resolver ${name} failed: ${unresolved.get(pc) ?? 'it was not called'}`;
}

/** The wording for a register that an exception did not restore. */
function registerChanged(register: number): string {
  return `${registerName(register)} differs after the return`;
}
