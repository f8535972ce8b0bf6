/**
 * A worker process, which verifies the batches of groups that arrive over IPC. It is a process and not a
 * thread, because the engine aborts its process when one of its own assertions fails.
 */
import type { Address } from '../base/address.js';
import { openBackend } from '../emulator/backend.js';
import type { FunctionEntry } from './function-list.js';
import type { GroupResult } from './finding.js';
import { matchesPattern } from '../base/name-pattern.js';
import { loadProgram } from './program.js';
import { Verifier } from './verify.js';

/** The first message to a worker. */
export interface VerifyJob {
  readonly file: string;
  /** Pattern for the names of functions; undefined for all. */
  readonly glob: string | undefined;
  /** Whether the worker is to list all groups once it is ready. */
  readonly listing: boolean;
}

/** The functions of a group, with their sizes in bytes and in rows. */
export type GroupNames = readonly {
  readonly fn: string;
  readonly start: Address;
  readonly size: number;
  readonly rows: number;
}[];

/** Groups by index: from `from` up to but not including `to`. */
export interface Batch {
  readonly from: number;
  readonly to: number;
}

/** What the first worker tells of the file. */
export interface Listing {
  readonly groups: readonly GroupNames[];
  /** {@link Program.layoutNote}. */
  readonly layoutNote: string | undefined;
}

/** A message from a worker. */
export type VerifyMessage =
  | { readonly kind: 'ready'; readonly listing: Listing | undefined }
  /** No worker can verify this file; why, in one line. */
  | { readonly kind: 'failed'; readonly message: string }
  | {
      readonly kind: 'result';
      readonly batch: Batch;
      readonly results: readonly GroupResult[];
      /** Resident set in bytes. */
      readonly memory: number;
    };

function send(message: VerifyMessage): void {
  process.send?.(message);
}

async function start({ file, glob, listing }: VerifyJob): Promise<void> {
  const program = loadProgram(file);
  const backend = await openBackend({}, 1);
  if (!program.ok || !backend.ok) {
    const message = program.ok ? (backend.ok ? '' : backend.error.message) : program.error;
    send({ kind: 'failed', message });
    return;
  }
  const verifier = Verifier.create(program.value, backend.value);
  if (!verifier.ok) {
    send({ kind: 'failed', message: `${file}: ${verifier.error}` });
    return;
  }
  const groups = verifier.value.groups((name) => glob === undefined || matchesPattern(glob, name));
  process.on('message', ({ from, to }: Batch) => {
    answer(verifier.value, groups, { from, to });
  });
  const names = groups.map((group) =>
    group.map(({ name, start: at, size, table, fde }) => {
      return { fn: name, start: at, size, rows: table.functions.rowCount[fde] as number };
    }),
  );
  const { layoutNote } = program.value;
  send({ kind: 'ready', listing: listing ? { groups: names, layoutNote } : undefined });
}

function answer(verifier: Verifier, groups: readonly FunctionEntry[][], batch: Batch): void {
  const results = groups.slice(batch.from, batch.to).map((group) => verifier.examine(group));
  send({ kind: 'result', batch, results, memory: process.memoryUsage.rss() });
}

// Ctrl-C reaches all processes. The parent handles it, and ends the workers by disconnecting.
process.on('SIGINT', () => undefined);
process.on('disconnect', () => process.exit(0));
process.once('message', (job: VerifyJob) => void start(job));
