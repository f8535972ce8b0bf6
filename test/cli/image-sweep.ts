/** Runs `sweep --image`, and reads its report. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SweepReport } from '../../sweep/report.js';
import type { Run } from './run-cli.js';

/** How a sweep of one function ended. */
export interface ImageSweep extends Run {
  readonly json: SweepReport;
}

/**
 * Sweeps whose reports are written into a folder.
 * @param execute runs a command line
 */
export function imageSweeper(
  folder: string,
  execute: (args: readonly string[]) => Run | Promise<Run>,
): (file: string, fn: string, ...args: string[]) => Promise<ImageSweep> {
  const path = join(folder, 'report.json');
  return async (file, fn, ...args) => {
    const image = ['--image', file, '--function', fn, ...args];
    const outcome = await execute(['sweep', ...image, '--json', path, '--no-progress']);
    return { ...outcome, json: JSON.parse(readFileSync(path, 'utf8')) as SweepReport };
  };
}
