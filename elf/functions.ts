/** Looks up functions of an image by the name that a user typed. */
import type { ElfImage } from './image.js';
import { isMarker, nearestNames } from './symbol-names.js';
import type { ElfSymbol } from './symbols.js';

/**
 * The function of that name: a symbol in an executable segment. Global symbols win over local ones.
 */
export function findFunction(image: ElfImage, name: string): ElfSymbol | undefined {
  let found: ElfSymbol | undefined;
  for (const symbol of image.symbols) {
    if (symbol.name !== name || !isCode(image, symbol)) continue;
    if (symbol.global) return symbol;
    found ??= symbol;
  }
  return found;
}

/** Every name of the code at that function's address, with its own; only that where there is no such function. */
export function namesOfFunction(image: ElfImage, name: string): string[] {
  const found = findFunction(image, name);
  if (found === undefined) return [name];
  const others = image.symbols.filter(
    (symbol) => symbol.address === found.address && symbol.name !== name && isCode(image, symbol),
  );
  return [name, ...new Set(others.map((symbol) => symbol.name))];
}

function isCode(image: ElfImage, symbol: ElfSymbol): boolean {
  const { kind, absolute, address } = symbol;
  return (
    kind !== 'object' &&
    !absolute &&
    address % 4 === 0 &&
    !isMarker(symbol) &&
    image.segments.some(
      (segment) =>
        segment.executable &&
        address >= segment.address &&
        address < segment.address + segment.memorySize,
    )
  );
}

/** One line on why {@link findFunction} did not find a name. */
export function noFunction(image: ElfImage, name: string): string {
  const known = image.symbols.find((symbol) => symbol.name === name);
  if (known !== undefined) return `${name} is not code: there is nothing to sweep`;
  const names = image.symbols
    .filter((symbol) => isCode(image, symbol))
    .map((symbol) => symbol.name);
  const near = nearestNames(name, new Set(names), 3);
  const hint = near.length > 0 ? `; did you mean ${near.join(', ')}?` : '';
  return `no function ${name}${image.stripped ? ' (the file is stripped)' : ''}${hint}`;
}
