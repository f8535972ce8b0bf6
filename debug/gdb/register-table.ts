/**
 * The registers that gdb sees, in the order of `g` packets, and the target description that names
 * them (GDB manual, appendix G.5.1 "AArch64 Features"). One feature is not standard: it holds the
 * EL1 system registers that exception entry and return use.
 */
import XMLBuilder from 'fast-xml-builder';
import { PAC_HIGH_MASK } from '../../emulator/pointer-auth.js';
import { Reg, type SystemRegister } from '../../emulator/registers.js';
import type { GdbTarget } from './target.js';

/** Where the value of a gdb register comes from. */
export type RegisterSource =
  | { readonly kind: 'file'; readonly index: number }
  | { readonly kind: 'vector'; readonly index: number }
  | { readonly kind: 'system'; readonly name: SystemRegister }
  /** Which bits of a signed pointer are its PAC. */
  | { readonly kind: 'pac-mask' };

/** One gdb register. */
export interface GdbRegister {
  readonly name: string;
  /** Bytes in a packet. */
  readonly size: number;
  /** Its type in the target description. */
  readonly type: string;
  readonly source: RegisterSource;
}

/** gdb's number for the PC, which is sent with every stop. */
export const PC_NUMBER = Reg.PC;

const range = <T>(count: number, make: (i: number) => T): T[] =>
  Array.from({ length: count }, (_, i) => make(i));

function fromFile(name: string, index: number, type = 'int', size = 8): GdbRegister {
  return { name, size, type, source: { kind: 'file', index } };
}

const CORE: readonly GdbRegister[] = [
  ...range(31, (i) => fromFile(`x${i}`, i)),
  fromFile('sp', Reg.SP, 'data_ptr'),
  fromFile('pc', Reg.PC, 'code_ptr'),
  fromFile('cpsr', Reg.PSTATE, 'cpsr_flags', 4),
];

const FPU: readonly GdbRegister[] = [
  ...range(32, (i): GdbRegister => {
    return { name: `v${i}`, size: 16, type: 'aarch64v', source: { kind: 'vector', index: i } };
  }),
  { name: 'fpsr', size: 4, type: 'int', source: { kind: 'system', name: 'fpsr' } },
  { name: 'fpcr', size: 4, type: 'int', source: { kind: 'system', name: 'fpcr' } },
];

const SYSTEM: readonly GdbRegister[] = [
  fromFile('SP_EL0', Reg.SP_EL0, 'data_ptr'),
  fromFile('ELR_EL1', Reg.ELR_EL1, 'code_ptr'),
  fromFile('SPSR_EL1', Reg.SPSR_EL1),
  fromFile('ESR_EL1', Reg.ESR_EL1),
  { name: 'VBAR_EL1', size: 8, type: 'code_ptr', source: { kind: 'system', name: 'vbar_el1' } },
];

/** An unwinder, in this package, for a gdb that cannot strip the PAC from a kernel address. */
export const SIGNED_FRAMES = 'debug/gdb/signed-frames.py';

/**
 * The mask that gdb strips from a signed address, for data and code pointers in either half of the
 * address space (GDB manual, G.5.1). The older feature without `_v2` is not offered: gdb up to 13,
 * which knows only that one, clears the masked bits even where bit 55 is set. {@link SIGNED_FRAMES}
 * serves such a gdb.
 */
const PAUTH: readonly GdbRegister[] = ['dmask', 'cmask', 'dmask_high', 'cmask_high'].map((name) => {
  return { name: `pauth_${name}`, size: 8, type: 'int', source: { kind: 'pac-mask' } };
});

/** All registers, by gdb's number. */
export const GDB_REGISTERS: readonly GdbRegister[] = [...CORE, ...FPU, ...SYSTEM, ...PAUTH];

/** Bytes of all registers. */
export const ALL_REGISTER_BYTES = GDB_REGISTERS.reduce((sum, { size }) => sum + size, 0);

const scratch = new Uint8Array(16);
const scratchWords = new Uint32Array(scratch.buffer);

/** The bytes of a register as gdb expects them, valid until the next call. */
export function readGdbRegister(target: GdbTarget, { source, size }: GdbRegister): Uint8Array {
  switch (source.kind) {
    case 'vector':
      target.readVector(source.index, scratch);
      break;
    case 'system':
      target.readSystem(source.name, scratchWords);
      break;
    case 'file': {
      const { words } = target.registers;
      scratchWords[0] = words[2 * source.index] as number;
      scratchWords[1] = words[2 * source.index + 1] as number;
      break;
    }
    case 'pac-mask':
      scratchWords[0] = 0;
      scratchWords[1] = PAC_HIGH_MASK;
      break;
  }
  return scratch.subarray(0, size);
}

/** Store a register. @param bytes as many as its size. @returns false when it cannot be changed */
export function writeGdbRegister(
  target: GdbTarget,
  { source }: GdbRegister,
  bytes: Uint8Array,
): boolean {
  scratch.fill(0);
  scratch.set(bytes);
  const [low = 0, high = 0] = scratchWords;
  switch (source.kind) {
    case 'vector':
      return target.writeVector(source.index, scratch);
    case 'file':
      return target.writeRegister(source.index, low, high);
    case 'system':
      return target.writeSystem(source.name, low, high);
    case 'pac-mask':
      return false;
  }
}

const attribute = (name: string): string => `@_${name}`;

function registerElement({ name, size, type }: GdbRegister): Record<string, string> {
  return {
    [attribute('name')]: name,
    [attribute('bitsize')]: String(8 * size),
    [attribute('type')]: type,
  };
}

function field(name: string, start: number, end = start): Record<string, string> {
  return {
    [attribute('name')]: name,
    [attribute('start')]: String(start),
    [attribute('end')]: String(end),
  };
}

/** PSTATE as SPSR_EL1 lays it out (Arm ARM C5.2.19). */
const PSTATE_FLAGS = {
  [attribute('id')]: 'cpsr_flags',
  [attribute('size')]: '4',
  field: [
    ...[field('M', 0, 3), field('F', 6), field('I', 7), field('A', 8), field('D', 9)],
    ...[field('IL', 20), field('SS', 21), field('V', 28), field('C', 29), field('Z', 30)],
    field('N', 31),
  ],
};

function vector(id: string, type: string, count: number): Record<string, string> {
  return { [attribute('id')]: id, [attribute('type')]: type, [attribute('count')]: String(count) };
}

/** The views of a SIMD register: name, element type, number of elements. */
const VIEWS: readonly (readonly [name: string, type: string, count: number])[] = [
  ['d', 'uint64', 2],
  ['s', 'uint32', 4],
  ['h', 'uint16', 8],
  ['b', 'uint8', 16],
];

function feature(name: string, content: Record<string, unknown>): Record<string, unknown> {
  return { [attribute('name')]: name, ...content };
}

/** The target description, `target.xml`. */
export function targetDescription(): string {
  const builder = new XMLBuilder({
    ignoreAttributes: false,
    attributeNamePrefix: attribute(''),
    suppressEmptyNode: true,
    format: true,
  });
  const text = builder.build({
    target: {
      [attribute('version')]: '1.0',
      architecture: 'aarch64',
      feature: [
        feature('org.gnu.gdb.aarch64.core', {
          flags: PSTATE_FLAGS,
          reg: CORE.map(registerElement),
        }),
        feature('org.gnu.gdb.aarch64.fpu', {
          vector: VIEWS.map(([name, type, count]) => vector(`v16${name}`, type, count)),
          union: {
            [attribute('id')]: 'aarch64v',
            field: VIEWS.map(([name]) => {
              return { [attribute('name')]: name, [attribute('type')]: `v16${name}` };
            }),
          },
          reg: FPU.map(registerElement),
        }),
        feature('org.kunwind-lab.aarch64.el1', {
          reg: SYSTEM.map(registerElement),
        }),
        feature('org.gnu.gdb.aarch64.pauth_v2', {
          reg: PAUTH.map(registerElement),
        }),
      ],
    },
  });
  return `<?xml version="1.0"?>\n<!DOCTYPE target SYSTEM "gdb-target.dtd">\n${text.trimEnd()}\n`;
}
