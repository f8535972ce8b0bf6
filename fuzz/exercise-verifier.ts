/** Verification by execution, on one input, in which both code and tables may be damaged. */
import type { EngineBackend } from '../emulator/engine.js';
import { loadProgram } from '../verify/program.js';
import { Verifier } from '../verify/verify.js';
import { refused } from './clear-line.js';

/**
 * Execute every function of a file, linked or not, and check it against its rows.
 * @returns whether the file could be verified at all
 * @throws Error whatever verification throws; also when an error message is not one clear line
 */
export function exerciseVerifier(path: string, backend: EngineBackend): boolean {
  const program = loadProgram(path);
  if (!program.ok) {
    // The file's own path may look like anything.
    refused(program.error.replaceAll(path, 'input'));
    return false;
  }
  const verifier = Verifier.create(program.value, backend);
  if (!verifier.ok) {
    refused(verifier.error);
    return false;
  }
  const { rows, findings } = verifier.value.verify(() => true);
  verifier.value.close();
  if (rows.verified + rows.wrong + rows.unreached !== rows.total) {
    throw new Error(`${rows.total} rows in all, but ${JSON.stringify(rows)}`);
  }
  for (const { detail } of findings) if (detail.includes('\n')) throw new Error(detail);
  return true;
}
