/** Which commands are found in a document: one that is missed would not be run. */
import { describe, expect, it } from 'vitest';
import { commandsOf, withoutPrompt } from './commands.js';

/** The commands of a document that consists of these lines, with line numbers. */
function found(...lines: readonly string[]): string[] {
  return commandsOf(lines.join('\n')).map(({ command, line }) => `${line}: ${command}`);
}

describe('the commands of a document', () => {
  it.each([
    [
      'of a sh block',
      ['```sh', 'one --a # why', '', '# only a comment', 'two', '```'],
      ['2: one --a', '5: two'],
    ],
    [
      'in several lines',
      ['```sh', 'one \\', '    --a', 'cat x |', '    two', '```'],
      ['3: one --a', '5: cat x | two'],
    ],
    ['behind a prompt', ['```text', '$ one', 'printed', '$ two', '```'], ['2: one', '4: two']],
    [
      'of an indented block',
      ['Text', '', '    npx kunwind-lab list', '    no command'],
      ['3: npx kunwind-lab list'],
    ],
    ['of a block in a list', ['- Item:', '  ```sh', '  one', '  ```'], ['3: one']],
    ['in running text', ['See `npx kunwind-lab sweep calls`.'], ['1: npx kunwind-lab sweep calls']],
  ])('are found %s', (_, lines, commands) => {
    expect(found(...lines)).toEqual(commands);
  });

  it.each([
    ['what a command prints', ['```text', 'npm run test', '```']],
    ['code', ['```ts', "const one = '$ two';", '```']],
    ['a name for what a reader has', ['Say `npx kunwind-lab doctor --kernel VMLINUX`.']],
    ['indented text of a list', ['- Item', '  goes on,', '    and on']],
  ])('are not %s', (_, lines) => {
    expect(found(...lines)).toEqual([]);
  });

  it('have the output that follows them, and what is said of them', () => {
    const [printed, said] = commandsOf(
      '```text\n$ one\na\n...\n```\n\n```sh\ntwo  # exits with 1\n```\n',
    );
    expect(printed?.output).toBe('a\n...\n');
    expect(said).toMatchObject({ command: 'two', comment: 'exits with 1' });
    expect(said?.output).toBeUndefined();
  });

  it('have the assignments before them', () => {
    const [first, second] = commandsOf(
      '`npx kunwind-lab list`\n\n```sh\nL=x.gz\n```\n\n`npx kunwind-lab doctor --kernel $L`\n',
    );
    expect(first?.setup).toBe('');
    expect(second?.setup).toBe('L=x.gz\n');
  });

  it('need a prompt beside output', () => {
    expect(withoutPrompt('```text\nnpx kunwind-lab list\n```\n')).toEqual(['npx kunwind-lab list']);
    expect(withoutPrompt('```sh\nnpx kunwind-lab list\n```\n')).toEqual([]);
  });
});
