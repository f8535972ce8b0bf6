/**
 * A folder of reference logs, one `<policy>.ktap` for each policy that a real kernel was run with.
 */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fail, ok, type Result } from '../base/result.js';
import type { PolicyName } from '../unwinder/policy.js';
import { parseSuiteLog } from './reliable-stacktrace-log.js';
import type { SuiteLog } from './suite-log.js';
import { describeSuiteLogError } from './suite-log-error.js';

/** Largest log that is read, in bytes: several times the log of a whole boot. */
const MAX_SIZE = 256 * 1024 * 1024;

/** The logs of a folder. */
export interface References {
  readonly logs: ReadonlyMap<PolicyName, SuiteLog>;
  /** Policies without a log. */
  readonly absent: readonly PolicyName[];
}

/**
 * Read the logs of some policies.
 * @returns the logs; or why there is nothing to compare with, in one line
 */
export function readReferences(
  folder: string,
  policies: readonly PolicyName[],
): Result<References, string> {
  const known = kindOf(folder);
  if (known === undefined) return fail(`${folder}: no such folder`);
  if (known !== 'folder') return fail(`${folder}: not a folder`);
  const logs = new Map<PolicyName, SuiteLog>();
  const absent: PolicyName[] = [];
  for (const policy of policies) {
    const path = join(folder, `${policy}.ktap`);
    if (!existsSync(path)) {
      absent.push(policy);
      continue;
    }
    const log = readLog(path);
    if (!log.ok) return log;
    logs.set(policy, log.value);
  }
  if (logs.size > 0) return ok({ logs, absent });
  const wanted = policies.map((policy) => `${policy}.ktap`).join(', ');
  return fail(`${folder}: no reference log there (${wanted})`);
}

/** Undefined when the path does not exist or cannot be reached. */
function kindOf(path: string): 'folder' | 'other' | undefined {
  try {
    return statSync(path).isDirectory() ? 'folder' : 'other';
  } catch {
    return undefined;
  }
}

function readLog(path: string): Result<SuiteLog, string> {
  const unreadable = (reason: string): Result<never, string> =>
    fail(describeSuiteLogError(path, { kind: 'unreadable', line: 0, reason }));
  let text: string;
  try {
    const file = statSync(path);
    // Reading a device or a pipe might never end.
    if (!file.isFile()) return unreadable('not a regular file');
    if (file.size > MAX_SIZE)
      return unreadable(`${file.size} bytes; a log has at most ${MAX_SIZE}`);
    text = readFileSync(path, 'utf8');
  } catch (error) {
    return unreadable(error instanceof Error ? error.message : String(error));
  }
  const parsed = parseSuiteLog(text);
  return parsed.ok ? ok(parsed.value) : fail(describeSuiteLogError(path, parsed.error));
}
