// What differs between the reports of two sweeps that should be the same.

/** Members that differ from run to run: times, and on how many processes it ran. */
const VOLATILE = new Set(['seconds', 'pointsPerSecond', 'jobs']);

/** Places where two JSON values differ, in the order of the first; each with both values as text. */
export function reportDifferences(a, b, where = 'report') {
  if (isObject(a) && isObject(b) && Array.isArray(a) === Array.isArray(b)) {
    const names = [...new Set([...Object.keys(a), ...Object.keys(b)])];
    return names
      .filter((name) => !VOLATILE.has(name))
      .flatMap((name) => reportDifferences(a[name], b[name], place(where, name, a)));
  }
  return a === b ? [] : [{ where, left: shown(a), right: shown(b) }];
}

/** Scenarios, functions and the like have names, which say more than their number. */
function place(where, member, of) {
  if (!Array.isArray(of)) return `${where}.${member}`;
  const name = of[Number(member)]?.name;
  return `${where}[${typeof name === 'string' ? name : member}]`;
}

function isObject(value) {
  return typeof value === 'object' && value !== null;
}

function shown(value) {
  const text = value === undefined ? 'absent' : JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 60)}...` : text;
}
