/**
 * A copy of the built package, for tests that break it. It is a folder of its own with a package.json,
 * so that its code finds its own data files (base/package-path.ts).
 */
import {
  copyFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll } from 'vitest';
import { packagePath } from '../../base/package-path.js';

/** Beginning of the folder's name: vitest.config.ts leaves the modules in it to Node. */
const PREFIX = 'kunwind-copy-';
/** Where the package's code is, in the package and in a copy that is intact. */
const BUILT = 'dist';

/** A copy; removed when the test file ends. */
export class PackageCopy {
  readonly root: string;
  /** Folder with the code. */
  private code = BUILT;
  private brokenCodes = 0;

  constructor() {
    const files = packageFiles();
    this.root = mkdtempSync(join(tmpdir(), PREFIX));
    afterAll(() => {
      rmSync(this.root, { recursive: true });
    });
    for (const folder of new Set(files.map((file) => dirname(file)))) {
      mkdirSync(join(this.root, folder), { recursive: true });
    }
    for (const file of files) link(packagePath(file), join(this.root, file));
    symlinkSync(packagePath('node_modules'), join(this.root, 'node_modules'));
  }

  /** The path of a file, named from the package's root: its place in the intact copy. */
  path(file: string): string {
    return join(this.root, file);
  }

  /**
   * Have one file of the package replaced while the copy is used.
   * @param file named from the package's root; of code, the built file
   * @param change of its contents
   */
  async broken<T>(
    file: string,
    change: (intact: Uint8Array) => string | Uint8Array,
    use: () => Promise<T>,
  ): Promise<T> {
    const isCode = file.startsWith(`${BUILT}/`);
    const contents = change(readFileSync(this.path(file)));
    // Modules are known by their paths: code moves to a new one, where all of it is loaded anew.
    if (isCode) this.moveCode(`${BUILT}-${++this.brokenCodes}`);
    const path = join(this.root, isCode ? this.code + file.slice(BUILT.length) : file);
    try {
      // Not in place: until now it is the package's own file.
      rmSync(path);
      writeFileSync(path, contents);
      return await use();
    } finally {
      rmSync(path, { force: true });
      link(packagePath(file), path);
      if (isCode) this.moveCode(BUILT);
    }
  }

  /**
   * A module of the copy as it is now; the caller says its type, that of the source file.
   * @param source the source file, named from the package's root
   */
  async import<Module>(source: string): Promise<Module> {
    const path = join(this.root, this.code, source.replace(/\.ts$/, '.js'));
    return (await import(/* @vite-ignore */ path)) as Module;
  }

  private moveCode(to: string): void {
    renameSync(join(this.root, this.code), join(this.root, to));
    this.code = to;
  }
}

/** What the built code is made of and what it reads. */
function packageFiles(): string[] {
  const isElf = (file: string): boolean => /(^|\/)(vmlinux[^/]*|[^/]*\.elf)$/.test(file);
  return [
    'package.json',
    ...filesIn('scripts'),
    ...filesIn(BUILT).filter((file) => file.endsWith('.js')),
    ...filesIn('kernel-model/guest').filter(isElf),
    ...filesIn('scenarios').filter(isElf),
  ];
}

function filesIn(folder: string): string[] {
  if (!existsSync(packagePath(folder))) throw new Error(`${folder}/ is missing: npm run build`);
  return readdirSync(packagePath(folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(packagePath('').length));
}

/** A hard link, or where there can be none, a copy. */
function link(from: string, to: string): void {
  try {
    linkSync(from, to);
  } catch {
    copyFileSync(from, to);
  }
}
