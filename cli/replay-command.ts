/** Builds the command line that replays one point. A policy's walk is replayed in the debugger. */
import { formatFunction } from '../targets/function-text.js';
import { formatArguments } from '../targets/image-argument.js';
import type { SweepOptions } from '../sweep/sweep.js';
import type { PolicyName } from '../unwinder/policy.js';

/** What the user's own command line said. */
export interface ReplayContext {
  readonly image: string | undefined;
  readonly kernel: string | undefined;
  readonly offsets: string | undefined;
  readonly fn: string | undefined;
  readonly args: readonly string[];
  /** Undefined: all. */
  readonly policies: readonly PolicyName[] | undefined;
  /** As given. */
  readonly unwinder: string | undefined;
  readonly budget: number | undefined;
}

/** Makes the function that builds the command for a point of a target. */
export function replayCommand(context: ReplayContext): SweepOptions['replay'] {
  const { image, kernel, offsets, fn, args, policies, unwinder, budget } = context;
  return (target, point, policy) => {
    const words = ['npx', 'kunwind-lab', policy === undefined ? 'sweep' : 'debug'];
    if (kernel !== undefined) {
      const { args: called } = target.scenario;
      words.push('--kernel', kernel);
      if (offsets !== undefined) words.push('--offsets', offsets);
      words.push('--function', formatFunction(target.scenario));
      if (called !== undefined && called.length > 0)
        words.push('--args', ...formatArguments(called));
    } else if (image === undefined) words.push(target.scenario.name);
    else words.push('--image', image, '--function', fn ?? target.scenario.entry);
    if (args.length > 0) words.push('--args', ...args);
    if (policy !== undefined) words.push('--policy', policy);
    else if (policies !== undefined) words.push('--policy', policies.join(','));
    if (policy === undefined && unwinder !== undefined) words.push('--unwinder', unwinder);
    if (budget !== undefined) words.push('--budget', String(budget));
    words.push(policy === undefined ? '--point' : '--at', point);
    return words.map(shellWord).join(' ');
  };
}

/** Quoted for a POSIX shell, if necessary. */
function shellWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
