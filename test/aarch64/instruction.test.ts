/** Instruction classes, against capstone's mnemonics over every word of real text. */
import createCapstone, { type Capstone } from '@alexaltea/capstone-js';
import { existsSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { loadElf } from '../../elf/image.js';
import { classify, InstructionClass, targetRegister } from '../../aarch64/instruction.js';
import { A64 } from '../assembled.js';
import { must } from '../cpu-fixture.js';
import { repositoryPath } from '../machine-fixture.js';

const CLASS_NAMES = Object.keys(InstructionClass);

/** The class that a mnemonic asks for (Arm ARM C6.2). */
function classOf(mnemonic: string, operands: string): keyof typeof InstructionClass {
  switch (mnemonic) {
    case 'bl':
    case 'ret':
    case 'eret':
    case 'brk':
    case 'svc':
    case 'hvc':
    case 'smc':
    case 'wfi':
      return mnemonic.toUpperCase() as keyof typeof InstructionClass;
    case 'msr':
      return /^sp_el0,/i.test(operands) ? 'MSR_SP_EL0' : 'OTHER';
    case 'retaa':
    case 'retab':
      return 'RET_AUTH';
    case 'eretaa':
    case 'eretab':
      return 'ERET';
    case 'xpaclri':
      return 'PAUTH_HINT';
  }
  if (/^blr(a[ab]z?)?$/.test(mnemonic)) return 'BLR';
  if (/^br(a[ab]z?)?$/.test(mnemonic)) return 'BR';
  if (/^(pac|aut)i[ab](1716|sp|z)$/.test(mnemonic)) return 'PAUTH_HINT';
  return 'OTHER';
}

let capstone: Capstone;
beforeAll(async () => {
  const module = await createCapstone();
  capstone = new module.Capstone(module.ARCH_ARM64, module.MODE_LITTLE_ENDIAN);
});

interface Comparison {
  /** Words of each class, by our count. */
  readonly counts: Readonly<Record<string, number>>;
  readonly differences: readonly string[];
}

/** Both answers for each different word: a class depends on the word alone. */
function compare(words: Iterable<number>): Comparison {
  const counts: Record<string, number> = {};
  const differences: string[] = [];
  const bytes = new Uint8Array(4);
  const view = new DataView(bytes.buffer);
  for (const word of new Set(words)) {
    const ours = CLASS_NAMES[classify(word)] ?? '?';
    counts[ours] = (counts[ours] ?? 0) + 1;
    view.setUint32(0, word, true);
    let text = '';
    let theirs = 'OTHER';
    try {
      const [decoded] = capstone.disasm(bytes, 0x1000);
      if (decoded !== undefined) {
        text = `${decoded.mnemonic} ${decoded.op_str}`;
        theirs = classOf(decoded.mnemonic, decoded.op_str);
      }
    } catch {
      // Unallocated.
    }
    // Hints that are PAC space without an instruction in it: NOPs, and the driver leaves them so.
    if (ours === 'PAUTH_HINT' && text.startsWith('hint')) theirs = ours;
    if (ours !== theirs) differences.push(`0x${word.toString(16)} ${text}: ${ours}, not ${theirs}`);
  }
  return { counts, differences };
}

function textWords(path: string): Uint32Array[] {
  const elf = must(loadElf(path));
  return elf.sections
    .filter(({ flags, type }) => (flags & 4) !== 0 && type === 1)
    .map(({ data }) => {
      const copy = data.slice(0, data.length & ~3);
      return new Uint32Array(copy.buffer, copy.byteOffset, copy.length >> 2);
    });
}

function* chain(parts: readonly Uint32Array[]): Generator<number> {
  for (const part of parts) yield* part;
}

describe('instruction classes', () => {
  it('agree with capstone on the assembled instructions', () => {
    const { counts, differences } = compare(Object.values(A64));
    expect(differences).toEqual([]);
    // Every class but BL is among them.
    expect(Object.keys(counts).sort()).toEqual(CLASS_NAMES.filter((name) => name !== 'BL').sort());
  });

  it('agree on every word of the guest kernel and of the scenarios', () => {
    const images = ['entry', 'fgraph', 'tasks', 'sdei', 'calls'].map((name) =>
      repositoryPath(`scenarios/${name}/${name}.elf`),
    );
    const paths = [repositoryPath('kernel-model/guest/vmlinux'), ...images];
    const { counts, differences } = compare(chain(paths.flatMap(textWords)));
    expect(differences).toEqual([]);
    for (const name of ['BL', 'BLR', 'RET', 'ERET', 'BRK', 'HVC', 'MSR_SP_EL0', 'PAUTH_HINT']) {
      expect(counts[name], name).toBeGreaterThan(0);
    }
  });

  const KERNEL = repositoryPath('../shared/kernels/vmlinux-7.3-rc7-leaf.gz');
  it.skipIf(!existsSync(KERNEL))('agree on every word of a real kernel', () => {
    const { counts, differences } = compare(chain(textWords(KERNEL)));
    expect(differences).toEqual([]);
    expect(counts['BL']).toBeGreaterThan(10_000);
    for (const name of ['BLR', 'BR', 'RET', 'ERET', 'BRK', 'HVC', 'SMC', 'MSR_SP_EL0', 'WFI']) {
      expect(counts[name], name).toBeGreaterThan(0);
    }
  });

  it('agree on the whole branch and hint spaces', () => {
    function* words(): Generator<number> {
      // Unconditional branch (register): all opc and op3 with op2 and op4 as allocated.
      for (let opc = 0; opc < 3; opc++) yield (0xd61f0000 | (opc << 21) | (3 << 5)) >>> 0;
      for (const op3 of [2, 3]) {
        for (const opc of [0, 1]) {
          yield (0xd61f001f | (opc << 21) | (op3 << 10) | (3 << 5)) >>> 0;
          yield (0xd61f0007 | ((opc + 8) << 21) | (op3 << 10) | (3 << 5)) >>> 0;
        }
        for (const opc of [2, 4]) yield (0xd61f03ff | (opc << 21) | (op3 << 10)) >>> 0;
      }
      // All 128 hints.
      for (let hint = 0; hint < 128; hint++) yield (0xd503201f | (hint << 5)) >>> 0;
      // MSR SP_EL0 from each register, and its neighbours.
      for (let rt = 0; rt < 32; rt++) {
        yield (0xd5184100 | rt) >>> 0;
        yield (0xd5384100 | rt) >>> 0;
        yield (0xd51c4100 | rt) >>> 0;
      }
      for (let imm = 0; imm < 0x10000; imm += 0x1111) {
        for (const op of [0xd4000001, 0xd4000002, 0xd4000003, 0xd4200000, 0xd4400000, 0xd4a00001]) {
          yield (op | (imm << 5)) >>> 0;
        }
      }
    }
    expect(compare(words()).differences).toEqual([]);
  });

  it('know the register of MSR', () => {
    expect(targetRegister(A64['msr sp_el0, xzr'])).toBe(31);
    for (let rt = 0; rt < 32; rt++) expect(targetRegister(A64['msr sp_el0, x0'] | rt)).toBe(rt);
  });
});
