/** Whoever waits for more than a moment is told what for: nothing long is silent. */
import { appendFileSync, copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { run, scratchFolder } from './run-cli.js';
import { runShared } from './shared-session.js';

const folder = scratchFolder();
afterAll(() => {
  folder.remove();
});

const GUEST = 'kernel-model/guest/vmlinux';

describe('without a terminal', () => {
  it('the choice of a sample says that it begins, and how far it is', async () => {
    const args = ['sweep', '--kernel', GUEST, '--sample', '2', '--policy', 'frame-pointer'];
    const { status, stderr } = await runShared([...args, '--kind', 'irq', '--jobs', '1']);
    expect(stderr).toMatch(
      /^choosing 2 functions of kernel-model\/guest\/vmlinux\n( *\d+%\n)+kunwind-lab: 2 functions of \d+ tried; [^\n]*\nsweeping /m,
    );
    expect(status).toBe(0);
    const silent = await runShared([...args, '--kind', 'irq', '--jobs', '1', '--no-progress']);
    expect(silent.stderr).not.toMatch(/choosing|sweeping|%/);
  });

  it('verifying a large file says so, and a small one is done before that is read', async () => {
    const large = join(folder.path, 'large.elf');
    copyFileSync('scenarios/calls/calls.elf', large);
    // Behind the section headers: nothing of it is read.
    appendFileSync(large, Buffer.alloc(2 ** 21));
    const verified = await runShared(['sframe', 'verify', large, '--jobs', '1']);
    expect(verified.stderr).toMatch(new RegExp(`^verifying ${large}\n( *\\d+%\n)+$`));
    expect(verified.stderr).toMatch(/\n100%\n$/);
    const small = await runShared(['sframe', 'verify', 'scenarios/calls/calls.elf', '--jobs', '1']);
    expect(small.stderr).toBe('');
    expect(verified.stdout).toBe(small.stdout);
  });

  it('many runs of the stacktrace tests say how far they are, few do not', async () => {
    const args = ['kunit', '--policy', 'sframe-v5,sframe-v6,sframe-strict'];
    expect((await runShared([...args, '--matrix'])).stderr).toMatch(
      /^running 22 cases under 3 policies\n( *\d+%\n)+$/,
    );
    expect((await runShared([...args, '--case', 'nounwind'])).stderr).toBe('');
  });

  it('measuring many scenarios says how far it is', () => {
    const { stderr } = run(['sweep', '--kind', 'serror', '--policy', 'frame-pointer']);
    expect(stderr).toMatch(
      /^sweeping \d+ scenarios: .*\nmeasuring \d+ scenarios\n( *\d+%\n){10} *10% {2}[\d,]+ points, /,
    );
  });
});
