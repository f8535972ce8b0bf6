/** Runs `sweep --kernel` as a user does, and reads its report. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SweepReport } from '../../sweep/report.js';
import { type Run, run } from './run-cli.js';

/** Kernel-like: its vectors and entry code are laid out as Linux's are. */
export const GUEST = 'kernel-model/guest/vmlinux';

/** How a sweep ended; without a report when none was written. */
export interface KernelSweep extends Run {
  readonly json: SweepReport | undefined;
}

/** Sweeps whose reports are written into a folder. */
export function sweeper(folder: string): (kernel: string, ...args: string[]) => KernelSweep {
  const path = join(folder, 'report.json');
  return (kernel, ...args) => {
    const outcome = run(['sweep', '--kernel', kernel, ...args, '--json', path, '--no-progress']);
    const json = existsSync(path)
      ? (JSON.parse(readFileSync(path, 'utf8')) as SweepReport)
      : undefined;
    return { ...outcome, json };
  };
}
