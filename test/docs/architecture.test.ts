/** A newcomer finds a sentence about every folder. */
import { expect, it } from 'vitest';
import { repositoryPath } from '../machine-fixture.js';
import { treeOf } from './citations.js';

const tree = treeOf(repositoryPath('.'));

/** Folders with code or documents, two levels deep; a family of scenarios is like any other. */
function folders(): string[] {
  const found = new Set<string>();
  for (const path of tree.files) {
    const [top = '', second = '', ...rest] = path.split('/');
    if (!/\.(?:[chS]|m?ts|mjs|md)$/.test(path) || second === '' || top.startsWith('.')) continue;
    found.add(top);
    if (rest.length > 0 && top !== 'test' && top !== 'scenarios') found.add(`${top}/${second}`);
  }
  return [...found].sort();
}

it('docs/architecture.md has a sentence about every folder', () => {
  const rows = tree.read('docs/architecture.md').matchAll(/^\| `([\w/-]+)\/` +\| \S/gm);
  const described = [...rows].map(([, folder]) => folder ?? '').sort();
  expect(folders().length).toBeGreaterThan(20);
  expect(described).toEqual(folders());
});
