/**
 * The assembly routines of arch/arm64/lib (v7.3-rc7), with arguments that take each through its loops.
 * A kernel may lack some of them.
 */
import type { ElfSymbol } from '../elf/symbols.js';
import { MAX_ARGUMENTS } from '../kernel-model/thread-call.js';
import type { ScenarioArgument, Tracing } from '../scenarios/scenario.js';
import { parseArguments } from './image-argument.js';

/** A routine: its possible names, the preferred one first, and arguments in the form of `--args`. */
interface Routine {
  readonly names: readonly string[];
  readonly args: readonly string[];
}

const TEXT = 'str:one string that is longer than two blocks of sixteen bytes';

const ROUTINES: readonly Routine[] = [
  { names: ['__pi_clear_page', 'clear_page'], args: ['buf:4096:1'] },
  { names: ['__pi_copy_page', 'copy_page'], args: ['buf:4096', 'buf:4096:1'] },
  { names: ['__arch_clear_user'], args: ['buf:256:1', '130'] },
  { names: ['__arch_copy_from_user'], args: ['buf:256', 'buf:256:1', '150'] },
  { names: ['__arch_copy_to_user'], args: ['buf:256', 'buf:256:1', '150'] },
  { names: ['__pi_memchr', 'memchr'], args: ['buf:64', '-1', '64'] },
  { names: ['__pi_memcmp', 'memcmp'], args: ['buf:256:7', 'buf:256:7', '200'] },
  { names: ['__pi_memcpy', 'memcpy'], args: ['buf:256', 'buf:256:1', '100'] },
  { names: ['__pi_memcpy_generic'], args: ['buf:512', 'buf:512:1', '300'] },
  { names: ['__pi_memset', 'memset'], args: ['buf:256', '0x5a', '200'] },
  { names: ['__pi_memset_generic'], args: ['buf:512', '0', '500'] },
  { names: ['__pi_strchr', 'strchr'], args: [TEXT, '0x78'] },
  { names: ['__pi_strcmp', 'strcmp'], args: [TEXT, TEXT] },
  { names: ['__pi_strlen', 'strlen'], args: [TEXT] },
  { names: ['__pi_strncmp', 'strncmp'], args: [TEXT, TEXT, '50'] },
  { names: ['__pi_strnlen', 'strnlen'], args: [TEXT, '50'] },
  { names: ['__pi_strrchr', 'strrchr'], args: [TEXT, '0x6f'] },
  { names: ['__ashlti3'], args: ['0x1234', '0x5678', '70'] },
  { names: ['__ashrti3'], args: ['0x1234', '0x5678', '9'] },
  { names: ['__lshrti3'], args: ['0x1234', '0x5678', '9'] },
  { names: ['crc32_le_arm64'], args: ['-1', 'buf:256:1', '200'] },
  { names: ['crc32_be_arm64'], args: ['-1', 'buf:256:1', '200'] },
];

/** A call of a function. */
export interface FunctionCall {
  readonly name: string;
  readonly args: readonly ScenarioArgument[];
  readonly tracing?: Tracing;
}

/** Calls of the routines that a kernel has. @param symbol looks up a function by its name */
export function arm64Routines(symbol: (name: string) => ElfSymbol | undefined): FunctionCall[] {
  const calls: FunctionCall[] = [];
  for (const { names } of ROUTINES) {
    const name = names.find((candidate) => symbol(candidate) !== undefined);
    if (name !== undefined) calls.push({ name, args: usualArguments(name) ?? [] });
  }
  return calls;
}

/** Bytes of each buffer that is passed to a function about which nothing is known. */
const UNKNOWN_SIZE = 512;

/** Pointers in x0 to x7 to buffers that are filled with pointers to themselves. */
export const SELF_ARGUMENTS: readonly ScenarioArgument[] = Array.from(
  { length: MAX_ARGUMENTS },
  () => ({ self: { size: UNKNOWN_SIZE } }),
);

/** What a function is called with when the user gives no arguments. */
export function defaultArguments(name: string): readonly ScenarioArgument[] {
  return usualArguments(name) ?? SELF_ARGUMENTS;
}

/** The arguments for a routine, or undefined when no routine has that name. */
function usualArguments(name: string): readonly ScenarioArgument[] | undefined {
  const routine = ROUTINES.find(({ names }) => names.includes(name));
  const args = routine === undefined ? undefined : parseArguments(routine.args);
  return args?.ok === true ? args.value : undefined;
}
