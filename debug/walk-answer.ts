/**
 * Answers a scenario's own walk requests, as the kernel's arch_stack_walk_reliable would: the guest
 * function returns what the host leaves in `walk_result`.
 */
import type { Machine } from '../kernel-model/machine.js';
import type { ModelWalker } from '../lab/model-walker.js';
import type { Policy } from '../unwinder/policy.js';
import { WalkResult } from '../unwinder/walk-result.js';

/** -EINVAL, what a walk that is not reliable returns. */
const EINVAL = -22;

/** One policy that answers. */
export class WalkAnswer {
  private readonly walk = new WalkResult();

  constructor(
    private readonly machine: Machine,
    private readonly model: ModelWalker,
    private readonly policy: Policy,
  ) {}

  /** To be called before each step: leaves an answer where the stepper is at a walk request. */
  beforeStep(): void {
    const { stepper, kernel, memory } = this.machine;
    if (stepper.pc !== kernel.roles.walkRequest) return;
    if (this.model.prepare(stepper.registers) === undefined) return;
    this.model.walk(this.policy, 'reliable', this.walk);
    const result = kernel.symbol('walk_result');
    if (result === undefined) return;
    memory.writeWord(result, (this.walk.status === 0 ? 0 : EINVAL) >>> 0);
  }
}
