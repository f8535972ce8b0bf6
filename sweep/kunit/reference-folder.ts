/** A folder of reference logs, one `<policy>.ktap` for each policy that a real kernel was run with. */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fail, ok, type Result } from '../../emulator/result.js';
import type { PolicyName } from '../../unwinder/policy.js';
import { parseSuiteLog } from './reliable-stacktrace-log.js';
import type { SuiteLog } from './suite-log.js';
import { describeSuiteLogError } from './suite-log-error.js';

/** The logs of a folder. */
export interface References {
  readonly logs: ReadonlyMap<PolicyName, SuiteLog>;
  /** Policies without a log. */
  readonly absent: readonly PolicyName[];
}

/**
 * Read the logs of some policies.
 * @returns the logs, or in one line why the folder cannot be compared with
 */
export function readReferences(
  folder: string,
  policies: readonly PolicyName[],
): Result<References, string> {
  const known = statSync(folder, { throwIfNoEntry: false });
  if (known === undefined) return fail(`${folder}: no such folder`);
  if (!known.isDirectory()) return fail(`${folder}: not a folder`);
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

function readLog(path: string): Result<SuiteLog, string> {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return fail(describeSuiteLogError(path, { kind: 'unreadable', line: 0, reason }));
  }
  const parsed = parseSuiteLog(text);
  return parsed.ok ? ok(parsed.value) : fail(describeSuiteLogError(path, parsed.error));
}
