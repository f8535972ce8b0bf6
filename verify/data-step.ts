/**
 * Executes one instruction that does not branch. The engine does so, except where the instruction would
 * access memory or system registers that are not there: its results are unknown then, and are poisoned.
 */
import type { Address } from '../base/address.js';
import {
  type Engine,
  type EngineBackend,
  PAGE_SIZE,
  Permission,
  RegisterSet,
} from '../emulator/engine.js';
import { GuestMemory, describeMemoryError, type MemoryRegion } from '../emulator/guest-memory.js';
import { decodeLoadStore, isLoadStore, LoadStore, Writeback } from '../aarch64/load-store.js';
import { effectiveAddress, indexedAddress } from '../emulator/memory-access.js';
import { executePauthHint, PauthOutcome, stripHighWord } from '../emulator/pointer-auth.js';
import { Reg, RegisterFile } from '../emulator/registers.js';
import { fail, ok, type Result } from '../base/result.js';
import { JumpTableReader } from './jump-table.js';
import type { Program } from './program.js';
import { STACK_SIZE, stackPlace, SyntheticFrame } from './synthetic-frame.js';

/**
 * Instructions after which the engine is replaced. It keeps the translation of every instruction, about
 * 700 bytes each, and frees that memory only when it is closed.
 */
const STEPS_PER_ENGINE = 60_000;

/** One CPU, the program's bytes and the synthetic stack. */
export class DataStepper {
  readonly registers = new RegisterFile();
  readonly tables = new JumpTableReader();
  /** Instructions that the engine executed, and those that it does not know. */
  executed = 0;
  refused = 0;
  /** {@link registers} have changed since they were last written to the engine. */
  private stale = true;
  private cold = 0;
  private readonly access = new LoadStore();

  private constructor(
    private readonly backend: EngineBackend,
    private engine: Engine,
    private readonly memory: GuestMemory,
    private readonly regions: readonly MemoryRegion[],
    readonly frame: SyntheticFrame,
  ) {}

  /** The error is one line. */
  static create(backend: EngineBackend, program: Program): Result<DataStepper, string> {
    const memory = new GuestMemory(backend);
    const regions: MemoryRegion[] = [];
    for (const { low, high } of pageRanges(program)) {
      const added = memory.add(
        'image',
        low,
        high - low,
        Permission.READ | Permission.EXECUTE,
        false,
      );
      if (!added.ok) return fail(describeMemoryError(added.error));
      regions.push(added.value);
    }
    for (const { address, data } of program.pieces) memory.writeBytes(address, data);
    const place = stackPlace(regions);
    const rights = Permission.READ | Permission.WRITE;
    const stack = memory.add('stack', place, STACK_SIZE, rights, false);
    if (!stack.ok) return fail(describeMemoryError(stack.error));
    const engine = openEngine(backend, memory);
    if (!engine.ok) return engine;
    const frame = new SyntheticFrame(stack.value);
    return ok(new DataStepper(backend, engine.value, memory, regions, frame));
  }

  /** To be called after {@link registers} were written to. */
  touch(): void {
    this.stale = true;
  }

  /** The instruction word at an address, or undefined outside the program. */
  fetch(pc: Address): number | undefined {
    const region = this.regionAt(pc);
    return region?.words[(pc - region.low) >>> 2];
  }

  /** Overwrite an instruction, as mutations do. */
  patch(pc: Address, word: number): void {
    this.memory.writeWord(pc, word);
    this.engine.flush();
  }

  /** An integer of `size` bytes of the program's memory, little-endian; undefined outside. */
  readonly readMemory = (address: Address, size: number, signed: boolean): number | undefined => {
    const region = this.regionAt(address);
    if (region === undefined || address + size > region.high) return undefined;
    const at = address - region.low;
    let value = 0;
    for (let i = Math.min(size, 8) - 1; i >= 0; i--)
      value = value * 256 + (region.bytes[at + i] as number);
    const top = region.bytes[at + size - 1] as number;
    return (signed || size === 8) && top >= 128 ? value - 2 ** (8 * size) : value;
  };

  /** Make a register unknown. */
  poison(register: number): void {
    this.frame.setPoison(this.registers, register);
    this.stale = true;
  }

  /** Set X30. */
  setLink(value: Address): void {
    this.registers.set(Reg.X30, value);
    this.stale = true;
  }

  /**
   * Execute the instruction `word` at `pc`.
   * @returns false when SP is unknown after it: the path cannot be followed further
   */
  step(pc: Address, word: number): boolean {
    if (isLoadStore(word)) return this.loadStore(pc, word);
    if (word >>> 22 === 0x354) return this.system(word);
    this.tables.before(word, this.registers);
    if (isVariableSp(word)) this.boundSpOperand(word);
    return this.native(pc, word);
  }

  private native(pc: Address, word: number): boolean {
    if (this.stale) {
      this.engine.write(this.registers, RegisterSet.GENERAL);
      this.stale = false;
    }
    if (++this.cold > STEPS_PER_ENGINE) this.renew();
    const status = this.engine.step(pc);
    if (status !== 0) return this.unknown(word);
    this.engine.read(this.registers, RegisterSet.GENERAL);
    this.executed++;
    return true;
  }

  /** The engine does not know the instruction, so its destination becomes unknown. */
  private unknown(word: number): boolean {
    this.stale = true;
    const rd = word & 31;
    const isData = ((word >>> 26) & 7) === 4 || ((word >>> 25) & 7) === 5;
    if (isData && pauthData(word, this.registers)) return true;
    this.refused++;
    if (rd !== 31) this.poison(rd);
    // Of the instructions that an engine may not know, only SVE's ADDVL and ADDPL write SP.
    return (word & 0xffa0f800) !== 0x04205000 || rd !== 31;
  }

  /** Hints, barriers, MSR, MRS, SYS. Arm ARM C4.1.93. */
  private system(word: number): boolean {
    this.stale = true;
    if (word >>> 12 === 0xd5032) {
      const keyB = ((word >>> 6) & 1) === 1;
      const outcome = executePauthHint(word, this.registers);
      const { words } = this.registers;
      const isSign = ((word >>> 7) & 1) === 0 && ((word >>> 8) & 15) === 3;
      if (isSign && outcome === PauthOutcome.DONE) {
        this.frame.noteSigned(words[2 * Reg.X30] as number, words[2 * Reg.X30 + 1] as number, keyB);
      }
      return true;
    }
    // Bit 21 is set in MRS and SYSL, which write a general register.
    if (((word >>> 21) & 1) === 1) this.poison(word & 31);
    // MSR SPSel selects another SP.
    return (word & 0xfffff0ff) >>> 0 !== 0xd50040bf;
  }

  /** Before SUB SP, SP, Xm: if Xm would move SP off the stack, make it a small multiple of 16. */
  private boundSpOperand(word: number): void {
    const { registers, frame } = this;
    const rm = (word >>> 16) & 31;
    if (rm === 31) return;
    const value = registers.get(rm);
    const rn = (word >>> 5) & 31;
    if (frame.holds(value, 0)) return;
    const shift = (word >>> 10) & 7;
    const sp = registers.get(rn === 31 ? Reg.SP : rn);
    const isSub = ((word >>> 30) & 1) === 1;
    const result = isSub ? sp - value * 2 ** shift : sp + value * 2 ** shift;
    if (frame.holds(result, 0) && result % 16 === 0) return;
    registers.set(rm, 64);
    this.stale = true;
  }

  private loadStore(pc: Address, word: number): boolean {
    const { access, registers, frame } = this;
    if (!decodeLoadStore(word, access)) return this.unknown(word);
    const at = effectiveAddress(access, registers, pc);
    const onStack = frame.holds(at, access.size);
    if (onStack && !access.atomic && !access.hint) {
      const direct = access.base === 31 || access.base === 29;
      // The address may come from an unknown index: that must not overwrite a frame record.
      if (access.store && (!direct || access.index >= 0) && frame.hitsSlot(at, access.size)) {
        return this.byHand(access);
      }
      if (!this.native(pc, word)) return false;
      if (access.store) frame.noteStore(at, access.size);
      return true;
    }
    if (access.load && !access.store && !access.atomic && this.regionAt(at) !== undefined) {
      const region = this.regionAt(at);
      if (region !== undefined && at + access.size <= region.high) {
        const base = access.base < 0 ? at : registers.get(access.base);
        if (!this.native(pc, word)) return false;
        this.tables.load(access, base);
        return true;
      }
    }
    if (access.load && access.index >= 0) {
      // With an unknown index the address may be anywhere, but the base still tells the table.
      const base = registers.get(access.base);
      if (this.regionAt(base) !== undefined) this.tables.load(access, base);
    }
    return this.byHand(access);
  }

  /** Without an access to memory: what it would load is unknown, and the base register is updated. */
  private byHand(access: LoadStore): boolean {
    const { registers } = this;
    this.stale = true;
    if (access.writeback !== Writeback.NONE) {
      registers.set(access.base, indexedAddress(access, registers));
    }
    if (access.general && access.load) {
      if (access.rt >= 0) this.poison(access.rt);
      if (access.rt2 >= 0) this.poison(access.rt2);
    }
    if (access.status >= 0) this.poison(access.status);
    return true;
  }

  private regionAt(address: Address): MemoryRegion | undefined {
    for (const region of this.regions) {
      if (address >= region.low && address < region.high) return region;
    }
    return undefined;
  }

  private renew(): void {
    this.cold = 0;
    const fresh = openEngine(this.backend, this.memory);
    if (!fresh.ok) return;
    this.engine.close();
    this.engine = fresh.value;
    this.engine.write(this.registers, RegisterSet.GENERAL);
  }

  close(): void {
    this.engine.close();
  }
}

function openEngine(backend: EngineBackend, memory: GuestMemory): Result<Engine, string> {
  const engine = backend.open();
  if (!engine.ok) return fail(engine.error.message);
  const mapped = memory.mapInto(engine.value, false);
  if (!mapped.ok) return fail(mapped.error.message);
  engine.value.setUp(0, 0);
  return ok(engine.value);
}

/** The pages of all pieces. Adjacent and overlapping ranges are joined. */
function pageRanges(program: Program): { low: Address; high: Address }[] {
  const ranges: { low: Address; high: Address }[] = [];
  for (const { address, data } of program.pieces) {
    if (data.length === 0) continue;
    const low = Math.floor(address / PAGE_SIZE) * PAGE_SIZE;
    const high = Math.ceil((address + data.length) / PAGE_SIZE) * PAGE_SIZE;
    const last = ranges.at(-1);
    if (last !== undefined && low <= last.high) last.high = Math.max(last.high, high);
    else ranges.push({ low, high });
  }
  return ranges;
}

/** ADD or SUB (extended register) to SP, which makes a frame whose size is only known at run time. */
function isVariableSp(word: number): boolean {
  return (word & 0xbfe0001f) >>> 0 === 0x8b20001f && (word & 0x20000000) === 0;
}

/** Execute XPACI or XPACD, which strip any register (Arm ARM C6.2). @returns false if it is neither */
function pauthData(word: number, registers: RegisterFile): boolean {
  if ((word & 0xfffffbe0) >>> 0 !== 0xdac143e0) return false;
  const rd = word & 31;
  if (rd === 31) return true;
  registers.words[2 * rd + 1] = stripHighWord(registers.words[2 * rd + 1] as number);
  return true;
}
