/** A question on the status line. */

/** A question whose answer is typed as a text, or given by one of some keys. */
export interface Prompt {
  readonly label: string;
  readonly text: string;
  /** Keys that answer at once. Absent: the answer is a text, ended by Enter. */
  readonly choices?: readonly string[];
  readonly done: (text: string) => void | Promise<void>;
}

/** What a key does to a prompt: it changes it, answers it, or closes it. */
export type PromptStep =
  | { readonly kind: 'open'; readonly prompt: Prompt }
  | { readonly kind: 'answered'; readonly text: string }
  | { readonly kind: 'left' };

/** Longest text that can be typed. */
const LONGEST = 200;

/** Handle one key. */
export function promptKey(prompt: Prompt, key: string): PromptStep {
  if (key === 'ESCAPE' || key === 'CTRL_C' || key === 'CTRL_G') return { kind: 'left' };
  if (prompt.choices !== undefined) {
    return prompt.choices.includes(key)
      ? { kind: 'answered', text: key }
      : { kind: 'open', prompt };
  }
  const { text } = prompt;
  switch (key) {
    case 'ENTER':
    case 'KP_ENTER':
    case 'CTRL_J':
      return text.trim() === '' ? { kind: 'left' } : { kind: 'answered', text: text.trim() };
    case 'BACKSPACE':
    case 'DELETE':
      return { kind: 'open', prompt: { ...prompt, text: text.slice(0, -1) } };
    case 'CTRL_U':
      return { kind: 'open', prompt: { ...prompt, text: '' } };
    default:
      return key.length === 1 && text.length < LONGEST
        ? { kind: 'open', prompt: { ...prompt, text: text + key } }
        : { kind: 'open', prompt };
  }
}
