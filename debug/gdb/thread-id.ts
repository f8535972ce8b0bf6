/**
 * Thread ids as packets have them (GDB manual, appendix E.2 "thread-id"): hexadecimal of any length, -1
 * for all and 0 for any, alone or as `pPID.TID` or `pPID` of the multiprocess extension.
 */

/** The id of the one process, and that of its one thread. */
const ONLY = 1n;

/** Whether `text` names the one thread that there is; undefined when it is no thread id. */
export function namesTheThread(text: string): boolean | undefined {
  const match = /^(?:p(-1|[0-9a-f]+)(?:\.(-1|[0-9a-f]+))?|(-1|[0-9a-f]+))$/i.exec(text);
  if (match === null) return undefined;
  const [, process, ofProcess, alone] = match;
  return [process, ofProcess, alone].every((id) => id === undefined || namesOnly(id));
}

/**
 * The first of the actions of `vCont` that is for the one thread: `c`, `s`, `C` or `S`, with or without a
 * thread id. Undefined where there is none, or where one of them is malformed.
 */
export function actionOfTheThread(text: string): string | undefined {
  let found: string | undefined;
  for (const action of text.split(';')) {
    const match = /^([cs]|[CS][0-9a-fA-F]{2})(?::(.*))?$/s.exec(action);
    if (match === null) return undefined;
    const [, kind, thread = '-1'] = match;
    const named = namesTheThread(thread);
    if (named === undefined) return undefined;
    if (named) found ??= kind;
  }
  return found;
}

function namesOnly(id: string): boolean {
  if (id === '-1') return true;
  const value = BigInt(`0x${id}`);
  return value === 0n || value === ONLY;
}
