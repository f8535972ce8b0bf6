/** Ground truth while real scenarios run, against facts about them that any reader can count. */
import { afterEach, describe, expect, it } from 'vitest';
import { Reg } from '../../emulator/registers.js';
import { StepStatus } from '../../emulator/stepping-cpu.js';
import { GroundTruth } from '../../kernel-model/ground-truth.js';
import type { Machine } from '../../kernel-model/machine.js';
import type { Scenario } from '../../scenarios/scenario.js';
import { type FamilyName, scenario, SCENARIOS, setUp, sweepParts } from '../machine-fixture.js';

let machine: Machine | undefined;
afterEach(() => {
  machine?.close();
  machine = undefined;
});

/** Run a scenario to its end; `look` sees every instruction before it is executed. */
function record(
  family: FamilyName,
  which: Scenario,
  look: (machine: Machine, truth: GroundTruth, pending: readonly string[]) => void,
): GroundTruth {
  const made = sweepParts(family).machine;
  machine = made;
  setUp(made, which);
  const cpu = made.stepper;
  const truth = new GroundTruth(made.kernel.roles.initTask);
  while (cpu.pc !== made.kernel.roles.threadDone) {
    const { addresses, depth } = truth.current;
    const names = [...addresses.subarray(0, depth)].reverse().map((address) => {
      const place = made.symbols.at(address);
      return place?.symbol.name ?? '?';
    });
    look(made, truth, names);
    const { pc } = cpu;
    if (cpu.step() !== StepStatus.DONE) throw new Error(cpu.describe(StepStatus.ENGINE_ERROR));
    truth.executed(cpu.instructionClass, cpu.instructionWord, pc, cpu.registers);
    if (cpu.registers.get(Reg.SP_EL0) !== truth.currentTask) {
      cpu.registers.set(Reg.SP_EL0, truth.currentTask);
    }
  }
  return truth;
}

const nameAt = (machine: Machine): string =>
  machine.symbols.at(machine.stepper.pc)?.symbol.name ?? '?';

/** What every thread has pending below the function under test. */
const THREAD = ['kunwind_thread', 'kthread'];

describe('ground truth of a scenario', () => {
  it('counts the levels of a recursion', () => {
    const depths: number[] = [];
    record('calls', scenario('recursion_sum', [5]), (at, _, pending) => {
      if (nameAt(at) !== 'recursion_sum') return;
      const levels = pending.filter((name) => name === 'recursion_sum').length;
      expect(pending.slice(levels, levels + 2)).toEqual(THREAD);
      if (depths[depths.length - 1] !== levels) depths.push(levels);
    });
    expect(depths).toEqual([0, 1, 2, 3, 4, 5, 4, 3, 2, 1, 0]);
  });

  it('forgets a function that has left by a tail call', () => {
    const seen = new Map<string, Set<string>>();
    record('calls', scenario('tail_entry', [300]), (at, _, pending) => {
      const set = seen.get(nameAt(at)) ?? new Set();
      seen.set(nameAt(at), set.add(pending.join(' ')));
    });
    const below = `tail_entry ${THREAD.join(' ')}`;
    for (const name of ['tail_plain', 'tail_framed', 'tail_conditional', 'tail_end']) {
      for (const trace of seen.get(name) ?? [])
        expect(trace, name).toMatch(new RegExp(`^${below}`));
    }
  });

  it('knows the callers of a traced function while return_to_handler runs', () => {
    let instructions = 0;
    const pendingOf = new Set<string>();
    record('fgraph', SCENARIOS.fgraphLeaf, (at, _, pending) => {
      if (nameAt(at) === 'return_to_handler') {
        instructions++;
        pendingOf.add(pending.slice(0, 3).join(' '));
      }
      if (nameAt(at) === 'fgraph_leaf' && pending[0] === 'fgraph_leaf') {
        throw new Error('the patch site called itself');
      }
    });
    // 15 instructions without a call of their own but one (docs/kernel-facts.md, "The return stack").
    expect(instructions).toBe(15);
    expect([...pendingOf]).toEqual([`fgraph_leaf_entry ${THREAD.join(' ')}`]);
  });

  it('has a stack per task, and finds the blocked one as it was left', () => {
    const tasks = new Map<string, string>();
    let switches = 0;
    let last = '';
    record('tasks', SCENARIOS.tasks, (at, truth, pending) => {
      const name = at.symbols.at(truth.currentTask)?.symbol.name ?? '?';
      if (name !== last) {
        if (last !== '') switches++;
        const left = tasks.get(name);
        if (left !== undefined) expect(pending.join(' ')).toBe(left);
      }
      last = name;
      tasks.set(name, pending.join(' '));
    });
    // Three rounds, there and back.
    expect(switches).toBe(6);
    expect([...tasks.keys()]).toEqual(['init_task', 'kw_task_a']);
    expect(tasks.get('kw_task_a')).toContain('tasks_worker');
    expect(tasks.get('kw_task_a')).not.toContain('tasks_switch_entry');
  });

  it('is empty below the thread at its end', () => {
    const truth = record('entry', SCENARIOS.trivial, () => undefined);
    const { addresses, depth } = truth.current;
    const names = [...addresses.subarray(0, depth)].reverse();
    expect(names.map((address) => machine?.symbols.at(address)?.symbol.name)).toEqual(
      expect.arrayContaining(['kthread']),
    );
  });
});
