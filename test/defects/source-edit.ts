/** A defect in TypeScript: one edit of one source file, compiled as the build compiles it. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type typescript from 'typescript';
import { PACKAGE_ROOT } from '../../base/package-path.js';

// Not imported: Node would read all of its 9 MB once more, for the names of what it exports.
const ts = createRequire(import.meta.url)('typescript') as typeof typescript;

/** A change of one source file. */
export interface SourceEdit {
  /** Source file, named from the package's root. */
  readonly file: string;
  /** Text that occurs in it exactly once. */
  readonly find: string;
  readonly replace: string;
}

/** The JavaScript of an edited file, and where in the package it belongs. */
export interface CompiledEdit {
  readonly file: string;
  readonly text: string;
}

/** Sources whose build is known to be theirs. */
const builtFrom = new Set<string>();

/**
 * Make an edit and compile the file.
 * @param root of the package
 * @throws Error that says what is wrong: the text is gone, or there more than once; the result does not
 * compile, or is the same; the package's build is older than its source
 */
export function compileEdit(
  { file, find, replace }: SourceEdit,
  root = PACKAGE_ROOT,
): CompiledEdit {
  const source = readFileSync(join(root, file), 'utf8');
  const [before, after, ...more] = source.split(find);
  if (before === undefined || after === undefined || more.length > 0) {
    const times = after === undefined ? 'not there' : `there ${more.length + 1} times`;
    throw new Error(`${file}: the text to be replaced is ${times}: ${JSON.stringify(find)}`);
  }
  const built = `dist/${file.replace(/\.ts$/, '.js')}`;
  const intact = readFileSync(join(root, built), 'utf8');
  if (!builtFrom.has(source)) {
    if (intact !== compile(file, source)) {
      throw new Error(`${built} is not what ${file} compiles to: npm run build`);
    }
    builtFrom.add(source);
  }
  const text = compile(file, before + replace + after);
  if (text === intact) throw new Error(`${file}: the edit makes no difference to the code`);
  return { file: built, text };
}

/** What the build makes of a source file; types are not checked. */
function compile(fileName: string, source: string): string {
  const { outputText, diagnostics = [] } = ts.transpileModule(source, {
    fileName,
    reportDiagnostics: true,
    compilerOptions: {
      target: ts.ScriptTarget.ES2022,
      module: ts.ModuleKind.ESNext,
      verbatimModuleSyntax: true,
    },
  });
  const [error] = diagnostics;
  if (error === undefined) return outputText;
  const message = ts.flattenDiagnosticMessageText(error.messageText, ' ');
  throw new Error(`${fileName}: the edit does not compile: ${message}`);
}
