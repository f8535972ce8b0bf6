/**
 * What comments and documents cite of this repository, and which of it is not there.
 *
 * Comments cite Linux's files as well (`kernel/kprobes.c`, `entry.S`), so a path is taken for one of
 * ours by what it looks like: its suffix is one that Linux's sources do not have (.ts, .mts, .mjs, .md),
 * or it begins with one of our top folders, and that has files of this suffix (`scripts/kallsyms.c` is
 * Linux's). A word in capitals (`FAMILY.ts`) stands for any name. What lies outside of the repository
 * is not looked at.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';

/** Made by tools, and in no commit. */
const NOT_OURS = ['.git', 'coverage', 'dist', 'node_modules'];

/** The files of a repository, by their paths from its root. */
export interface Tree {
  readonly files: ReadonlySet<string>;
  /** Without a slash at the end; the root is not among them. */
  readonly folders: ReadonlySet<string>;
  readonly read: (path: string) => string;
}

/** The tree below a folder. */
export function treeOf(root: string): Tree {
  const files = new Set<string>();
  const folders = new Set<string>();
  const add = (folder: string): void => {
    for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
      if (!entry.isDirectory()) files.add(path);
      else if (folder !== '' || !NOT_OURS.includes(entry.name)) {
        folders.add(path);
        add(path);
      }
    }
  };
  add('');
  return { files, folders, read: (path) => readFileSync(join(root, path), 'utf8') };
}

/** A piece of text that may cite something. */
interface Passage {
  readonly text: string;
  /** Line of the file in which it begins, from 1. */
  readonly line: number;
  /** Paths without a suffix are looked at, too: `kernel-model/guest/vmlinux`. */
  readonly bare: boolean;
}

const BLOCK_OR_LINES = /\/\*[\s\S]*?\*\/|(?<=^|\s)\/\/[^\n]*(?:\n[ \t]*\/\/[^\n]*)*/gm;
const HASH_LINES = /(?<=^|\s)#[^\n]*(?:\n[ \t]*#[^\n]*)*/gm;
/** How a line of a comment begins, which is no part of its text. */
const LINE_START = /\n[ \t]*(?:\/\/|\*(?!\/)|#)?[ \t]*/g;
const FENCE = /^([ \t]*)```[^\n]*\n[\s\S]*?^\1```/gm;
const CODE_SPAN = /`[^`\n]+`/g;
const LINK = /\]\(([^)\s]+)\)/g;

function passages(text: string, pattern: RegExp, bare: boolean): Passage[] {
  return [...text.matchAll(pattern)].map((found) => ({
    text: found[0],
    line: lineAt(text, found.index),
    bare,
  }));
}

/** From 1. */
function lineAt(text: string, index: number): number {
  return text.slice(0, index).split('\n').length;
}

/** The comments of a source file, or undefined for a file of another sort. */
function commentsOf(path: string, text: string): Passage[] | undefined {
  if (/\.(?:m?ts|m?js|[chS]|lds)$/.test(path)) return passages(text, BLOCK_OR_LINES, true);
  if (/\.(?:sh|ya?ml)$|^\.ci\//.test(path)) return passages(text, HASH_LINES, true);
  return undefined;
}

/** What names the file that a fenced block is, or is a patch of: the first may be there for readers to make. */
const FILE_LINE = /(?<=^```\w+\n)(?:\/\*|\/\/) \S+(?: \*\/)?$|^(?:--- a|\+\+\+ b)\/\S+$/gm;

/** The paragraphs of a document; commands and their output, in fences, may name files of others. */
function paragraphsOf(document: string): Passage[] {
  const text = document.replace(FILE_LINE, (line) => ' '.repeat(line.length));
  return [
    ...passages(text, /[^\n]+(?:\n[^\n]+)*/g, false),
    ...passages(
      text.replace(FENCE, (fence) => fence.replace(/[^\n]/g, ' ')),
      CODE_SPAN,
      true,
    ),
  ];
}

const PATH = /(?<![\w./~$}*<-])\.?\w[\w.+-]*(?:\/[\w.+-]+)*\/?/g;
const OUR_SUFFIX = /\w\.(?:m?ts|mjs|md)$/;
const SUFFIX = /\.\w+$/;
const ANY_NAME = /(?:^|\/)[A-Z][A-Z_]+(?:\.m?ts|\/|$)/;
/** `docs/design.md, "Words" and "Verdicts"`, from the comma on. */
const HEADINGS = /^, "[^"]+"(?:(?:,| and|, and) "[^"]+")*/;

/** One line for each citation in a file of something that is not there. */
export function brokenCitations(path: string, tree: Tree): string[] {
  const text = tree.read(path);
  const isDocument = path.endsWith('.md');
  const found = isDocument ? paragraphsOf(text) : (commentsOf(path, text) ?? []);
  const broken = new Set<string>();
  const report = (line: number, what: string): void => {
    broken.add(`${path}:${line}: ${what}`);
  };
  for (const { cited, line, quoted } of found.flatMap((passage) => citationsIn(passage, tree))) {
    const file = resolve(cited, path, tree);
    if (file === undefined) report(line, `${cited} is not there`);
    else if (file.endsWith('.md')) {
      const known = headings(tree.read(file));
      for (const heading of quoted.filter((name) => !known.includes(name))) {
        report(line, `${cited} has no heading "${heading}"`);
      }
    }
  }
  if (isDocument) for (const { line, what } of brokenLinks(path, text, tree)) report(line, what);
  return [...broken];
}

/** A path, and the headings that are quoted behind it. */
interface Citation {
  readonly cited: string;
  readonly line: number;
  readonly quoted: readonly string[];
}

function citationsIn({ text, line, bare }: Passage, tree: Tree): Citation[] {
  return [...text.matchAll(PATH)].flatMap((found) => {
    const cited = found[0].replace(/[.+-]+$/, '');
    if (!isOurs(cited, bare, tree)) return [];
    const behind = text.slice(found.index + cited.length).replace(/^`/, '');
    const list = HEADINGS.exec(behind.replace(LINE_START, ' '))?.[0] ?? '';
    const quoted = [...list.matchAll(/"([^"]+)"/g)].map(([, heading]) => heading ?? '');
    return [{ cited, line: line + lineAt(text, found.index) - 1, quoted }];
  });
}

function isOurs(cited: string, bare: boolean, { files, folders }: Tree): boolean {
  if (ANY_NAME.test(cited)) return false;
  if (OUR_SUFFIX.test(cited)) return true;
  const top = /^([^/]+)\//.exec(cited)?.[1];
  if (top === undefined || !folders.has(top)) return false;
  const suffix = SUFFIX.exec(cited)?.[0];
  if (suffix === undefined) return bare || cited.endsWith('/');
  return [...files].some((file) => file.startsWith(`${top}/`) && file.endsWith(suffix));
}

/** The file or folder that is meant: from the root, from beside the citing file, or by its last parts. */
function resolve(cited: string, from: string, { files, folders }: Tree): string | undefined {
  const path = cited.replace(/\/$/, '');
  for (const candidate of [path, normalize(join(dirname(from), path))]) {
    if (files.has(candidate) || folders.has(candidate)) return candidate;
  }
  for (const file of files) if (file.endsWith(`/${path}`)) return file;
  return undefined;
}

function headings(document: string): string[] {
  return [...document.matchAll(/^#+ +(.*?) *$/gm)].map(([, heading]) => heading ?? '');
}

/** The anchor that GitHub makes of a heading. */
function anchor(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\w\s-]/g, '')
    .replace(/\s/g, '-');
}

function brokenLinks(path: string, text: string, tree: Tree): { line: number; what: string }[] {
  return [...text.matchAll(LINK)].flatMap((found) => {
    const [target = '', fragment] = (found[1] ?? '').split('#');
    if (/^[a-z]+:/.test(target)) return [];
    const line = lineAt(text, found.index);
    const file = target === '' ? path : normalize(join(dirname(path), target));
    if (!tree.files.has(file) && !tree.folders.has(file.replace(/\/$/, ''))) {
      return [{ line, what: `the link to ${target} leads nowhere` }];
    }
    if (fragment === undefined || headings(tree.read(file)).map(anchor).includes(fragment))
      return [];
    return [{ line, what: `${target} has no heading for #${fragment}` }];
  });
}
