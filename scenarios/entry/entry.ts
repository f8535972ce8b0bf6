/**
 * The exception code itself. The interrupted code is trivial; at depth 2 a second exception comes
 * at every instruction of vector, entry, IRQ stack switch, handler and exit.
 */
import { requiredInside } from '../exception-code.js';
import { mergePromises } from '../promise-terms.js';
import { promisesFor } from '../promises.js';
import type { Scenario, ScenarioFamily } from '../scenario.js';
import { withPromises } from '../with-promises.js';

/**
 * @param instructions number of instructions of the function; every kind but IRQ can interrupt all
 * of them
 */
function entry(name: string, summary: string, fn: string, instructions: number): Scenario {
  return withPromises(
    {
      name: `entry/${name}`,
      summary,
      entry: fn,
      args: [{ number: 5 }],
      result: 6,
      depth: 2,
      topics: ['entry', 'irq-stack', ...(name === 'trivial' ? ['review'] : [])],
    },
    () => mergePromises(promisesFor({ framed: [], frameless: [fn] }), requiredInside(instructions)),
  );
}

/** Exception entry and exit. */
export const family: ScenarioFamily = {
  name: 'entry',
  summary: 'vectors, pt_regs being built, the IRQ stack, the return path: exceptions in exceptions',
  elf: 'entry.elf',
  scenarios: [
    entry(
      'trivial',
      'every kind during the handling of every kind: half-built pt_regs, CFI of call_on_irq_stack',
      'entry_trivial',
      3,
    ),
    entry(
      'irqs-off',
      'the same where IRQs are masked by priority: a pseudo-NMI takes the shorter path',
      'entry_irqs_off',
      8,
    ),
  ],
};
