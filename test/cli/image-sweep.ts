/** Runs `sweep --image` as a user does, and reads its report. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SweepReport } from '../../sweep/report.js';
import { type Run, run } from './run-cli.js';

/** How a sweep of one function ended. */
export interface ImageSweep extends Run {
  readonly json: SweepReport;
}

/** Sweeps whose reports are written into a folder. */
export function imageSweeper(
  folder: string,
): (file: string, fn: string, ...args: string[]) => ImageSweep {
  const path = join(folder, 'report.json');
  return (file, fn, ...args) => {
    const image = ['--image', file, '--function', fn, ...args];
    const outcome = run(['sweep', ...image, '--json', path, '--no-progress']);
    return { ...outcome, json: JSON.parse(readFileSync(path, 'utf8')) as SweepReport };
  };
}
