/** The version in package.json. */
import { readFileSync } from 'node:fs';
import { packagePath } from '../base/package-path.js';

/** `0.1.0`. */
export function packageVersion(): string {
  const { version } = JSON.parse(readFileSync(packagePath('package.json'), 'utf8')) as {
    version: string;
  };
  return version;
}
