/** Binary search in ascending sequences. */

/** Index of the last of `values` that is at most `wanted`, or -1. */
export function lastAtOrBelow(values: ArrayLike<number>, wanted: number): number {
  let low = 0;
  let high = values.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((values[middle] as number) <= wanted) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** Index of the last item whose value is at most `wanted`, or -1. */
export function lastWithAtMost<T>(
  items: readonly T[],
  wanted: number,
  valueOf: (item: T) => number,
): number {
  let low = 0;
  let high = items.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (valueOf(items[middle] as T) <= wanted) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** Index of the first of `values` that is greater than `low` and less than `high`, or -1. */
export function firstBetween(values: ArrayLike<number>, low: number, high: number): number {
  const next = lastAtOrBelow(values, low) + 1;
  return next < values.length && (values[next] as number) < high ? next : -1;
}
