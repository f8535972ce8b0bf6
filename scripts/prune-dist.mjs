// The last step of `npm run build`: removes from dist/ what no source compiles to any more, which the compiler
// leaves there. Else a module that was moved goes on working from where it was.
import { existsSync, readdirSync, rmdirSync, rmSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Removes stale modules, and folders that are empty then. */
function prune(root, folder = join(root, 'dist')) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) {
      prune(root, path);
      if (readdirSync(path).length === 0) rmdirSync(path);
    } else if (path.endsWith('.js')) {
      const source = relative(join(root, 'dist'), path).replace(/\.js$/, '.ts');
      if (!existsSync(join(root, source))) rmSync(path);
    }
  }
}

prune(process.argv[2] ?? fileURLToPath(new URL('..', import.meta.url)));
