/** What is built: the guest kernel, then every scenario family, and from which files. */
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

export const GUEST = 'kernel-model/guest';
export const KERNEL_ELF = `${GUEST}/vmlinux`;
/** The kernel with the reordered return path, and the families that are linked against it, too. */
export const RECOVER_ELF = `${GUEST}/vmlinux-recover`;
/** What is mapped beside any kernel image. */
export const STUB_ELF = `${GUEST}/stub/stub.elf`;
const RECOVER_FLAG = '-DFGRAPH_RECOVER';
const RECOVER_FAMILIES = ['fgraph', 'kretprobe', 'kunit'];
const SLOTS = `${GUEST}/build/slots.json`;
const SCENARIO_BASE = 0xffffa00082000000n;
const SCENARIO_SPACING = 0x100000n;

/** Flags for every file; C only; ld only. The kernel's own choices where unwinding depends on them. */
export const FLAGS = {
  all: ['-c', `-I${GUEST}/include`, '-march=armv8-a', '-Wa,--gsframe', '-g0'],
  c: [
    '-std=gnu11',
    '-O2',
    '-ffreestanding',
    '-fno-builtin',
    '-fno-omit-frame-pointer',
    '-fno-optimize-sibling-calls',
    '-fasynchronous-unwind-tables',
    '-mgeneral-regs-only',
    '-mbranch-protection=pac-ret+bti',
    '-mno-outline-atomics',
    '-mcmodel=small',
    '-fno-pic',
    '-fno-pie',
    '-fno-stack-protector',
    '-fno-stack-clash-protection',
    '-fno-strict-aliasing',
    '-fno-common',
    '-fno-ipa-sra',
    '-fno-ipa-cp',
    '-fno-ipa-icf',
    '-fno-reorder-blocks-and-partition',
    '-fno-tree-loop-distribute-patterns',
    '-Wall',
    '-Wextra',
    '-Werror',
  ],
  ld: [
    '-static',
    '-nostdlib',
    '--build-id=none',
    '--orphan-handling=error',
    '-z',
    'max-page-size=4096',
    '-z',
    'noexecstack',
    '-z',
    'norelro',
  ],
};

/**
 * @typedef {object} Target
 * @property {string} name `vmlinux` or the family
 * @property {string} elf path of the result; all paths are relative to the repository's root
 * @property {string[]} code files that are compiled
 * @property {string[]} sources every file that the result depends on
 * @property {string[]} flags for the compiler, besides those for every file
 * @property {string[]} ldFlags
 * @property {string} [kernel] ELF whose symbols it is linked against; absent for a kernel
 */

/** @param {string} root @param {string} folder @param {RegExp} pattern */
function filesIn(root, folder, pattern) {
  return readdirSync(join(root, folder))
    .filter((name) => pattern.test(name))
    .sort()
    .map((name) => `${folder}/${name}`);
}

/**
 * @param {string} root
 * @returns {Target[]} the kernels first: the scenarios are linked against their symbols
 */
export function findTargets(root) {
  const common = [
    ...filesIn(root, `${GUEST}/build`, /\.mjs$/),
    ...filesIn(root, `${GUEST}/include`, /\.h$/),
  ];
  const kernelScript = `${GUEST}/kernel/vmlinux.lds`;
  const scenarioScript = `${GUEST}/kernel/scenario.lds`;
  const kernelCode = filesIn(root, `${GUEST}/kernel`, /\.[cS]$/);
  const stubScript = `${GUEST}/stub/stub.lds`;
  const stubCode = filesIn(root, `${GUEST}/stub`, /\.S$/);
  /** @type {Target[]} */
  const targets = [
    {
      name: 'vmlinux',
      elf: KERNEL_ELF,
      code: kernelCode,
      sources: [...common, ...kernelCode, kernelScript].sort(),
      flags: [],
      ldFlags: ['-T', kernelScript],
    },
    {
      name: 'vmlinux-recover',
      elf: RECOVER_ELF,
      code: kernelCode,
      sources: [...common, ...kernelCode, kernelScript].sort(),
      flags: [RECOVER_FLAG],
      ldFlags: ['-T', kernelScript],
    },
    {
      name: 'stub',
      elf: STUB_ELF,
      code: stubCode,
      sources: [...common, ...stubCode, stubScript].sort(),
      flags: [],
      ldFlags: ['-T', stubScript],
    },
  ];
  const slots = JSON.parse(readFileSync(join(root, SLOTS), 'utf8'));
  for (const family of readdirSync(join(root, 'scenarios')).sort()) {
    const folder = `scenarios/${family}`;
    if (!existsSync(join(root, folder, '.')) || !/^[a-z0-9-]+$/.test(family)) continue;
    const code = filesIn(root, folder, /\.[cS]$/);
    if (code.length === 0) continue;
    const slot = slots[family];
    if (typeof slot !== 'number') {
      throw new Error(`${folder}: no address slot; add "${family}" to ${SLOTS}`);
    }
    const base = SCENARIO_BASE + BigInt(slot) * SCENARIO_SPACING;
    const target = {
      code,
      sources: [...common, ...code, ...filesIn(root, folder, /\.h$/), scenarioScript].sort(),
      ldFlags: ['-T', scenarioScript, `--defsym=KW_LINK_BASE=0x${base.toString(16)}`],
    };
    const elf = `${folder}/${family}.elf`;
    targets.push({ name: family, elf, flags: [], kernel: KERNEL_ELF, ...target });
    if (!RECOVER_FAMILIES.includes(family)) continue;
    targets.push({
      name: `${family}-recover`,
      elf: `${folder}/${family}-recover.elf`,
      flags: [RECOVER_FLAG],
      kernel: RECOVER_ELF,
      ...target,
    });
  }
  return targets;
}
