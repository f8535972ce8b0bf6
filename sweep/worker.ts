/**
 * The worker process: executes units that arrive over IPC, one at a time. It is a process and not a
 * thread, because the engine may abort it on a failed assertion of its own.
 */
import { openBackend } from '../emulator/backend.js';
import { Lab } from '../lab/lab.js';
import { UnitRunner } from './run-unit.js';
import type { UnitRequest, UnitResult } from './unit.js';

/** What a worker sends. */
export type WorkerMessage =
  | { readonly kind: 'ready' }
  | { readonly kind: 'failed'; readonly message: string }
  | { readonly kind: 'result'; readonly result: UnitResult; readonly memory: number };

function send(message: WorkerMessage): void {
  process.send?.(message);
}

async function main(): Promise<void> {
  const backend = await openBackend();
  if (!backend.ok) {
    send({ kind: 'failed', message: backend.error.message });
    return;
  }
  const lab = Lab.create(backend.value);
  if (!lab.ok) {
    send({ kind: 'failed', message: lab.error.message });
    return;
  }
  const runner = new UnitRunner(lab.value);
  // The next unit may arrive while one is being executed. Both use the same machine, so it waits.
  let last = Promise.resolve();
  process.on('message', (request: UnitRequest) => {
    last = last.then(async () => {
      const result = await runner.run(request);
      send({ kind: 'result', result, memory: process.memoryUsage.rss() });
    });
  });
  send({ kind: 'ready' });
}

// Ctrl-C is for the parent to handle: it ends the workers by disconnecting.
process.on('SIGINT', () => undefined);
process.on('disconnect', () => process.exit(0));
void main();
