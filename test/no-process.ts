/** Runs before every quick test file: one that starts a process belongs into `npm test`, see vitest.config.ts. */
import childProcess from 'node:child_process';
import { syncBuiltinESMExports } from 'node:module';

const refuse = (): never => {
  throw new Error('a quick test starts no process');
};
const STARTS = ['exec', 'execFile', 'execFileSync', 'execSync', 'fork', 'spawn', 'spawnSync'];
Object.assign(childProcess, Object.fromEntries(STARTS.map((name) => [name, refuse])));
syncBuiltinESMExports();
