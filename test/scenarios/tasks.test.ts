import { describe, expect, it } from 'vitest';
import { family } from '../../scenarios/tasks/tasks.js';
import { expectSoundNames, familyElf, kernelElf } from './family-elf.js';

const elf = familyElf(family);
const kernel = kernelElf();

describe('the tasks family', () => {
  it('names functions of its ELF', () => {
    expectSoundNames(family, elf);
  });

  it('walks a task of the guest kernel', () => {
    const walked = family.scenarios.map(({ walkTask }) => walkTask);
    expect(walked).toEqual([undefined, 'kw_task_a']);
  });

  it('expects a result from every scenario', () => {
    for (const { result, name } of family.scenarios) expect(result, name).toBeTypeOf('number');
  });

  it('has CFI on both sides of the switch, and none in it', () => {
    for (const name of elf.functions.keys()) expect(elf.rules(name), name).not.toContain('none');
    for (const name of ['__switch_to', 'schedule_to', 'schedule_tail']) {
      expect(kernel.rules(name), name).not.toContain('none');
    }
    for (const name of ['cpu_switch_to', 'ret_from_fork']) {
      expect(kernel.rules(name), name).toEqual(['none']);
    }
  });

  it('keeps a record in every function that blocks', () => {
    for (const name of ['tasks_worker', 'tasks_yield', 'tasks_hand_over', 'tasks_switch_entry']) {
      expect(elf.rules(name).join('\n'), name).toMatch(/RA=\*\(CFA-\d+\) FP=\*/);
    }
  });

  it('changes x29, SP and current in that order', () => {
    const LDP_X29_X9 = 0xa8c1251d;
    const MOV_SP_X9 = 0x9100013f;
    const MSR_SP_EL0_X1 = 0xd5184101;
    const words = kernel.words('cpu_switch_to');
    const order = [LDP_X29_X9, MOV_SP_X9, MSR_SP_EL0_X1].map((word) => words.indexOf(word));
    expect(order).toEqual([19, 21, 22]);
  });
});
