/**
 * What a linked kernel shows without being run: the sizes of its stacks and of pt_regs, and the
 * words of init_task.
 */
import { immediate12, isSetFp, isSubSp } from '../../aarch64/encodings.js';
import type { Address } from '../../base/address.js';
import type { ElfImage } from '../../elf/image.js';
import type { LoadedSegment } from '../../elf/segments.js';
import type { ElfSymbol } from '../../elf/symbols.js';
import type { KernelCode } from './code-scan.js';
import { symbolsByName } from './image.js';
import type { InitTask } from './structure-offsets.js';

/** A kernel's symbols and loaded bytes. */
export class LinkedKernel implements KernelCode {
  readonly symbols: ReadonlyMap<string, ElfSymbol>;

  constructor(
    readonly elf: ElfImage,
    private readonly loaded: readonly LoadedSegment[],
  ) {
    this.symbols = symbolsByName(elf);
  }

  /** The address of a symbol; undefined when the kernel lacks it. */
  at(name: string): Address | undefined {
    return this.symbols.get(name)?.address;
  }

  has(name: string): boolean {
    return this.symbols.has(name);
  }

  /** Loaded bytes; undefined where they are not all in one segment. */
  view(address: Address, bytes: number): DataView | undefined {
    for (const { address: low, data } of this.loaded) {
      const offset = address - low;
      if (offset < 0 || offset + bytes > data.length) continue;
      return new DataView(data.buffer, data.byteOffset + offset, bytes);
    }
    return undefined;
  }

  /** The instruction word at an address; 0 where there is none. */
  word(address: Address): number {
    return this.view(address, 4)?.getUint32(0, true) ?? 0;
  }

  /**
   * Bytes of init_task's stack, which is as large as that of any task. Undefined when no symbol
   * tells.
   */
  get threadSize(): number | undefined {
    const low = this.at('__start_init_stack') ?? this.at('init_stack');
    const high = this.at('__end_init_stack');
    if (low !== undefined && high !== undefined) return high - low;
    return this.symbols.get('init_stack')?.size || undefined;
  }

  /**
   * The doublewords of init_task and the address of its stack, which is NaN when no symbol tells.
   */
  initTask(): InitTask {
    const task = this.symbols.get('init_task');
    const stack = this.at('init_stack') ?? this.at('init_thread_union') ?? NaN;
    const words: Address[] = [];
    const count = Math.min(task?.size ?? 0, 1 << 16) >> 3;
    const view = task === undefined ? undefined : this.view(task.address, 8 * count);
    for (let i = 0; view !== undefined && i < count; i++) {
      words.push(Number(view.getBigInt64(8 * i, true)));
    }
    return { words, stack };
  }

  /**
   * Bytes of pt_regs: the immediate of `sub sp, sp, #imm`, the first instruction of the vector for
   * interrupts at EL1. Undefined when the vector does not start with it.
   */
  ptRegsSize(): number | undefined {
    const vector = (this.at('vectors') ?? NaN) + 0x280;
    for (let i = 0; i < 4; i++) {
      const word = this.word(vector + 4 * i);
      if (isSubSp(word)) return immediate12(word);
    }
    return undefined;
  }

  /**
   * Offset of the metadata record in pt_regs, in bytes: the immediate of `add x29, sp, #imm` in the
   * entry code. Undefined when there is no such instruction.
   */
  stackFrame(): number | undefined {
    const entry = this.symbols.get('el1h_64_irq');
    if (entry === undefined) return undefined;
    for (let at = 0; at < Math.max(entry.size, 160); at += 4) {
      const word = this.word(entry.address + at);
      if (isSetFp(word)) return immediate12(word);
    }
    return undefined;
  }
}
