/**
 * Thread ids in packets (GDB manual, appendix E.2 "thread-id"): hexadecimal numbers of any length,
 * where -1 means all and 0 any. They stand alone, or as `pPID.TID` or `pPID` of the multiprocess
 * extension.
 */

/** The id of the only process and of its only thread. */
const ONLY = 1n;

/** Whether `text` names the only thread; undefined when it is not a thread id. */
export function namesTheThread(text: string): boolean | undefined {
  const match = /^(?:p(-1|[0-9a-f]+)(?:\.(-1|[0-9a-f]+))?|(-1|[0-9a-f]+))$/i.exec(text);
  if (match === null) return undefined;
  const [, process, ofProcess, alone] = match;
  return [process, ofProcess, alone].every((id) => id === undefined || namesOnly(id));
}

/**
 * The first action of a `vCont` packet that applies to the only thread: `c`, `s`, `C` or `S`, with
 * or without a thread id. Undefined when there is none, or when any action is malformed.
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
