/**
 * More than one task: interrupts while the CPU switches from one to the other, and walks of a task
 * that is blocked meanwhile. While cpu_switch_to runs, x29, SP and `current` change one after the
 * other. IRQs are masked, so only SDEI sees it.
 */
import { EXCEPTION_CODE, insideExceptions, SDEI_CODE } from '../exception-code.js';
import {
  ALL_POLICIES,
  allowed,
  always,
  boundary,
  BOUNDARY_KINDS,
  exact,
  mergePromises,
  sdei,
  seen,
  SHARED_WHY,
  SKIPPING,
  TRUSTING_SDEI,
  under,
  type PolicyName,
  type Promises,
} from '../promise-terms.js';
import type { Scenario, ScenarioFamily } from '../scenario.js';
import { withPromises } from '../with-promises.js';

const WHY = {
  ...SHARED_WHY,
  hidden: SHARED_WHY.sdei,
  between:
    "x29 is the next task's while `current`, and so the stack that may be read, are the previous task's",
  dropped:
    "SDEI hides the caller; and where x29 is already the next task's, the error that ends the walk is dropped",
  switchNoCfi: 'cpu_switch_to has no SFrame entry',
  switchNoCfiV5: 'cpu_switch_to has no SFrame entry: its record is taken for a metadata record',
  newTask:
    "a new task's first switch: the record step made in place of SFrame reaches the final record, and the mark it should leave is ignored: ret_from_fork is left out",
  newTaskV5: "a new task's first switch: the final record ends the trace without ret_from_fork",
  forkNoCfi:
    'ret_from_fork has no SFrame entry, and the mark is honoured although the trace ends here',
  forkEnd: 'nothing calls ret_from_fork: right, whatever the unwinder knows',
  blocked: 'a blocked task has no boundary: from its saved x29 it is frame records all the way',
};

/** Functions that a switch passes through, with records and CFI. */
const SWITCHING = ['__switch_to', 'schedule_to', 'tasks_hand_over', 'tasks_yield'] as const;

/**
 * Policies under which the step that replaces SFrame reaches a final record, and the mark is lost.
 */
const MARK_LOST: readonly PolicyName[] = ['sframe-v6', 'sframe-strict'];

/**
 * What is promised for walks while the tasks switch.
 * @param blockedTask whether another task than the current one is walked
 */
function switching(
  framed: readonly string[],
  frameless: readonly string[],
  blockedTask = false,
): Promises {
  const inSwitch = { in: ['cpu_switch_to'] } as const;
  const inFork = { in: ['ret_from_fork'] } as const;
  return mergePromises(
    under(
      TRUSTING_SDEI,
      ...framed.map((name) => seen('missing', { ...sdei, in: [name] }, WHY.hidden)),
      allowed('missing', { ...sdei, in: frameless }, WHY.hidden),
      exact({ ...sdei, ...inFork }, WHY.forkEnd),
    ),
    under(
      ['frame-pointer', 'sframe-strict'],
      seen('missing', { ...sdei, ...inSwitch }, WHY.hidden),
      seen('unreliable', { ...sdei, ...inSwitch }, WHY.between, 3),
    ),
    under(['sframe-v5', 'sframe-v6'], seen('missing', { ...sdei, ...inSwitch }, WHY.dropped)),
    under(
      ['frame-pointer'],
      seen('unreliable', { ...boundary, in: [...inSwitch.in, ...inFork.in] }, WHY.boundary),
      allowed('unreliable', { ...boundary, in: [...framed, ...frameless] }, WHY.boundary),
    ),
    under(
      ['sframe-v5'],
      seen('warned', { ...boundary, ...inSwitch }, WHY.switchNoCfiV5),
      seen('missing', { ...boundary, ...inSwitch }, WHY.newTaskV5),
    ),
    under(
      ['sframe-v6', 'sframe-strict', 'fgraph-detect', 'fgraph-recover'],
      seen('unreliable', { ...boundary, ...inSwitch }, WHY.switchNoCfi),
    ),
    under(MARK_LOST, seen('missing', { ...boundary, ...inSwitch }, WHY.newTask)),
    under(['sframe-v5', ...MARK_LOST], exact({ ...boundary, ...inFork }, WHY.forkEnd)),
    under(
      ['fgraph-detect', 'fgraph-recover'],
      always('unreliable', { ...boundary, ...inFork }, WHY.forkNoCfi),
    ),
    under(
      ['sframe-v6'],
      allowed('unreliable', { ...boundary, in: [...framed, ...frameless] }, WHY.alignment),
    ),
    insideExceptions({ unannotated: true, blockedTask }),
    under(
      ['frame-pointer', 'sframe-strict'],
      allowed(
        'unreliable',
        { kinds: ['sdei', 'brk'], in: SDEI_CODE, depth: 2 },
        `first exception: ${WHY.between}`,
      ),
    ),
    under(
      SKIPPING,
      allowed(
        'missing',
        { kinds: BOUNDARY_KINDS, in: EXCEPTION_CODE, depth: 2 },
        `first exception: ${WHY.newTask}`,
      ),
    ),
  );
}

const ALIGNED = ['sframe-v5', 'sframe-strict', 'fgraph-detect', 'fgraph-recover'] as const;

const scenarios: readonly Scenario[] = [
  withPromises(
    {
      name: 'tasks/switch',
      summary: 'a new task is started, and the two take turns: every instruction of each switch',
      entry: 'tasks_switch_entry',
      args: [{ number: 3 }, { number: 7 }],
      result: 21,
      topics: ['tasks', 'cpu_switch_to'],
    },
    () =>
      mergePromises(
        switching(
          ['tasks_switch_entry', 'tasks_worker', ...SWITCHING],
          ['kernel_thread_init', 'schedule_tail'],
        ),
        under(
          TRUSTING_SDEI,
          always('missing', { ...sdei, in: ['kernel_thread_init', 'schedule_tail'] }, WHY.hidden),
        ),
        under(['frame-pointer'], always('unreliable', boundary, WHY.boundary)),
        under(
          ['sframe-v5', 'sframe-v6'],
          always('missing', { ...sdei, in: ['cpu_switch_to'] }, WHY.dropped),
        ),
        under(
          ALIGNED,
          exact(
            {
              ...boundary,
              in: ['tasks_switch_entry', 'tasks_worker', ...SWITCHING, 'schedule_tail'],
            },
            'correct CFI at every instruction',
          ),
        ),
      ),
  ),
  withPromises(
    {
      name: 'tasks/blocked',
      summary:
        'another task is walked: from its first run on, while it is blocked and while it runs',
      entry: 'tasks_blocked_entry',
      args: [{ number: 7 }],
      result: 35,
      walkTask: 'kw_task_a',
      depth: 2,
      topics: ['tasks', 'blocked'],
    },
    () =>
      mergePromises(
        switching(['tasks_worker', ...SWITCHING], ['schedule_tail'], true),
        under(
          ALL_POLICIES,
          exact(
            { in: ['tasks_blocked_entry', 'tasks_busy', 'tasks_switch_entry'], depth: 1 },
            WHY.blocked,
          ),
          ...SWITCHING.map((name) => ({
            require: [
              {
                verdict: 'exact' as const,
                ...boundary,
                in: [name],
                atLeast: 9,
                reason: WHY.blocked,
              },
            ],
          })),
        ),
        under(
          ['frame-pointer'],
          always(
            'unreliable',
            { ...boundary, in: ['tasks_worker', 'schedule_tail'] },
            WHY.boundary,
          ),
        ),
        under(ALIGNED, exact({ ...boundary, in: SWITCHING }, WHY.blocked)),
      ),
  ),
];

/** Several tasks. */
export const family: ScenarioFamily = {
  name: 'tasks',
  summary: 'context switches, a task on its first run, and walks of a blocked task',
  elf: 'tasks.elf',
  scenarios,
};
