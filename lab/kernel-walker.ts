/**
 * Walks with the kernel image's own unwinder: calls arch_stack_walk_reliable() and arch_stack_walk() on
 * the emulated CPU, at the walk request and on the stack in use there.
 *
 * The guest's code reads guest memory directly. So a stray read is noticed only where nothing is mapped.
 * If it hits another stack, or data, then only the entries that it leads to can show it.
 */
import type { Address } from '../base/address.js';
import { Reg, type RegisterFile } from '../emulator/registers.js';
import type { ExceptionDriver } from '../kernel-model/exception-driver.js';
import type { Machine } from '../kernel-model/machine.js';
import { CallStatus, WalkCall } from '../kernel-model/walk-call.js';
import type { WalkStub } from '../kernel-model/walk-stub.js';
import type { WalkMode } from '../unwinder/kunwind.js';
import { POLICIES } from '../unwinder/policies/all.js';
import type { Policy, PolicyName } from '../unwinder/policy.js';
import {
  FAULT_LOOPED,
  FAULT_STOPPED,
  KERNEL_ERROR,
  LOOPED,
  TRACE_FULL,
  WARN_KERNEL,
} from '../unwinder/walk-reason.js';
import { MAX_ENTRIES, type WalkResult } from '../unwinder/walk-result.js';
import type { StackWalker } from './stack-walker.js';

/** Values of kunwind_variant: in any kernel that has the variable, and in our guest kernels. */
const KERNEL_VARIANTS: Partial<Record<PolicyName, number>> = {
  'frame-pointer': 0,
  'sframe-v5': 5,
  'sframe-v6': 6,
  'sframe-strict': 7,
};
const GUEST_VARIANTS: Partial<Record<PolicyName, number>> = {
  ...KERNEL_VARIANTS,
  'fgraph-detect': 8,
  'fgraph-recover': 9,
};
/** A kernel without the variable has a single unwinder, which is compared with any policy. */
const ONE_UNWINDER = Object.fromEntries(Object.keys(POLICIES).map((name) => [name, 0])) as Partial<
  Record<PolicyName, number>
>;

/** The functions that make a reliable and a best-effort walk. */
const WALK_FUNCTIONS = ['arch_stack_walk_reliable', 'arch_stack_walk'] as const;

/** Entries after which a walk counts as looping, which is the model's bound on steps. */
const MAX_TRACED = 17_408;
/**
 * Bytes of struct sframe_section, and how many of them the guest has room for
 * (kernel-model/guest/include/unwind.h).
 */
const SECTION_SIZE = 16;
const MAX_SECTIONS = 8;

/** What a kernel's own unwinder can do. */
export interface OwnUnwinder {
  readonly policies: readonly PolicyName[];
  /** There is a single unwinder. Which policy it follows, only the one who built it knows. */
  readonly single: boolean;
}

/** A kernel's own unwinder, or undefined if it has none that can be called. */
export function ownUnwinder(
  symbol: (name: string) => Address | undefined,
): OwnUnwinder | undefined {
  if (WALK_FUNCTIONS.some((name) => symbol(name) === undefined)) return undefined;
  return {
    policies: Object.keys(variantsOf(symbol)) as PolicyName[],
    single: symbol('kunwind_variant') === undefined,
  };
}

function variantsOf(
  symbol: (name: string) => Address | undefined,
): Partial<Record<PolicyName, number>> {
  if (symbol('kunwind_variant') === undefined) return ONE_UNWINDER;
  return symbol('kw_sframe_sections') === undefined ? KERNEL_VARIANTS : GUEST_VARIANTS;
}

/** The bytes of guest memory between two symbols; empty if the kernel lacks them. */
function bytesBetween({ kernel, memory }: Machine, start: string, end: string): Uint8Array {
  const [from, to] = [kernel.symbol(start) ?? NaN, kernel.symbol(end) ?? NaN];
  const region = memory.regionAt(from);
  return region?.bytes.subarray(from - region.low, to - region.low) ?? new Uint8Array(0);
}

/** The unwinder of one machine's kernel. */
export class KernelWalker implements StackWalker {
  private readonly call: WalkCall;
  private readonly variants: Partial<Record<PolicyName, number>>;
  private readonly variantAt: Address | undefined;
  /** Start and end of each SFrame section besides the kernel's own. */
  private readonly sections: readonly Address[];
  private readonly sectionsAt: Address | undefined;
  /** The flags of WARN_ONCE() that say it has warned (.data..once); empty for a kernel without. */
  private readonly once: Uint8Array;
  private task: Address = 0;

  private constructor(
    private readonly machine: Machine,
    private readonly driver: ExceptionDriver,
    stub: WalkStub,
    private readonly reliable: Address,
    private readonly bestEffort: Address,
  ) {
    const { kernel, memory } = machine;
    const symbol = (name: string): Address | undefined => kernel.symbol(name);
    this.call = new WalkCall(machine, stub);
    this.variants = variantsOf(symbol);
    this.variantAt = symbol('kunwind_variant');
    this.sectionsAt = symbol('kw_sframe_sections');
    this.once = bytesBetween(machine, '__start_once', '__end_once');
    this.sections = machine.images
      .flatMap(({ sframe }) => sframe)
      .filter(({ address }) => memory.regionAt(address) !== undefined)
      .slice(0, MAX_SECTIONS)
      .flatMap(({ address, data }) => [address, address + data.length]);
  }

  /** The walker, or undefined for a kernel without these functions. */
  static create(
    machine: Machine,
    driver: ExceptionDriver,
    stub: WalkStub,
  ): KernelWalker | undefined {
    const [reliable, bestEffort] = WALK_FUNCTIONS.map((name) => machine.kernel.symbol(name));
    if (reliable === undefined || bestEffort === undefined) return undefined;
    return new KernelWalker(machine, driver, stub, reliable, bestEffort);
  }

  supports(policy: Policy): boolean {
    return this.variants[policy.name] !== undefined;
  }

  prepare(request: RegisterFile): Address | undefined {
    const { memory } = this.machine;
    const { sections, sectionsAt } = this;
    this.task = request.get(Reg.X0);
    // Register the sections as a module loader would. A reset of the machine has undone that.
    if (sectionsAt !== undefined) {
      for (let i = 0; i < sections.length; i++) {
        memory.writeAddress(sectionsAt + (i * SECTION_SIZE) / 2, sections[i] as number);
      }
    }
    this.call.begin(this.driver);
    return this.task;
  }

  walk(policy: Policy, mode: WalkMode, out: WalkResult): void {
    const { call, variantAt } = this;
    const reliable = mode === 'reliable';
    // As clear_warn_once does. Otherwise only the first point would be seen to warn.
    this.once.fill(0);
    if (variantAt !== undefined) {
      this.machine.memory.writeWord(variantAt, this.variants[policy.name] ?? 0);
    }
    const fn = reliable ? this.reliable : this.bestEffort;
    const status = call.call(fn, this.task, 0, MAX_TRACED);
    const { seen } = call;
    out.count = Math.min(seen, MAX_ENTRIES);
    call.copyEntries(out.entries, out.count);
    out.end = 0;
    out.error = 0;
    out.errno = 0;
    out.failedAt = 0;
    out.mark = 0;
    out.warned = call.warns === 0 ? 0 : WARN_KERNEL;
    out.warnedAt = call.warns === 0 ? 0 : call.warnedAt;
    if (seen >= MAX_TRACED || status === CallStatus.RUNAWAY) {
      out.fault = FAULT_LOOPED;
      out.status = LOOPED;
      return;
    }
    out.fault = status === CallStatus.RETURNED ? 0 : FAULT_STOPPED;
    if (seen > MAX_ENTRIES) out.status = TRACE_FULL;
    // arch_stack_walk() returns nothing, so it never says that it stopped early.
    else if (reliable && call.result !== 0) {
      out.status = KERNEL_ERROR;
      // A call that was broken off has returned nothing.
      if (out.fault === 0) out.errno = call.result;
    } else out.status = 0;
  }

  /**
   * Find out where the error of the last walk comes from, by repeating it step by step: some
   * milliseconds. @param out what {@link walk} has filled; its `failedAt` is set where that can be told
   */
  findOrigin(out: WalkResult): void {
    if (out.errno !== 0) out.failedAt = this.call.originOfError() ?? 0;
  }

  finish(): void {
    this.call.end();
  }
}
