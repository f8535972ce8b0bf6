#!/usr/bin/env node
// An old node must be able to read this file, to say that it is too old. So nothing is imported
// before that check, and no syntax here is newer than modules are.

/** The oldest node that works, as in package.json. */
const [MAJOR, MINOR] = [20, 19] as const;

function isTooOld(version: string): boolean {
  const [major, minor] = version.split('.').map(Number) as [number, number];
  return major < MAJOR || (major === MAJOR && minor < MINOR);
}

/** Only an incomplete installation gets here; the program itself reports every other error. */
function internalError(error: unknown): void {
  process.exitCode = 2;
  const message = error instanceof Error ? error.message : String(error);
  process.stderr.write(`kunwind-lab: internal error: ${message.split('\n')[0] as string}\n`);
  if (process.env['KUNWIND_DEBUG'] === '1') throw error;
}

if (isTooOld(process.versions.node)) {
  process.exitCode = 2;
  process.stderr.write(
    `kunwind-lab: Node.js ${MAJOR}.${MINOR} or newer is needed, this is ${process.versions.node}\n`,
  );
} else {
  import('./program.js')
    .then(({ runProgram }) => runProgram(process.argv.slice(2)))
    .catch(internalError);
}
