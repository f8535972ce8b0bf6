/**
 * Before a build: removes from dist/ what was compiled from sources that have moved or gone. The
 * compiler leaves it there, and imports of it would still work until the next clean clone.
 */
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const dist = join(root, 'dist');

for (const name of existsSync(dist) ? readdirSync(dist, { recursive: true }) : []) {
  if (!name.endsWith('.js')) continue;
  if (!existsSync(join(root, name.replace(/\.js$/, '.ts')))) rmSync(join(dist, name));
}
