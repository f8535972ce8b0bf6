/** Documents and CI name npm scripts that there are. */
import { expect, it } from 'vitest';
import { repositoryPath } from '../machine-fixture.js';
import { treeOf } from './citations.js';

const tree = treeOf(repositoryPath('.'));
const manifest = JSON.parse(tree.read('package.json')) as { scripts: Record<string, string> };

it('every npm script that is named is in package.json', () => {
  const texts = [...tree.files].filter((path) => path.endsWith('.md') || path === '.ci/run');
  const named = texts.flatMap((path) =>
    [...tree.read(path).matchAll(/\bnpm run (?:-s |--silent )?([a-z:]+)/g)].map(
      ([, script = '']) => script,
    ),
  );
  expect(named.length).toBeGreaterThan(20);
  expect(named.filter((script) => !Object.hasOwn(manifest.scripts, script))).toEqual([]);
});
