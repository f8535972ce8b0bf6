/**
 * The worker process of `kunit`: runs cases that arrive over IPC, one at a time. It is a process
 * and not a thread, because the engine may abort it on a failed assertion of its own.
 */
import { openBackend } from '../emulator/backend.js';
import type { PolicyName } from '../unwinder/policy.js';
import type { CaseRun } from './case-run.js';
import { KUNIT_CASES } from './cases.js';
import { guestKernelOf, KunitMachines } from './machines.js';

/** What a worker is asked to run. */
export interface CaseRequest {
  /** Policies that walk in the same kernel. */
  readonly policies: readonly PolicyName[];
  readonly caseName: string;
  /** See {@link CaseRunner.run}. */
  readonly stackShift: number;
}

/** What a worker sends. */
export type KunitMessage =
  | { readonly kind: 'ready' }
  | { readonly kind: 'failed'; readonly message: string }
  | { readonly kind: 'result'; readonly runs: readonly CaseRun[] };

function send(message: KunitMessage): void {
  process.send?.(message);
}

function run(
  machines: KunitMachines,
  { policies, caseName, stackShift }: CaseRequest,
): KunitMessage {
  const definition = KUNIT_CASES.find(({ name }) => name === caseName);
  if (definition === undefined) return { kind: 'failed', message: `no case ${caseName}` };
  const runner = machines.runnerFor(guestKernelOf(policies[0]));
  return runner.ok
    ? { kind: 'result', runs: runner.value.run(policies, definition, stackShift) }
    : { kind: 'failed', message: runner.error };
}

async function main(): Promise<void> {
  const backend = await openBackend();
  if (!backend.ok) {
    send({ kind: 'failed', message: backend.error.message });
    return;
  }
  const machines = new KunitMachines(backend.value);
  process.on('message', (request: CaseRequest) => {
    send(run(machines, request));
  });
  send({ kind: 'ready' });
}

// Ctrl-C is for the parent to handle: it ends the workers by disconnecting.
process.on('SIGINT', () => undefined);
process.on('disconnect', () => process.exit(0));
void main();
