/**
 * SDEI: the event's entry code pushes {interrupted x29, interrupted PC} as if that had been a call.
 * Nothing tells an unwinder that the interrupted function may not have pushed a record yet, or may
 * have popped it. Its caller, known to x30 alone, is then left out of a trace that is called
 * reliable by every policy that takes the record for that of a call. fgraph-detect and
 * fgraph-recover recognise the record, and refuse. An interrupt at the same instruction is exact
 * wherever SFrame is asked.
 */
import { requiredInside } from '../exception-code.js';
import {
  exact,
  mergePromises,
  seen,
  SFRAME_POLICIES,
  someExact,
  TRUSTING_SDEI,
  under,
} from '../promise-terms.js';
import { promisesFor, type CodeShape } from '../promises.js';
import type { Scenario, ScenarioFamily } from '../scenario.js';
import { withPromises } from '../with-promises.js';

const WHY = {
  hidden: 'the record that would name the caller is not complete, or x29 no longer points at it',
  linked: 'x29 points at the record, and the record names the caller',
  cfi: 'the same instruction interrupted through a vector: SFrame knows',
};

/**
 * A scenario whose entry function calls `fn`. At `without` instructions of `fn`, x29 does not point
 * at a record of `fn`; at `withRecord` instructions it does.
 * @param instructions as for requiredInside
 */
function sdei(
  name: string,
  summary: string,
  fn: string,
  result: number,
  [without, withRecord]: readonly [number, number],
  shape: CodeShape,
  instructions: number,
): Scenario {
  const at = { kinds: ['sdei'], in: [fn], depth: 1 } as const;
  const counted = () =>
    under(
      TRUSTING_SDEI,
      seen('missing', at, WHY.hidden, without),
      withRecord > 0 ? someExact({ ...at, atLeast: withRecord }, WHY.linked) : {},
    );
  const interrupts = () =>
    under(
      SFRAME_POLICIES.filter((policy) => policy !== 'sframe-v6'),
      exact({ kinds: ['irq', 'nmi', 'brk', 'serror'], depth: 1 }, WHY.cfi),
    );
  return withPromises(
    {
      name: `sdei/${name}`,
      summary,
      entry: `${fn}_entry`,
      args: [{ number: 5 }],
      result,
      depth: 2,
      topics: ['sdei', 'review'],
    },
    () => mergePromises(promisesFor(shape), counted(), interrupts(), requiredInside(instructions)),
  );
}

/** The plain record of SDEI. */
export const family: ScenarioFamily = {
  name: 'sdei',
  summary: 'the plain frame record of SDEI against a leaf, a prologue and an epilogue',
  elf: 'sdei.elf',
  scenarios: [
    sdei(
      'leaf',
      'a leaf: its caller is missing at every instruction',
      'sdei_leaf',
      12,
      [4, 0],
      { framed: ['sdei_leaf_entry'], frameless: ['sdei_leaf'] },
      10,
    ),
    sdei(
      'prologue',
      'a prologue: the caller is missing until x29 points at the complete record',
      'sdei_prologue',
      17,
      [7, 4],
      { framed: ['sdei_prologue_entry', 'sdei_prologue'], frameless: ['sdei_leaf'] },
      21,
    ),
    sdei(
      'epilogue',
      'an epilogue: the caller is missing from where x29 is restored',
      'sdei_epilogue',
      17,
      [8, 4],
      { framed: ['sdei_epilogue_entry', 'sdei_epilogue'], frameless: ['sdei_leaf'] },
      22,
    ),
  ],
};
