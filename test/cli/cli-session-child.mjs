/**
 * The process of a session: executes one command line after the other, see cli-session.ts. A command
 * line is over when nothing keeps this process alive any more, as with a process of its own: late
 * output, errors and status belong to it. Its status is sent then.
 */
const [program] = process.argv.splice(2);
const emitters = [process, process.stdout, process.stderr];

/** The command line that is being executed. */
let running;

process.on('message', ({ words, extra }) => {
  running = { listeners: listeners(), settled: false, environment: { ...process.env } };
  process.exitCode = undefined;
  process.argv.splice(2, Infinity, ...words);
  Object.assign(process.env, extra);
  process.channel.unref();
  // A rejection is not handled: it ends this process, and the session sees how.
  void execute(words, running);
});

process.on('beforeExit', () => {
  if (running === undefined) return;
  endListeners(running.listeners);
  restoreEnvironment(running.environment);
  // What node ends with when the main module waits for what never comes.
  const status = process.exitCode ?? (running.settled ? 0 : 13);
  running = undefined;
  process.channel.ref();
  process.send(status);
});

process.on('disconnect', () => process.exit());

async function execute(words, given) {
  const { runProgram } = await import(program);
  await runProgram(words);
  given.settled = true;
}

function restoreEnvironment(before) {
  for (const name of Object.keys(process.env)) {
    if (!(name in before)) Reflect.deleteProperty(process.env, name);
  }
  Object.assign(process.env, before);
}

function listeners() {
  return emitters.map((emitter) => emitter.eventNames().map((name) => emitter.rawListeners(name)));
}

/** Takes away the listeners of a command line, which would add up; those of `exit` are called. */
function endListeners(before) {
  for (const [i, emitter] of emitters.entries()) {
    const kept = new Set(before[i].flat());
    for (const name of emitter.eventNames()) {
      for (const listener of emitter.rawListeners(name)) {
        if (kept.has(listener)) continue;
        if (emitter === process && name === 'exit') listener.call(process, process.exitCode ?? 0);
        emitter.removeListener(name, listener);
      }
    }
  }
}
