/** A line of the bench's table. */
export interface Row {
  readonly what: string;
  readonly value: string;
  /** The same value by another measure. */
  readonly also?: string;
  /** The value that the project aims for, if any. */
  readonly target?: string;
  readonly reached?: boolean;
}

/** Rows under a heading. */
export interface Section {
  readonly title: string;
  readonly rows: readonly Row[];
  /** What exactly was measured, where the rows do not say so. */
  readonly notes?: readonly string[];
}

/** A plain table, with one line per row and columns aligned over all sections. */
export function formatSections(sections: readonly Section[]): string {
  const rows = sections.flatMap((section) => section.rows);
  const width = (text: (row: Row) => string): number =>
    Math.max(...rows.map((row) => text(row).length));
  const whatWidth = width((row) => row.what);
  const valueWidth = width((row) => row.value);
  const alsoWidth = width((row) => row.also ?? '');
  const line = (row: Row): string => {
    const value = row.value.padStart(valueWidth);
    const start = `  ${row.what.padEnd(whatWidth)}  ${value}  ${(row.also ?? '').padStart(alsoWidth)}`;
    if (row.target === undefined) return start.trimEnd();
    const verdict = row.reached === undefined ? '' : row.reached ? ': reached' : ': NOT reached';
    return `${start}   target ${row.target}${verdict}`;
  };
  return sections
    .map((section) =>
      [section.title, ...section.rows.map(line), ...(section.notes ?? []).map((n) => `    ${n}`)]
        .join('\n')
        .trimEnd(),
    )
    .join('\n\n');
}

/** A whole number, with thousands separators. */
export function grouped(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}
