/**
 * The guest kernel and the machines built with it. A machine is made once per ELF under test and
 * reset between scenarios; only the last one is kept, so a worker's memory does not grow.
 */
import { describeElfError, type ElfError } from '../emulator/elf-error.js';
import { type ElfImage, loadElf } from '../emulator/elf-image.js';
import type { EngineBackend } from '../emulator/engine.js';
import { fail, ok, type Result } from '../emulator/result.js';
import { ExceptionDriver } from '../kernel-model/exception-driver.js';
import { type KernelImage, resolveKernel } from '../kernel-model/kernel-image.js';
import { describeMachineError, Machine } from '../kernel-model/machine.js';
import { KernelStacks } from '../kernel-model/stacks.js';
import type { UnwindDefect } from '../unwinder/walk-defect.js';
import { FunctionIndex } from './function-index.js';
import { loadImage } from './image-target.js';
import { buildRules, KernelWalker } from './kernel-walker.js';
import { packagePath } from './package-path.js';
import type { SweepParts } from './scenario-sweep.js';
import { Judge } from './verdict.js';

/** Why there is nothing to sweep with: one line for the user. */
export interface LabError {
  readonly kind: 'elf' | 'kernel' | 'machine' | 'sframe';
  readonly message: string;
}

/** Changes made to what is loaded, for the test that the harness can fail. */
export interface LabDefects {
  readonly unwinder?: UnwindDefect;
  /** Called with each image before a machine is built. */
  readonly image?: (image: ElfImage) => ElfImage;
}

/** The built-in guest kernel's ELF. */
export const GUEST_KERNEL = 'kernel-model/guest/vmlinux';

/** Builds and keeps machines. */
export class Lab {
  private parts: SweepParts | undefined;
  private loadedElf: string | undefined;

  private constructor(
    private readonly backend: EngineBackend,
    readonly kernel: KernelImage,
    private readonly defects: LabDefects,
  ) {}

  /** Load the guest kernel. */
  static create(backend: EngineBackend, defects: LabDefects = {}): Result<Lab, LabError> {
    const elf = loadElf(packagePath(GUEST_KERNEL));
    if (!elf.ok) return elfError(elf.error);
    const kernel = resolveKernel(defects.image?.(elf.value) ?? elf.value);
    if (!kernel.ok) {
      const { path, names } = kernel.error;
      const message = `${path}: symbols missing: ${names.join(', ')}`;
      return fail({ kind: 'kernel', message });
    }
    return ok(new Lab(backend, kernel.value, defects));
  }

  /** The machine with an ELF beside the kernel (or with the kernel alone). */
  machineFor(elfPath: string | undefined): Result<SweepParts, LabError> {
    if (this.parts !== undefined && this.loadedElf === elfPath) return ok(this.parts);
    this.close();
    const images: ElfImage[] = [];
    if (elfPath !== undefined) {
      const elf = loadImage(elfPath);
      if (!elf.ok) return elfError(elf.error);
      images.push(this.defects.image?.(elf.value) ?? elf.value);
    }
    const rules = buildRules([this.kernel.elf, ...images]);
    if (!rules.ok) {
      return fail({ kind: 'sframe', message: `${rules.error.path}: ${rules.error.message}` });
    }
    const machine = Machine.create(this.backend, this.kernel, images);
    if (!machine.ok) {
      return fail({ kind: 'machine', message: describeMachineError(machine.error) });
    }
    const { initTask } = this.kernel.roles;
    const stacks = KernelStacks.create(this.kernel, machine.value.memory, initTask);
    if (!stacks.ok) {
      return fail({ kind: 'kernel', message: `no stack at ${stacks.error.at}` });
    }
    this.parts = {
      machine: machine.value,
      stacks: stacks.value,
      rules: rules.value,
      driver: new ExceptionDriver(machine.value, stacks.value),
      walker: new KernelWalker(machine.value, stacks.value, rules.value, this.defects.unwinder),
      judge: new Judge(this.kernel.trampolines),
      functions: new FunctionIndex(machine.value),
    };
    this.loadedElf = elfPath;
    return ok(this.parts);
  }

  /** Free the engines. The lab can be used again. */
  close(): void {
    this.parts?.machine.close();
    this.parts = undefined;
    this.loadedElf = undefined;
  }
}

function elfError(error: ElfError): Result<never, LabError> {
  return fail({ kind: 'elf', message: describeElfError(error) });
}
