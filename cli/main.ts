#!/usr/bin/env node
try {
  const { runProgram } = await import('./program.js');
  await runProgram(process.argv.slice(2));
} catch (error) {
  // Only an incomplete installation gets here: the program answers for everything else.
  process.exitCode = 2;
  const message = error instanceof Error ? error.message : String(error);
  process.stderr.write(`kunwind-lab: internal error: ${message.split('\n')[0] ?? ''}\n`);
  if (process.env['KUNWIND_DEBUG'] === '1') throw error;
}
