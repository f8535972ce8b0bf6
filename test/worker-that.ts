/** Worker processes that do something to themselves before they do what they are told. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll } from 'vitest';
import { repositoryPath } from './machine-fixture.js';

/**
 * A maker of worker scripts, for the test file that calls this at its top level.
 * @param worker compiled module of the worker, under dist/
 * @returns writes a script that is that worker and executes some code besides; its path
 */
export function workerScripts(worker: string): (name: string, code: string) => string {
  const folder = mkdtempSync(join(tmpdir(), 'kunwind-pool-'));
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });
  const url = pathToFileURL(repositoryPath(`dist/${worker}`)).href;
  return (name, code) => {
    const path = join(folder, `${name}.mjs`);
    // First the worker: a message that arrives before somebody listens to it would be lost.
    writeFileSync(path, `await import(${JSON.stringify(url)});\n${code}\n`);
    return path;
  };
}
