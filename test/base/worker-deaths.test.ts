import { describe, expect, it } from 'vitest';
import { WorkerDeaths, withLastWords } from '../../base/worker-deaths.js';
import { lastWordsOf } from '../../base/worker-process.js';

describe('workers that died', () => {
  it('are none, one, or some of a kind, in one line', () => {
    const deaths = new WorkerDeaths();
    expect(deaths.line).toBeUndefined();
    deaths.add('signal SIGKILL', '');
    expect(deaths.line).toBe('1 worker process died and was replaced: signal SIGKILL');
    deaths.add('signal SIGKILL', '');
    expect(deaths.line).toBe('2 worker processes died and were replaced: signal SIGKILL');
    deaths.add('exit code 1', 'Could not allocate');
    expect(deaths.line).toBe(
      '3 worker processes died and were replaced: signal SIGKILL (2); exit code 1: Could not allocate (1)',
    );
  });

  it('are named with what they said last, if anything', () => {
    expect(withLastWords('exit code 1', '')).toBe('exit code 1');
    expect(withLastWords('exit code 1', 'no')).toBe('exit code 1: no');
  });
});

it.each([
  ['', ''],
  [
    'Could not allocate dynamic translator buffer\n',
    'Could not allocate dynamic translator buffer',
  ],
  [
    'file:///x/worker.js:3\nthrow new Error("why");\n      ^\n\nRangeError: why\n    at f (x.js:1)\n\nNode.js v20.20.2\n',
    'RangeError: why',
  ],
  [
    '\n\n#\n# Fatal error in , line 0\n# Fatal process out of memory: Zone\n#\n----- Native stack trace -----\n 1: 0xd32b41  [node]\n',
    'Fatal process out of memory: Zone',
  ],
  [
    '[11:0x438d6d90]      161 ms: Scavenge 4.5 (5.7)\n<--- JS stacktrace --->\nFATAL ERROR: young object promotion failed\n',
    'FATAL ERROR: young object promotion failed',
  ],
])('of %j the reason is %j', (stderr, reason) => {
  expect(lastWordsOf(stderr)).toBe(reason);
});
