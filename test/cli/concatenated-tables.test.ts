/** What lld makes of two objects with `.sframe`: two tables in one section. */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { runShared } from './shared-session.js';

const FILE = fileURLToPath(
  new URL('../../../shared/cases/concatenated-sframe/cd_lld', import.meta.url),
);
const WARNING = `kunwind-lab: warning: ${FILE}: .sframe holds 2 tables, one after the other, as lld leaves them: all are read here, but a kernel reads the first only\n`;

describe.skipIf(!existsSync(FILE))('a file linked by lld (../shared has it)', () => {
  it.each<[string, RegExp]>([
    ['verify', /^3 functions \(0 with findings\); 15 of 15 instructions reached/m],
    ['coverage', /^functions {2}3 of 3 \(100\.00 %\)\n(?!.*without CFI)/m],
    ['stat', /^\.sframe\+0x40: version 3,/m],
    ['dump', /func idx \[1\]: pc = 0x\w+, size = 28 bytes <main>/],
  ])('is read whole by %s, which says that a kernel does not', async (command, expected) => {
    const { status, stdout, stderr } = await runShared(['sframe', command, FILE]);
    expect(stdout).toMatch(expected);
    expect(stdout).not.toContain('to annotate first');
    expect(stderr).toBe(WARNING);
    expect(status).toBe(0);
  });

  it('is compared whole', async () => {
    const { status, stdout } = await runShared(['sframe', 'diff', FILE, FILE]);
    expect(stdout).toBe(
      '3 functions equal, 0 changed, 0 only in the first, 0 only in the second\n',
    );
    expect(status).toBe(0);
  });

  it('is swept with all its rules', async () => {
    const args = ['sweep', '--image', FILE, '--function', 'main', '--kind', 'irq'];
    const { stdout, stderr } = await runShared([
      ...args,
      '--policy',
      'sframe-strict',
      '--no-progress',
    ]);
    expect(stderr).toBe(WARNING);
    expect(stdout).toMatch(/:main +\d+ +100%/);
  });
});
