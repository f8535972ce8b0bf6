/** The arguments of a function, as `--args` takes them. */
import { fail, ok, type Result } from '../base/result.js';
import { ARGUMENT_AREA_SIZE } from '../kernel-model/machine.js';
import { MAX_ARGUMENTS } from '../kernel-model/thread-call.js';
import type { ScenarioArgument } from '../scenarios/scenario.js';

const FORMS = 'a number, buf:SIZE, buf:SIZE:FILL, self:SIZE or str:TEXT';

/** Parse arguments, that in x0 first. The error is one line. */
export function parseArguments(texts: readonly string[]): Result<ScenarioArgument[], string> {
  if (texts.length > MAX_ARGUMENTS) {
    return fail(`--args: ${texts.length} arguments, but x0..x7 take ${MAX_ARGUMENTS}`);
  }
  const args: ScenarioArgument[] = [];
  for (const text of texts) {
    const argument = parseArgument(text);
    if (typeof argument === 'string') return fail(`--args: ${argument}`);
    args.push(argument);
  }
  return ok(args);
}

/** Parse one argument. @returns it, or an error in one line */
function parseArgument(text: string): ScenarioArgument | string {
  if (text.startsWith('str:')) {
    const string = text.slice('str:'.length);
    // One byte more than the text, for the terminating zero.
    return { buffer: { size: new TextEncoder().encode(string).length + 1, text: string } };
  }
  if (text.startsWith('buf:') || text.startsWith('self:')) return parseBuffer(text);
  const number = parseNumber(text);
  if (number === undefined) return `'${text}' is not ${FORMS}`;
  return Number.isSafeInteger(number)
    ? { number }
    : `${text} does not fit: give a number below 2^53 or a sign-extended address`;
}

function parseBuffer(text: string): ScenarioArgument | string {
  const [form, sizeText = '', fillText, ...rest] = text.split(':');
  const size = parseNumber(sizeText);
  if (rest.length > 0 || size === undefined) return `'${text}' is not ${FORMS}`;
  // Buffers share an area with the structures of the call itself.
  const limit = ARGUMENT_AREA_SIZE / 2;
  if (size < 1 || size > limit) return `${text}: the size must be 1 to ${limit} bytes`;
  if (form === 'self') {
    return fillText === undefined ? { self: { size } } : `'${text}' is not ${FORMS}`;
  }
  if (fillText === undefined) return { buffer: { size } };
  const fill = parseNumber(fillText);
  if (fill === undefined || fill < 0 || fill > 255) return `${text}: the fill must be 0 to 255`;
  return { buffer: { size, fill } };
}

/** The texts of arguments for {@link parseArguments}. Symbols, which it does not know, become 0. */
export function formatArguments(args: readonly ScenarioArgument[]): string[] {
  return args.map((argument) => {
    if ('number' in argument) return String(argument.number);
    if ('self' in argument) return `self:${argument.self.size}`;
    if ('symbol' in argument) return '0';
    const { size, text, fill } = argument.buffer;
    if (text !== undefined) return `str:${text}`;
    return fill === undefined ? `buf:${size}` : `buf:${size}:${fill}`;
  });
}

/** A decimal or hexadecimal number, which may be negative. Values from 2^63 on are taken as signed. */
function parseNumber(text: string): number | undefined {
  const match = /^(-?)(0x[0-9a-f]{1,16}|\d{1,20})$/i.exec(text);
  if (match === null) return undefined;
  const magnitude = BigInt(match[2] ?? '');
  return Number(BigInt.asIntN(64, match[1] === '-' ? -magnitude : magnitude));
}
