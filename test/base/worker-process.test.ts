import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { WorkerProcess } from '../../base/worker-process.js';

const folder = mkdtempSync(join(tmpdir(), 'kunwind-worker-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

const PATIENCE = 60_000;

/** A worker of this code, and a promise of how it ended. */
function workerOf(name: string, code: string, patience = PATIENCE) {
  const script = join(folder, `${name}.mjs`);
  writeFileSync(script, code);
  const heard: unknown[] = [];
  let worker: WorkerProcess<string, unknown> | undefined;
  const how = new Promise<string>((resolve) => {
    worker = new WorkerProcess<string, unknown>(script, patience, {
      message: (message) => heard.push(message),
      exit: resolve,
    });
  });
  if (worker === undefined) throw new Error('no worker');
  return { worker, how, heard };
}

describe('a worker process', () => {
  it('keeps what it was asked and has not answered', async () => {
    const { worker, how } = workerOf('mute', `process.on('message', () => process.exit(7));`);
    for (const request of ['a', 'b', 'c']) worker.give(request);
    expect(worker.finish()).toBe('a');
    expect(await how).toBe('exit code 7');
    expect(worker.load).toBe(2);
    expect(worker.abandon()).toEqual(['b', 'c']);
    expect(worker.hung).toBe(false);
  });

  it('that died before it was asked is one that died, and no error of its owner', async () => {
    const { worker, how } = workerOf('dead', 'process.exit(3);');
    await how;
    worker.give('a');
    // The failure to send is told in a later turn of the event loop.
    await new Promise((resolve) => setImmediate(resolve));
    expect(worker.abandon()).toEqual(['a']);
  });

  it('that gives no answer is killed, and is said to have hung', async () => {
    const { worker, how } = workerOf('deaf', 'for (;;);', 50);
    worker.give('a');
    expect(await how).toBe('signal SIGKILL');
    expect(worker.hung).toBe(true);
  });

  it('ends by itself when it is let go', async () => {
    const { worker, how } = workerOf('idle', `process.on('message', () => undefined);`);
    worker.disconnect();
    expect(await how).toBe('exit code 0');
  });
});
