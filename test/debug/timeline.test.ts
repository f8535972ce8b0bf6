/** Moving on a timeline: stops, searches in both directions, exceptions, edits, bounds. */
import { describe, expect, it } from 'vitest';
import { formatPlace } from '../../debug/place.js';
import type { Timeline } from '../../debug/timeline.js';
import { Reg } from '../../emulator/registers.js';
import { Kind } from '../../kernel-model/exception-kind.js';
import { targetNamed, timeline, timelineOf } from './timeline-fixture.js';

/** Positions in `[from, end]` with a property, by stepping. */
function positionsWhere(line: Timeline, test: () => boolean): number[] {
  const found: number[] = [];
  line.goTo(0);
  do {
    if (test()) found.push(line.position);
  } while (line.step().reason === 'moved');
  return found;
}

describe('a timeline', () => {
  it('has a start and an end', () => {
    const line = timeline('entry/trivial');
    expect(line.position).toBe(0);
    expect(line.stepBack().reason).toBe('start');
    expect(line.stepForward(1_000_000).reason).toBe('end');
    const { position } = line;
    expect(line.isAtEnd).toBe(true);
    expect(line.step().reason).toBe('end');
    expect(line.position).toBe(position);
    expect(line.goBack(position + 5)).toEqual({ reason: 'start', detail: '' });
    expect(line.position).toBe(0);
  });

  it('finds the same stops forwards and backwards', () => {
    const line = timeline('leaf/memcpy', { interval: 64 });
    const { symbols } = line.machine;
    const target = symbols.byName('leaf_memcpy')?.address;
    const here = (): boolean => line.pc === target;
    const expected = positionsWhere(line, here);
    expect(expected.length).toBeGreaterThan(2);

    const last = line.position;
    const backward: number[] = [];
    while (line.runBack({ here }).reason === 'hit') backward.unshift(line.position);
    expect(backward).toEqual(expected);
    const forward: number[] = [];
    while (line.run({ here }).reason === 'hit') forward.push(line.position);
    expect(forward).toEqual(expected);
    expect(line.position).toBe(last);
  });

  it('stops after a watched word changed, and before that step when going back', () => {
    const line = timeline('calls/pac', { interval: 16 });
    const { memory } = line.machine;
    // The innermost frame record: several functions store theirs there.
    let watched = line.registers().get(Reg.SP);
    positionsWhere(line, () => {
      watched = Math.min(watched, line.registers().get(Reg.SP));
      return false;
    });
    const read = (): number | undefined => memory.readAddress(watched);
    let known = read();
    const watch = {
      begin: () => {
        known = read();
      },
      after: () => {
        const now = read();
        const changed = now !== known;
        known = now;
        return changed;
      },
    };
    line.goTo(0);
    const forward: number[] = [];
    while (line.run(watch).reason === 'hit') forward.push(line.position);
    expect(forward.length).toBeGreaterThan(0);
    const backward: number[] = [];
    while (line.runBack(watch).reason === 'hit') backward.unshift(line.position + 1);
    expect(backward).toEqual(forward);
  });

  it('gives up a search at its limit, and can go on with it', () => {
    const line = timeline('leaf/memcpy', { interval: 64 });
    const never = { here: (): boolean => false };
    expect(line.run(never, { steps: 100 }).reason).toBe('limit');
    expect(line.position).toBe(100);
    expect(line.runBack(never, { steps: 30 }).reason).toBe('limit');
    expect(line.position).toBe(70);
    expect(line.runBack(never).reason).toBe('start');
    expect(line.position).toBe(0);
  });

  it('reports a guest that runs away', () => {
    const line = timeline('leaf/memcpy', { budget: 200 });
    const stop = line.stepForward(1000);
    expect(stop).toEqual({
      reason: 'runaway',
      detail: 'the guest ran away: 200 steps were made',
    });
    expect(line.position).toBe(200);
    expect(line.stepBack().reason).toBe('moved');
  });

  it('stays where the next instruction cannot be executed', () => {
    const line = timeline('leaf/strlen');
    line.run({ here: () => line.place.index === 12 });
    line.edit({ kind: 'register', index: Reg.PC, low: 0x1000, high: 0 });
    const before = line.fingerprint();
    const stop = line.step();
    expect(stop.reason).toBe('problem');
    expect(stop.detail).toMatch(/no code at 0x1000/);
    expect(line.fingerprint()).toBe(before);
    line.stepBack();
    expect(line.step().reason).toBe('moved');
    expect(line.fingerprint()).toBe(before);
  });
});

describe('an exception taken on a timeline', () => {
  it('is a step, repeated on the way forward and undone on the way back', () => {
    const line = timeline('leaf/strlen', { interval: 32 });
    line.run({ here: () => line.place.index === 30 });
    const { position } = line;
    const interrupted = line.registers().words.slice();
    expect(line.interrupt(Kind.IRQ).reason).toBe('moved');
    expect(line.position).toBe(position + 1);
    expect(line.machine.symbols.at(line.pc)?.symbol.name).toBe('vectors');
    line.stepForward(40);
    expect(formatPlace(line.place)).toBe('30:irq/40');
    expect(line.interrupt(Kind.SDEI).reason).toBe('moved');
    line.stepForward(3);
    expect(formatPlace(line.place, Kind.BRK)).toBe('30:irq/40:sdei/3:brk');
    line.goTo(position);
    expect(formatPlace(line.place)).toBe('30');
    line.goTo(position + 45);
    expect(formatPlace(line.place)).toBe('30:irq/40:sdei/3');
    // Out of both: the scenario goes on where it was interrupted.
    line.run({ here: () => line.place.levels.length === 0 });
    expect(formatPlace(line.place)).toBe('30');
    expect(line.cpu.difference).toBe(-1);
    const general = 2 * 34;
    expect(line.registers().words.subarray(0, general)).toEqual(interrupted.subarray(0, general));
  });

  it('does not change how the scenario ends, and can be dropped', () => {
    const line = timeline('tasks/switch', { interval: 64 });
    line.stepForward(1_000_000);
    const length = line.position;
    line.goTo(60);
    line.interrupt(Kind.SDEI);
    line.stepForward(1_000_000);
    expect(line.isAtEnd).toBe(true);
    expect(line.position).toBeGreaterThan(length + 10);
    line.goTo(60);
    line.forgetFuture();
    line.stepForward(1_000_000);
    expect(line.position).toBe(length);
  });

  it('is refused where the hardware could not deliver it', () => {
    const line = timeline('leaf/strlen');
    line.run({ here: () => line.place.index === 1 });
    line.interrupt(Kind.IRQ);
    const { position } = line;
    expect(line.interrupt(Kind.IRQ).reason).toBe('problem');
    expect(line.position).toBe(position);
  });
});

describe('an edit', () => {
  it('belongs to its position and drops what was recorded later', () => {
    const line = timeline('leaf/strlen', { interval: 32 });
    line.run({ here: () => line.place.index === 10 });
    const { position } = line;
    line.interrupt(Kind.NMI);
    line.stepForward(5);
    line.goTo(position);
    expect(line.edit({ kind: 'register', index: Reg.X19, low: 7, high: 0 }).ok).toBe(true);
    line.step();
    expect(formatPlace(line.place)).toBe('11');
    line.goTo(0);
    expect(line.registers().get(Reg.X19)).not.toBe(7);
    line.goTo(position);
    expect(line.registers().get(Reg.X19)).toBe(7);
  });

  it('of memory must be of writable memory', () => {
    const line = timeline('leaf/strlen');
    const bytes = Uint8Array.of(0, 0, 0, 0);
    expect(line.edit({ kind: 'memory', address: line.pc, bytes })).toMatchObject({ ok: false });
    expect(line.edit({ kind: 'memory', address: 0x1000, bytes })).toMatchObject({ ok: false });
    expect(line.readMemory(line.pc, 4)).toHaveLength(4);
    expect(line.readMemory(0x1000, 4)).toBeUndefined();
    expect(line.readMemory(line.pc, -1)).toBeUndefined();
  });
});

describe('snapshots', () => {
  it('are thinned out: their number is bounded whatever the length of a run', () => {
    const target = targetNamed('leaf/memcpy');
    const line = timelineOf(target, { interval: 1 });
    line.stepForward(1500);
    const at700 = timelineOf(target);
    at700.goTo(700);
    const expected = at700.fingerprint();
    const again = timelineOf(target, { interval: 1 });
    again.stepForward(1500);
    const { snapshots, interval } = again.usage();
    expect(snapshots).toBeLessThanOrEqual(516);
    expect(interval).toBeGreaterThan(1);
    again.goTo(700);
    expect(again.fingerprint()).toBe(expected);
  });

  it('share the pages that did not change', () => {
    const line = timeline('leaf/memcpy', { interval: 16 });
    line.stepForward(800);
    const { snapshots, bytes } = line.usage();
    expect(snapshots).toBeGreaterThan(20);
    const one = timeline('leaf/memcpy').usage().bytes;
    // Each interval writes to its stack and one buffer: a few pages of hundreds.
    expect(bytes - one).toBeLessThan(snapshots * 8 * 4096);
  });
});
