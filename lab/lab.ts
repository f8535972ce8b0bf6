/**
 * Builds machines from a kernel and an ELF under test. A machine is reset between scenarios, not built
 * again. Only the last machine is kept, so that a worker's memory does not grow.
 */
import { describeElfError, type ElfError } from '../elf/error.js';
import { type ElfImage, loadElf } from '../elf/image.js';
import type { EngineBackend } from '../emulator/engine.js';
import { fail, ok, type Result } from '../base/result.js';
import { ExceptionDriver } from '../kernel-model/exception-driver.js';
import { type KernelImage, resolveKernel } from '../kernel-model/kernel-image.js';
import { describeMachineError, Machine } from '../kernel-model/machine.js';
import { KernelStacks } from '../kernel-model/stacks.js';
import type { GuestKernelName } from '../scenarios/scenario.js';
import { FunctionIndex } from './function-index.js';
import { KernelWalker } from './kernel-walker.js';
import { loadImage } from './image.js';
import { ModelWalker } from './model-walker.js';
import { buildRules } from './rules.js';
import { packagePath } from '../base/package-path.js';
import type { LabParts } from './lab-parts.js';
import { loadStub } from '../kernel-model/stub.js';
import { Judge } from './judge.js';
import { loadVmlinux, type VmlinuxSource } from '../kernel-model/vmlinux/load.js';

/** Why a machine cannot be built, in one line for the user. */
export interface LabError {
  readonly kind: 'elf' | 'kernel' | 'machine' | 'sframe';
  readonly message: string;
}

/** Path of the built-in guest kernel in the package. */
export const GUEST_KERNEL = 'kernel-model/guest/vmlinux';
/** Paths of all guest kernels in the package. */
const GUEST_KERNELS: Readonly<Record<GuestKernelName, string>> = {
  linux: GUEST_KERNEL,
  'fgraph-recover': 'kernel-model/guest/vmlinux-recover',
};

/** Builds and keeps machines. */
export class Lab {
  private parts: LabParts | undefined;
  private loadedElf: string | undefined;
  private loadedKernel = 'linux';
  private readonly kernels = new Map<string, KernelImage>();

  private constructor(
    private readonly backend: EngineBackend,
    readonly kernel: KernelImage,
  ) {
    this.kernels.set('linux', kernel);
  }

  /** Load the guest kernel. */
  static create(backend: EngineBackend): Result<Lab, LabError> {
    const kernel = loadKernel('linux');
    return kernel.ok ? ok(new Lab(backend, kernel.value)) : kernel;
  }

  /** A kernel, which is loaded once. */
  private kernelNamed(
    name: GuestKernelName,
    vmlinux: VmlinuxSource | undefined,
  ): Result<KernelImage, LabError> {
    const key = kernelKey(name, vmlinux);
    const known = this.kernels.get(key);
    if (known !== undefined) return ok(known);
    const kernel = vmlinux === undefined ? loadKernel(name) : realKernel(vmlinux);
    if (kernel.ok) this.kernels.set(key, kernel.value);
    return kernel;
  }

  /**
   * The machine for an ELF and a kernel.
   * @param elfPath the ELF under test; undefined for the kernel alone
   * @param vmlinux a real kernel to run instead of the guest kernel
   */
  machineFor(
    elfPath: string | undefined,
    kernelName: GuestKernelName = 'linux',
    vmlinux?: VmlinuxSource,
  ): Result<LabParts, LabError> {
    const key = kernelKey(kernelName, vmlinux);
    const same = this.loadedElf === elfPath && this.loadedKernel === key;
    if (this.parts !== undefined && same) return ok(this.parts);
    this.close();
    const named = this.kernelNamed(kernelName, vmlinux);
    if (!named.ok) return named;
    const kernel = named.value;
    const images: ElfImage[] = [];
    const stub = loadStub();
    if (!stub.ok) return fail({ kind: 'kernel', message: stub.error });
    images.push(stub.value.elf);
    if (elfPath !== undefined) {
      const elf = loadImage(elfPath);
      if (!elf.ok) return elfError(elf.error);
      images.push(elf.value);
    }
    const rules = buildRules([kernel.elf, ...images]);
    if (!rules.ok) {
      return fail({ kind: 'sframe', message: `${rules.error.path}: ${rules.error.message}` });
    }
    const machine = Machine.create(this.backend, kernel, images);
    if (!machine.ok) {
      return fail({ kind: 'machine', message: describeMachineError(machine.error) });
    }
    const { initTask } = kernel.roles;
    const stacks = KernelStacks.create(kernel, machine.value.memory, initTask);
    if (!stacks.ok) {
      return fail({ kind: 'kernel', message: `no stack at ${stacks.error.at}` });
    }
    const driver = new ExceptionDriver(machine.value, stacks.value);
    this.parts = {
      machine: machine.value,
      stacks: stacks.value,
      rules: rules.value,
      driver,
      model: new ModelWalker(machine.value, stacks.value, rules.value),
      kernelUnwinder: KernelWalker.create(machine.value, driver, stub.value.stub),
      judge: new Judge(kernel.trampolines),
      functions: new FunctionIndex(machine.value),
    };
    this.loadedElf = elfPath;
    this.loadedKernel = key;
    return ok(this.parts);
  }

  /** Free the engines. The lab can be used again. */
  close(): void {
    this.parts?.machine.close();
    this.parts = undefined;
    this.loadedElf = undefined;
  }
}

function kernelKey(name: GuestKernelName, vmlinux: VmlinuxSource | undefined): string {
  return vmlinux === undefined ? name : JSON.stringify([vmlinux.path, vmlinux.offsets]);
}

function realKernel(vmlinux: VmlinuxSource): Result<KernelImage, LabError> {
  const kernel = loadVmlinux(vmlinux);
  return kernel.ok ? kernel : fail({ kind: 'kernel', message: kernel.error });
}

function loadKernel(name: GuestKernelName): Result<KernelImage, LabError> {
  const elf = loadElf(packagePath(GUEST_KERNELS[name]));
  if (!elf.ok) return elfError(elf.error);
  const kernel = resolveKernel(elf.value);
  if (kernel.ok) return kernel;
  const { path, names } = kernel.error;
  return fail({ kind: 'kernel', message: `${path}: symbols missing: ${names.join(', ')}` });
}

function elfError(error: ElfError): Result<never, LabError> {
  return fail({ kind: 'elf', message: describeElfError(error) });
}
