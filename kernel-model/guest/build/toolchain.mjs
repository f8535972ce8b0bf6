/** Finds and runs the AArch64 cross toolchain; binutils >= 2.46 writes SFrame version 3. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';

const TRIPLE = 'aarch64-linux-gnu-';
const MINIMUM = [2, 46];

/**
 * @typedef {object} Toolchain
 * @property {(tool: string, args: string[]) => string} run runs e.g. `gcc` in the repository's root;
 *   returns its standard output, throws an Error with the tool's own message if it fails
 * @property {Record<string, string>} versions first line of `--version` per tool
 */

/** @param {string} root @param {string[]} prefix @param {string} tool @param {string[]} args */
function spawn(root, prefix, tool, args) {
  const command = [...prefix, TRIPLE + tool, ...args];
  return spawnSync(/** @type {string} */ (command[0]), command.slice(1), {
    cwd: root,
    encoding: 'utf8',
    env: { ...process.env, LC_ALL: 'C', SOURCE_DATE_EPOCH: '0' },
  });
}

/**
 * KUNWIND_TOOLCHAIN is a command prefix, split at blanks ("" runs the tools from PATH). Without it, the
 * project's own chroot helper beside the repository is used if it is there, else PATH.
 *
 * @param {string} root the repository's root
 * @returns {Toolchain | string} a string says, in one line, what is missing
 */
export function findToolchain(root) {
  const helper = resolve(root, '../shared/tools/sid-toolchain');
  const given = process.env.KUNWIND_TOOLCHAIN;
  const prefix =
    given !== undefined
      ? given.split(/\s+/).filter((word) => word !== '')
      : existsSync(helper)
        ? ['sh', helper, 'run']
        : [];
  /** @type {Record<string, string>} */
  const versions = {};
  for (const tool of ['gcc', 'as', 'ld']) {
    const result = spawn(root, prefix, tool, ['--version']);
    if (result.status !== 0) {
      const command = [...prefix, TRIPLE + tool].join(' ');
      return `cannot run ${command}: need ${TRIPLE}gcc and binutils >= ${MINIMUM.join('.')} (set KUNWIND_TOOLCHAIN to a command prefix)`;
    }
    versions[tool] = result.stdout.split('\n', 1)[0] ?? '';
  }
  const found = /(\d+)\.(\d+)/.exec((versions.as ?? '').replace(/\(.*?\)/, ''));
  const [major, minor] = [Number(found?.[1] ?? 0), Number(found?.[2] ?? 0)];
  if (major < MINIMUM[0] || (major === MINIMUM[0] && minor < MINIMUM[1])) {
    return `binutils ${major}.${minor} is too old: need >= ${MINIMUM.join('.')} for SFrame version 3 (set KUNWIND_TOOLCHAIN)`;
  }
  return {
    versions,
    run(tool, args) {
      const result = spawn(root, prefix, tool, args);
      if (result.status !== 0) {
        throw new Error(`${TRIPLE}${tool} ${args.join(' ')}\n${result.stderr}`);
      }
      if (result.stderr !== '') process.stderr.write(result.stderr);
      return result.stdout;
    },
  };
}
