/**
 * The commands that a document shows: the lines of `sh` and `bash` blocks, those of other blocks after a
 * prompt `$ `, with the output that follows them, and indented blocks and code spans that begin with
 * `npx`, `npm` or `node`.
 */
import { type Block, blocksOf } from './blocks.js';

/** One command. */
export interface ShownCommand {
  /** As a shell reads it, in one line, without its comment. */
  readonly command: string;
  /** Whether it is a line of a fenced block, or of running text: a span, or indented. */
  readonly kind: 'script' | 'text';
  /** What is said of it behind `#`; empty where nothing is. */
  readonly comment: string;
  /** What it is shown to print; undefined where no output is shown. */
  readonly output?: string;
  /** Assignments (`K=vmlinux`) of the document before it, for a shell. */
  readonly setup: string;
  /** Line of the document, from 1. */
  readonly line: number;
}

type Found = Omit<ShownCommand, 'setup'>;

const PROGRAM = /^(?:npx|npm|node) /;
const SHELL = ['sh', 'bash'];
const ASSIGNMENT = /^\w+=\S+$/;
/** A word in capitals stands for what a reader has (`VMLINUX`): not a command to be run as it is. */
const PLACEHOLDER = /(?:^|[\s:])[A-Z]+(?:[\s+:]|$)/;

/** All commands of a document, in order. */
export function commandsOf(document: string): ShownCommand[] {
  const all = [...blocksOf(document).flatMap(ofBlock), ...ofSpans(document)];
  const found = all.filter(({ command }) => !PLACEHOLDER.test(command));
  const commands: ShownCommand[] = [];
  let setup = '';
  for (const one of found.sort((a, b) => a.line - b.line)) {
    if (ASSIGNMENT.test(one.command)) setup += `${one.command}\n`;
    else commands.push({ ...one, setup });
  }
  return commands;
}

/** Lines of blocks that look like a command, but of which nobody can tell: they lack a prompt. */
export function withoutPrompt(document: string): string[] {
  return blocksOf(document)
    .filter(({ language }) => !SHELL.includes(language) && language !== '')
    .flatMap(({ text }) => text.split('\n').filter((line) => PROGRAM.test(line)));
}

function ofBlock(block: Block): Found[] {
  if (SHELL.includes(block.language)) return ofScript(block);
  if (block.language !== '') return ofConsole(block);
  return ofScript(block).filter(({ command }) => PROGRAM.test(command));
}

function ofScript({ text, language, line }: Block): Found[] {
  const kind = language === '' ? 'text' : 'script';
  const found: Found[] = [];
  let before = '';
  for (const [i, one] of text.split('\n').entries()) {
    const [, code = '', comment = ''] = /^(.*?)(?:(?:^|\s+)#\s*(.*))?$/.exec(one) ?? [];
    const command = `${before} ${code.replace(/\\$/, '').trim()}`.trim();
    before = /[\\|]$/.test(code) ? command : '';
    if (before === '' && command !== '') found.push({ command, comment, kind, line: line + i });
  }
  return found;
}

function ofConsole({ text, line }: Block): Found[] {
  const found: (Found & { readonly printed: string[] })[] = [];
  for (const [i, one] of text.split('\n').entries()) {
    const command = /^\$ (.*)/.exec(one)?.[1];
    if (command === undefined) found.at(-1)?.printed.push(one);
    else found.push({ command, comment: '', kind: 'script', line: line + i, printed: [] });
  }
  return found.map(({ printed, ...one }) => {
    const output = printed.join('\n');
    return output.trim() === '' ? one : { ...one, output };
  });
}

function ofSpans(document: string): Found[] {
  const lines = document.split('\n');
  let isFenced = false;
  return lines.flatMap((text, i): Found[] => {
    if (/^ *```/.test(text)) isFenced = !isFenced;
    if (isFenced) return [];
    const spans = [...text.matchAll(/`(npx kunwind-lab [^`]+|npx vitest [^`]+)`/g)];
    return spans.map(([, command = '']) => ({
      command,
      comment: '',
      kind: 'text' as const,
      line: i + 1,
    }));
  });
}
