import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { loadElf } from '../../../elf/image.js';
import { BugTable } from '../../../kernel-model/vmlinux/bug-table.js';
import { symbolsByName } from '../../../kernel-model/vmlinux/image.js';
import { ROOT } from '../../cli/run-cli.js';

const KERNEL = join(ROOT, '../shared/kernels/vmlinux-7.3-rc7.gz');
const BRK_0X800 = 0xd4210000;

it.skipIf(!existsSync(KERNEL))(
  'every site of a real kernel is a breakpoint in a source file',
  () => {
    const elf = loadElf(KERNEL);
    if (!elf.ok) throw new Error(elf.error.kind);
    const symbols = symbolsByName(elf.value);
    const address = (name: string) => symbols.get(name)?.address;
    const table = BugTable.read(
      elf.value,
      address('__start___bug_table'),
      address('__stop___bug_table'),
    );
    expect(table.size).toBeGreaterThan(3000);
    const handler = symbols.get('kprobe_brk_handler');
    const text = elf.value.segments[0];
    if (handler === undefined || text === undefined) throw new Error('not this kernel');
    const view = new DataView(text.data.buffer, text.data.byteOffset, text.data.length);
    const sites = [];
    for (let at = handler.address; at < handler.address + handler.size; at += 4) {
      if (view.getUint32(at - text.address, true) === BRK_0X800) sites.push(table.at(at));
    }
    expect(sites).toHaveLength(3);
    for (const site of sites) expect(site?.place).toMatch(/probes\/kprobes\.c:\d+$/);
    // WARN_ON of a breakpoint that no kprobe has, and BUG() for one inside another's reentry.
    expect(sites.map((site) => site?.warning)).toContain(true);
    expect(sites.map((site) => site?.warning)).toContain(false);
  },
);
