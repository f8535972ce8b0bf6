/** Comments and documents cite what is there: files, folders, and headings of documents. */
import { describe, expect, it } from 'vitest';
import { repositoryPath } from '../machine-fixture.js';
import { brokenCitations, type Tree, treeOf } from './citations.js';

const tree = treeOf(repositoryPath('.'));
/** This file, whose samples are broken on purpose. */
const OWN = 'test/docs/citations.test.ts';

/** A repository of a few files, by their texts. */
function treeWith(texts: Readonly<Record<string, string>>): Tree {
  const files = new Set(Object.keys(texts));
  const folders = new Set([...files].map((path) => path.replace(/\/[^/]*$/, '')));
  return { files, folders, read: (path) => texts[path] ?? '' };
}

const PLACES = {
  'docs/design.md': '# Design\n\n## Ground truth\n',
  'lab/judge.ts': 'export {};\n',
  'scripts/find.mjs': 'export {};\n',
};

/** What is broken about a file of that text. */
function brokenIn(path: string, text: string): string[] {
  return brokenCitations(path, treeWith({ ...PLACES, [path]: text }));
}

describe('citations of this repository', () => {
  it('are looked for in all of it', () => {
    const cited = [...tree.files].filter((path) => /\.(?:[chS]|ts|mjs|md|yml)$/.test(path));
    expect(cited.length).toBeGreaterThan(500);
    expect(tree.files).toContain('.ci/run');
  });

  it('are of what is there', () => {
    const looked = [...tree.files].filter((path) => path !== OWN);
    expect(looked.flatMap((path) => brokenCitations(path, tree))).toEqual([]);
  });
});

describe('a citation is found broken', () => {
  it.each([
    ['of a document', '/** Why is said in DESIGN.md. */', '1: DESIGN.md is not there'],
    ['of a file', '// As\n// in sweep/judge.ts.\n', '2: sweep/judge.ts is not there'],
    ['of a file beside it', '/* The rest is in judges.ts. */', '1: judges.ts is not there'],
    ['of a folder', '/* Those of lab/old/ as well. */', '1: lab/old/ is not there'],
    ['of a file without a suffix', '/** Built into lab/image. */', '1: lab/image is not there'],
    [
      'of a heading',
      '/**\n * One reason (docs/design.md, "Ground\n * truth" and "Verdicts").\n */',
      '2: docs/design.md has no heading "Verdicts"',
    ],
  ])('%s in a comment', (_, comment, what) => {
    expect(brokenIn('lab/point.ts', `${comment}\nconst one = 1;\n`)).toEqual([
      `lab/point.ts:${what}`,
    ]);
  });

  it.each([
    ['a link', 'See [the judge](../lab/judges.ts).', 'the link to ../lab/judges.ts leads nowhere'],
    ['an anchor', '[Truth](design.md#truth)', 'design.md has no heading for #truth'],
    ['code', 'It is `lab/judges` that judges.', 'lab/judges is not there'],
    ['plain text', 'Judged by lab/judges.ts.', 'lab/judges.ts is not there'],
  ])('%s of a document', (_, text, what) => {
    expect(brokenIn('docs/other.md', `# Other\n\n${text}\n`)).toContain(`docs/other.md:3: ${what}`);
  });

  it('in C, assembly and shell', () => {
    expect(brokenIn('lab/stub.S', '\tnop // lab/judge.S\n')).toEqual([
      'lab/stub.S:1: lab/judge.S is not there',
    ]);
    expect(brokenIn('lab/stub.c', '/* lab/judge.c */\n')).toEqual([
      'lab/stub.c:1: lab/judge.c is not there',
    ]);
    expect(brokenIn('.ci/run', '#!/bin/sh\n# Also lab/judges.ts.\n')).toEqual([
      '.ci/run:2: lab/judges.ts is not there',
    ]);
  });
});

describe('a citation is left alone', () => {
  it.each([
    ['that is right', '/* lab/judge.ts, judge.ts, docs/design.md, "Ground truth"; lab/. */'],
    ["of Linux's files", '/* kernel/kprobes.c, arch/arm64/kernel/entry.S, scripts/kallsyms.c */'],
    ['of any file', '/* FAMILY.ts, lab/FAMILY/ */'],
    ['of what lies outside', '/* ../shared/judges.ts, /lab/judges.ts */'],
    ['in code', "import { one } from './lab/judges.ts';"],
  ])('%s', (_, comment) => {
    expect(brokenIn('lab/point.ts', `${comment}\n`)).toEqual([]);
  });

  it.each([
    ['that a reader is to make', '```ts\n// lab/judges.ts\nexport {};\n```\n'],
    ['that a patch is of', '```diff\n--- a/lab/judge.ts\n+++ b/lab/judge.ts\n```\n'],
  ])('the name of a file %s', (_, text) => {
    expect(brokenIn('docs/other.md', text)).toEqual([]);
  });

  it('in the output of a command', () => {
    expect(brokenIn('docs/other.md', '```text\nbuilt lab/image\n```\n')).toEqual([]);
  });
});
