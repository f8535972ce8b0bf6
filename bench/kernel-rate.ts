/**
 * A real kernel: how long it takes to load, and the points per second of one worker, with the model
 * and with the kernel's own unwinder.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describeElfError } from '../elf/error.js';
import { loadElf } from '../elf/image.js';
import type { ElfSection } from '../elf/sections.js';
import type { EngineBackend } from '../emulator/engine.js';
import { kernelTargets } from '../targets/kernel-target.js';
import { packagePath } from '../base/package-path.js';
import { loadVmlinux, type VmlinuxSource } from '../kernel-model/vmlinux/load.js';
import type { PolicyName } from '../unwinder/policy.js';
import { RuleTable } from '../unwinder/rule-table.js';
import { decodeSFrame } from '../unwinder/sframe/decode.js';
import { formatSFrameError } from '../unwinder/sframe/error.js';
import type { SFrameSection } from '../unwinder/sframe/section.js';
import { median, Stopwatch } from './rounds.js';
import { measureSweep, type SweepRate, Workloads } from './sweep-rate.js';

const KERNEL = '../shared/kernels/vmlinux-7.3-rc7-leaf.gz';
/**
 * Environment variable with the path of another vmlinux, whose loading is measured, too: a large
 * one, with DWARF.
 */
const LARGE = 'KUNWIND_BENCH_VMLINUX';
const LOADS = 5;
const ROUNDS = 3;

/** The cost of loading a vmlinux. */
export interface LoadCost {
  /** Size of the plain file, in bytes. */
  readonly size: number;
  /** Median seconds from opening the file to a kernel image whose offsets and roles are known. */
  readonly seconds: number;
  /** Growth of the memory in buffers, in bytes. */
  readonly bytes: number;
}

/** What was measured, or why nothing was. */
export type KernelOutcome =
  | { readonly kind: 'skipped'; readonly why: string }
  | {
      readonly kind: 'measured';
      readonly load: LoadCost;
      /** The cost for the user's own large file. */
      readonly large: LoadCost | undefined;
      /** Median seconds from the bytes of its .sframe to a table of rules that can be searched. */
      readonly sframeSeconds: number;
      readonly model: SweepRate;
      readonly kernel: SweepRate;
    };

/** Measure with one policy, on the routines of arch/arm64/lib. */
export async function measureKernel(
  backend: EngineBackend,
  policies: readonly PolicyName[],
): Promise<KernelOutcome> {
  const packed = packagePath(KERNEL);
  if (!existsSync(packed)) return { kind: 'skipped', why: `there is no ${KERNEL}` };
  const folder = mkdtempSync(join(tmpdir(), 'kunwind-bench-'));
  try {
    const path = join(folder, 'vmlinux');
    writeFileSync(path, gunzipSync(readFileSync(packed)));
    return await measure(backend, policies, { file: 'vmlinux', path });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function measure(
  backend: EngineBackend,
  policies: readonly PolicyName[],
  source: VmlinuxSource,
): Promise<KernelOutcome> {
  const load = measureLoad(source);
  const path = process.env[LARGE];
  const large = path === undefined ? undefined : measureLoad({ file: path, path: resolve(path) });
  const image = loadElf(source.path);
  if (!image.ok) throw new Error(describeElfError(image.error));
  const decodes = secondsOf(() => {
    new RuleTable(image.value.sframe.map(decode));
  });
  const made = kernelTargets({ source, functions: [] });
  if (!made.ok) throw new Error(made.error);
  const workloads = new Workloads(backend);
  const workload = await workloads.depth1('arch/arm64/lib', made.value.targets);
  const rate = (unwinder: 'model' | 'kernel'): Promise<SweepRate> => {
    const units = workload.units.map(({ runner, request }) => ({
      runner,
      request: { ...request, unwinder },
    }));
    return measureSweep({ ...workload, units }, policies, ROUNDS);
  };
  const model = await rate('model');
  const kernel = await rate('kernel');
  workloads.close();
  return {
    kind: 'measured',
    load,
    large,
    sframeSeconds: median(decodes),
    model,
    kernel,
  };
}

function measureLoad(source: VmlinuxSource): LoadCost {
  let bytes = 0;
  const seconds = secondsOf(() => {
    const before = process.memoryUsage().arrayBuffers;
    const loaded = loadVmlinux(source);
    if (!loaded.ok) throw new Error(loaded.error);
    bytes = Math.max(bytes, process.memoryUsage().arrayBuffers - before);
  });
  return { size: statSync(source.path).size, seconds: median(seconds), bytes };
}

function secondsOf(work: () => void): number[] {
  return Array.from({ length: LOADS }, () => {
    const watch = new Stopwatch();
    work();
    return watch.seconds();
  });
}

function decode({ data, address }: ElfSection): SFrameSection {
  const section = decodeSFrame(data, address);
  if (!section.ok) throw new Error(formatSFrameError(section.error));
  return section.value;
}
