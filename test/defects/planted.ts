/** Plants defects in a copy of the package, one at a time, and says what its sweeps make of them. */
import type { Disassembler } from '../../aarch64/disassembler.js';
import type { Defect } from './defect.js';
import { editElf, type ElfEdit } from './elf-edit.js';
import { PackageCopy } from './package-copy.js';
import { redsOf, type Slice, sweepSlice } from './slice.js';
import { compileEdit, type SourceEdit } from './source-edit.js';

/** Have a source file edited while a copy of the package is used. */
export function withSourceEdit<T>(
  copy: PackageCopy,
  edit: SourceEdit,
  use: () => Promise<T>,
): Promise<T> {
  const { file, text } = compileEdit(edit);
  return copy.broken(file, () => text, use);
}

/** Plants defects, for one test file. */
export class Planter {
  readonly copy = new PackageCopy();

  constructor(private readonly disassembler: Disassembler) {}

  /** Have an edit made while the copy is used. */
  planted<T>(edit: SourceEdit | ElfEdit, use: () => Promise<T>): Promise<T> {
    const { copy } = this;
    if (!('elf' in edit)) return withSourceEdit(copy, edit, use);
    return copy.broken(edit.elf, (intact) => editElf(edit, intact, this.disassembler), use);
  }

  /** What is red in a slice, with an edit made or without one; see {@link redsOf}. */
  async reds(slice: Slice, edit?: SourceEdit | ElfEdit): Promise<string[]> {
    const sweep = () => sweepSlice(this.copy, slice);
    return redsOf(await (edit === undefined ? sweep() : this.planted(edit, sweep)));
  }

  /**
   * Plant a defect and sweep.
   * @returns what turned red first; undefined when the defect is shown by none
   * @throws Error when a slice that must show the defect is green, or red otherwise, and when one that
   * must not show it does
   */
  expectRed({ edit, shownBy, missedBy = [] }: Defect): Promise<string | undefined> {
    return this.planted(edit, async () => {
      let first: string | undefined;
      for (const { slice, red } of shownBy) {
        const reds = await this.reds(slice);
        if (reds[0] === undefined) throw new Error(`the defect survives ${slice.scenario}`);
        if (!reds.some((line) => line.includes(red))) {
          const title = `${slice.scenario} is red, but not with "${red}":`;
          throw new Error([title, ...reds.slice(0, 10)].join('\n  '));
        }
        first ??= `${slice.scenario} ${reds[0]}`;
      }
      for (const slice of missedBy) {
        const [red] = await this.reds(slice);
        if (red !== undefined) throw new Error(`${slice.scenario} shows the defect: ${red}`);
      }
      return first;
    });
  }
}
