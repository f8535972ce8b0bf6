/** Pairs the entries of truth and trace, so that they can be printed side by side. */

/** One line, as indices of an entry of truth, of trace, or of both; -1 where there is none. */
export interface AlignedPair {
  readonly truth: number;
  readonly trace: number;
}

/** Align two lists by a longest common subsequence. Every entry is in one pair, in order. */
export function alignEntries<T>(
  truth: readonly T[],
  trace: readonly T[],
  equal: (a: T, b: T) => boolean,
): AlignedPair[] {
  const columns = trace.length + 1;
  const common = new Uint16Array((truth.length + 1) * columns);
  const at = (i: number, j: number): number => common[i * columns + j] ?? 0;
  const same = (i: number, j: number): boolean => equal(truth[i] as T, trace[j] as T);
  for (let i = truth.length - 1; i >= 0; i--) {
    for (let j = trace.length - 1; j >= 0; j--) {
      common[i * columns + j] = same(i, j)
        ? at(i + 1, j + 1) + 1
        : Math.max(at(i + 1, j), at(i, j + 1));
    }
  }
  const pairs: AlignedPair[] = [];
  let i = 0;
  let j = 0;
  while (i < truth.length || j < trace.length) {
    if (i < truth.length && j < trace.length && same(i, j)) {
      pairs.push({ truth: i++, trace: j++ });
    } else if (i < truth.length && (j >= trace.length || at(i + 1, j) >= at(i, j + 1))) {
      pairs.push({ truth: i++, trace: -1 });
    } else {
      pairs.push({ truth: -1, trace: j++ });
    }
  }
  return pairs;
}
