/**
 * Arms a scenario's kprobes and kretprobes, as registering them does in Linux: changes words of code, and
 * fills in the guest's tables (kernel-model/guest/include/kprobes.h).
 */
import { brkWord, MOV_X9_X30, NOP } from '../aarch64/encodings.js';
import type { Address } from '../base/address.js';
import { ProbeBrk, probeMethod } from '../kernel-model/tracers/kprobe-rules.js';
import type { Machine } from '../kernel-model/machine.js';
import type { KprobeSite, KretprobeSite } from '../scenarios/scenario.js';

/** Why a probe cannot be armed. */
export type KprobeError =
  | { readonly kind: 'unknown-symbol'; readonly symbol: string }
  | { readonly kind: 'kprobe-refused'; readonly at: string; readonly reason: string }
  | { readonly kind: 'too-many-probes'; readonly limit: number };

/** The instruction words that a scenario changes, by address. */
export type CodeOverlay = Map<Address, number>;

const TRAMPOLINES = { brk: '__kretprobe_trampoline', regs: '__kretprobe_trampoline_regs' } as const;

/**
 * Why Linux refuses a kprobe at an address with -EINVAL (-22); undefined when it does not.
 * @param code words that will replace those that were loaded
 */
export function kprobeRefusal(
  machine: Machine,
  address: Address,
  code: ReadonlyMap<Address, number> = new Map<Address, number>(),
): string | undefined {
  const word = (at: Address): number | undefined => code.get(at) ?? machine.loadedWord(at);
  const opcode = word(address);
  if (opcode === undefined || machine.memory.regionAt(address)?.runBytes === undefined) {
    return 'not code';
  }
  const blacklisted = machine.kernel.kprobeBlacklist.some(
    ({ start, end }) => address >= start && address < end,
  );
  if (blacklisted) return 'blacklisted';
  // The patch site of ftrace is the second of the two words. Linux refuses kprobes there.
  if (isPatchSite(machine, address - 4, word)) return 'ftrace patch site';
  return probeMethod(opcode) === 'refused' ? 'instruction that cannot be stepped' : undefined;
}

/** Whether the two patchable words of a function begin at `site`. */
function isPatchSite(
  machine: Machine,
  site: Address,
  word: (at: Address) => number | undefined,
): boolean {
  const found = machine.symbols.at(site);
  if (found === undefined || found.symbol.kind !== 'function' || found.offset > 4) return false;
  const first = word(site);
  if (first === MOV_X9_X30) return (word(site + 4) ?? 0) >>> 26 === 0x25;
  if (found.offset === 4 && (word(site - 4) ?? 0) === NOP) return false;
  return first === NOP && word(site + 4) === NOP;
}

/** Puts a scenario's probes in place. */
export class KprobeSetup {
  /** Probed addresses, with the instructions that their breakpoints replace. */
  readonly breakpoints = new Map<Address, number>();
  private armed = 0;
  private returns = 0;
  private slots = 0;

  /** @param code the scenario's changes, to which breakpoints and slots are added */
  constructor(
    private readonly machine: Machine,
    private readonly code: CodeOverlay,
  ) {}

  /** Arm a kprobe. */
  probe(site: KprobeSite): KprobeError | undefined {
    const handler = site.handler ?? 'kprobe_walk_handler';
    return this.arm(site.symbol, site.offset ?? 0, handler, 0);
  }

  /** Arm a kretprobe, which is a kprobe at the first instruction. */
  returnProbe({ symbol, style }: KretprobeSite): KprobeError | undefined {
    const table = this.symbol('kretprobe_table');
    const handler = this.symbol('kretprobe_exit_handler');
    const trampoline = this.symbol(TRAMPOLINES[style]);
    if (table === undefined || handler === undefined || trampoline === undefined) {
      return { kind: 'unknown-symbol', symbol: 'kretprobe_table' };
    }
    if (this.returns === this.constant('KW_NR_KRETPROBES')) {
      return { kind: 'too-many-probes', limit: this.returns };
    }
    const entry = table + this.returns++ * this.constant('KW_KRETPROBE_SIZE');
    this.machine.memory.writeAddress(entry + this.constant('KW_KRETPROBE_HANDLER'), handler);
    this.machine.memory.writeAddress(entry + this.constant('KW_KRETPROBE_TRAMPOLINE'), trampoline);
    return this.arm(symbol, 0, 'pre_handler_kretprobe', entry);
  }

  private arm(
    name: string,
    offset: number,
    handlerName: string,
    kretprobe: Address,
  ): KprobeError | undefined {
    const { machine, code } = this;
    const address = this.symbol(name);
    const handler = this.symbol(handlerName);
    const table = this.symbol('kprobe_table');
    if (address === undefined) return { kind: 'unknown-symbol', symbol: name };
    if (handler === undefined || table === undefined) {
      return { kind: 'unknown-symbol', symbol: handlerName };
    }
    const at = address + offset;
    const known = this.breakpoints.get(at);
    const refused = this.isBeyond(name, at)
      ? `not in ${name}`
      : known === undefined
        ? kprobeRefusal(machine, at, code)
        : undefined;
    if (refused !== undefined) {
      return { kind: 'kprobe-refused', at: machine.symbols.format(at), reason: refused };
    }
    if (this.armed === this.constant('KW_NR_KPROBES')) {
      return { kind: 'too-many-probes', limit: this.armed };
    }
    const opcode = known ?? code.get(at) ?? machine.loadedWord(at) ?? 0;
    const entry = table + this.armed++ * this.constant('KW_KPROBE_SIZE');
    const { memory } = machine;
    memory.writeAddress(entry + this.constant('KW_KPROBE_ADDR'), at);
    memory.writeAddress(entry + this.constant('KW_KPROBE_SLOT'), this.slotFor(opcode));
    memory.writeWord(entry + this.constant('KW_KPROBE_OPCODE'), opcode);
    memory.writeAddress(entry + this.constant('KW_KPROBE_PRE_HANDLER'), handler);
    memory.writeAddress(entry + this.constant('KW_KPROBE_KRETPROBE'), kretprobe);
    this.breakpoints.set(at, opcode);
    code.set(at, brkWord(ProbeBrk.KPROBE));
    return undefined;
  }

  /** Whether an address lies past a symbol, in another one. As in kallsyms, padding belongs to the symbol. */
  private isBeyond(name: string, at: Address): boolean {
    const symbol = this.machine.symbols.byName(name);
    const found = this.machine.symbols.at(at)?.symbol;
    if (symbol === undefined || at < symbol.address + symbol.size) return false;
    return found !== undefined && found.address !== symbol.address;
  }

  /** A slot for stepping an instruction, with a breakpoint after it; 0 if the guest simulates it. */
  private slotFor(opcode: number): Address {
    const slots = this.symbol('kprobe_insn_slots');
    if (slots === undefined || probeMethod(opcode) === 'simulated') return 0;
    const slot = slots + this.slots++ * this.constant('KW_KPROBE_SLOT_SIZE');
    this.code.set(slot, opcode);
    this.code.set(slot + 4, brkWord(ProbeBrk.SINGLE_STEP));
    return slot;
  }

  private symbol(name: string): Address | undefined {
    return this.machine.symbols.byName(name)?.address;
  }

  /** A layout constant of the guest, which is an absolute symbol. */
  private constant(name: string): number {
    return this.machine.kernel.symbol(name) ?? 0;
  }
}

/** One line for a refused kprobe. @param reason from {@link kprobeRefusal} */
export function noKprobe(at: string, reason: string): string {
  return `no kprobe at ${at}: ${reason} (-22)`;
}

/** One line for a {@link KprobeError}. */
export function describeKprobeError(error: KprobeError): string {
  switch (error.kind) {
    case 'unknown-symbol':
      return `no symbol ${error.symbol}`;
    case 'kprobe-refused':
      return noKprobe(error.at, error.reason);
    case 'too-many-probes':
      return `more than ${error.limit} probes`;
  }
}
