/** The fenced and the indented blocks of a Markdown document. */

/** One block of code. */
export interface Block {
  /** The word after the fence; empty for an indented block. */
  readonly language: string;
  /** Without the fences and the indentation of the whole, with a newline after each line. */
  readonly text: string;
  /** Line of the document with the block's first line, from 1. */
  readonly line: number;
}

const FENCE = /^( *)```(\w*)/;

/** All blocks of a document, in order. */
export function blocksOf(document: string): Block[] {
  const blocks: Block[] = [];
  const lines = document.split('\n');
  for (let i = 0; i < lines.length; i++) {
    const fence = FENCE.exec(lines[i] ?? '');
    const isIndented = /^ {4}\S/.test(lines[i] ?? '') && (lines[i - 1] ?? '') === '';
    if (fence === null && !isIndented) continue;
    const [, indent = '    ', language = ''] = fence ?? [];
    if (fence !== null) i++;
    const line = i + 1;
    const end = (text: string): boolean =>
      fence === null ? !text.startsWith(indent) && text !== '' : text === `${indent}\`\`\``;
    const body: string[] = [];
    for (; i < lines.length && !end(lines[i] ?? ''); i++) {
      body.push((lines[i] ?? '').slice(indent.length));
    }
    while (body.at(-1) === '') body.pop();
    blocks.push({ language, text: body.map((one) => `${one}\n`).join(''), line });
  }
  return blocks;
}
