/** Runs `sweep --kernel`, and reads its report. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SweepReport } from '../../sweep/report.js';
import type { Run } from './run-cli.js';

/** Kernel-like: its vectors and entry code are laid out as Linux's are. */
export const GUEST = 'kernel-model/guest/vmlinux';

/** How a sweep ended; without a report when none was written. */
export interface KernelSweep extends Run {
  readonly json: SweepReport | undefined;
}

/**
 * Sweeps whose reports are written into a folder.
 * @param execute runs a command line
 */
export function sweeper(
  folder: string,
  execute: (args: readonly string[]) => Run | Promise<Run>,
): (kernel: string, ...args: string[]) => Promise<KernelSweep> {
  const path = join(folder, 'report.json');
  return async (kernel, ...args) => {
    const words = ['sweep', '--kernel', kernel, ...args, '--json', path];
    const outcome = await execute([...words, '--no-progress']);
    const json = existsSync(path)
      ? (JSON.parse(readFileSync(path, 'utf8')) as SweepReport)
      : undefined;
    return { ...outcome, json };
  };
}
