/**
 * Names of A64 instructions that are newer than the disassembler, from the Arm ARM (DDI 0487 M.a)
 * C6.2: FEAT_PAuth_LR, FEAT_CSSC, FEAT_LSE128, FEAT_LRCPC3, FEAT_GCS, FEAT_THE and FEAT_D128.
 */

/** What is printed after a mnemonic. */
type Operands = (word: number) => string;

const none: Operands = () => '';
/** Xn in bits 9:5, or Xm in bits 4:0. */
const x5: Operands = (word) => `x${(word >>> 5) & 31}`;
const x0: Operands = (word) => `x${word & 31}`;

/** Bits that must be equal, their value, the mnemonic and its operands. */
const RECENT: readonly (readonly [number, number, string, Operands])[] = [
  [0xffffffff, 0xdac1a3fe, 'paciasppc', none],
  [0xffffffff, 0xdac1a7fe, 'pacibsppc', none],
  [0xffffffff, 0xdac183fe, 'pacnbiasppc', none],
  [0xffffffff, 0xdac187fe, 'pacnbibsppc', none],
  [0xffe0001f, 0xf380001f, 'autiasppc', none],
  [0xffe0001f, 0xf3a0001f, 'autibsppc', none],
  [0xfffffc1f, 0xdac1901e, 'autiasppcr', x5],
  [0xfffffc1f, 0xdac1941e, 'autibsppcr', x5],
  [0xffe0001f, 0x5500001f, 'retaasppc', none],
  [0xffe0001f, 0x5520001f, 'retabsppc', none],
  [0xffffffe0, 0xd65f0be0, 'retaasppcr', x0],
  [0xffffffe0, 0xd65f0fe0, 'retabsppcr', x0],
  [0x7ffffc00, 0x5ac02000, 'abs', none],
  [0x7ffffc00, 0x5ac01c00, 'cnt', none],
  [0x7ffffc00, 0x5ac01800, 'ctz', none],
  [0x7fe0fc00, 0x1ac06000, 'smax', none],
  [0x7fe0fc00, 0x1ac06400, 'umax', none],
  [0x7fe0fc00, 0x1ac06800, 'smin', none],
  [0x7fe0fc00, 0x1ac06c00, 'umin', none],
  [0x7ffc0000, 0x11c00000, 'smax', none],
  [0x7ffc0000, 0x11c40000, 'umax', none],
  [0x7ffc0000, 0x11c80000, 'smin', none],
  [0x7ffc0000, 0x11cc0000, 'umin', none],
  [0xff20fc00, 0x19200800, 'rcwcas', none],
  [0xff20fc00, 0x19201000, 'ldclrp', none],
  [0xff20fc00, 0x19203000, 'ldsetp', none],
  [0xff20fc00, 0x19208000, 'swpp', none],
  [0xbfe0ec00, 0x99400800, 'ldiapp', none],
  [0xbfe0ec00, 0x99000800, 'stilp', none],
  [0xfffffc00, 0xd91f0c00, 'gcsstr', none],
  [0xfffffc00, 0xd91f1c00, 'gcssttr', none],
  [0xfff00000, 0xd5700000, 'mrrs', none],
  [0xfff00000, 0xd5500000, 'msrr', none],
  [0xfff80000, 0xd5480000, 'sysp', none],
];

/**
 * Mnemonic of a recent instruction, with operands where those are one register; undefined for any
 * other word.
 */
export function recentName(
  word: number,
): readonly [mnemonic: string, operands: string] | undefined {
  for (const [mask, value, mnemonic, operands] of RECENT) {
    if ((word & mask) >>> 0 === value) return [mnemonic, operands(word)];
  }
  return undefined;
}
