/** A node that is too old is told so, by whatever is started first. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { environment, MAIN, ROOT } from './run-cli.js';
import { repositoryPath } from '../machine-fixture.js';

const INSTALL = repositoryPath('scripts/ensure-engine.mjs');

/** Runs a script in a node that says it is of that version. */
function runAs(version: string, script: string, ...args: string[]) {
  const code = `Object.defineProperty(process, 'versions', {
    value: { ...process.versions, node: '${version}' } });`;
  const preload = `data:text/javascript,${encodeURIComponent(code)}`;
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['--import', preload, script, ...args],
    { cwd: ROOT, encoding: 'utf8', env: environment({}) },
  );
  return { status, stdout, stderr };
}

const { engines } = JSON.parse(readFileSync(repositoryPath('package.json'), 'utf8')) as {
  engines: { node: string };
};
const [, oldest = ''] = /^>=(\d+\.\d+)$/.exec(engines.node) ?? [];

describe('a node that is too old', () => {
  it.each([
    ['12.22.12', MAIN, '--version'],
    ['18.20.8', MAIN, '--version'],
    ['20.0.0', MAIN, 'sweep'],
    ['20.18.3', MAIN, '--help'],
    ['18.20.8', INSTALL, ''],
    ['20.18.3', INSTALL, ''],
  ])('%s: one line that says which is needed, from %s %s', (version, script, arg) => {
    expect(runAs(version, script, arg)).toEqual({
      status: 2,
      stdout: '',
      stderr: `kunwind-lab: Node.js ${oldest} or newer is needed, this is ${version}\n`,
    });
  });

  it.each([[`${oldest}.0`], ['21.0.0'], ['22.1.0']])('%s is not', (version) => {
    expect(runAs(version, MAIN, '--version')).toMatchObject({ status: 0, stderr: '' });
    expect(runAs(version, INSTALL).status).toBe(0);
  });

  it('can read the file that says so', () => {
    const source = readFileSync(MAIN, 'utf8');
    const code = source.replace(/\/\*[^]*?\*\/|^\s*\/\/.*$/gm, '');
    // Newer than modules: operators of ES2020 and later, and await outside of a function. What is
    // imported by a statement would be read before the first line is executed.
    expect(code).not.toMatch(
      /\?\?|\?\.|\bawait\b|^import[\s{*'"]|\bstatic\b|#\w+\s*[;=(]|import\.meta/m,
    );
    expect(code).toMatch(/import\('\.\/program\.js'\)/);
  });
});
