// Post-install step: on a Debian or Ubuntu machine without libunicorn, unpacks the
// distribution's own package into node_modules/.cache. Needs no root and changes nothing
// outside node_modules. It fails no installation but one for a node that is too old: kunwind-lab
// checks again when it starts, and says then what is missing. KUNWIND_ENGINE_DOWNLOAD=0 switches it off.
import {
  candidatesOf,
  download,
  hasAptTools,
  inWorkFolder,
  install,
  privateState,
  QUIET,
  run,
} from './apt-engine.mjs';
import { engineCache, findEngine } from './find-engine.mjs';

/** The oldest node that works, as package.json has it. */
const [MAJOR, MINOR] = [20, 19];

function main() {
  const before = findEngine();
  // What the system and the user provide is not this step's to replace; neither is a
  // library that an earlier run unpacked and that still loads.
  if (before.ok && before.value.backend === 'libunicorn') return;
  if ((process.env.KUNWIND_LIBUNICORN ?? '') !== '') return say(before.error);
  // Another copy would not load either.
  if (before.lacksMemory) return say(before.error);
  if (process.env.KUNWIND_ENGINE_DOWNLOAD === '0') return say(`${hintOf(before)} (not downloaded)`);

  // Standard error: npm shows both at once, and this must not wait for a buffer.
  const hasApt = hasAptTools();
  if (hasApt) console.error('kunwind-lab: no libunicorn here, fetching it with apt');
  const problem = hasApt
    ? inWorkFolder(downloadAndUnpack)
    : 'this is no machine with apt and dpkg-deb';
  const after = findEngine();
  if (after.ok && after.value.backend === 'libunicorn') {
    say(`unpacked Unicorn ${after.value.version} to ${after.value.path}`);
  } else {
    const reason = problem ?? 'the unpacked library does not load';
    say(`did not unpack the engine (${reason}). ${hintOf(after)}`);
  }
}

function hintOf(found) {
  return found.ok ? `Using ${found.value.backend}` : found.error;
}

/** Undefined on success, otherwise what went wrong. */
function downloadAndUnpack(work) {
  let options = QUIET;
  let name = packageName(options);
  if (name === undefined) {
    // Containers come without package lists. Private ones need no root.
    const state = privateState(work);
    console.error('kunwind-lab: apt-get update, into a folder of its own');
    const update = run('apt-get', [...options, ...state, 'update']);
    if (!update.ok) return `apt-get update: ${update.message}`;
    options = [...options, ...state];
    name = packageName(options);
  }
  if (name === undefined) return 'apt knows no package libunicorn2';
  const unpacked = download(work, options, name);
  return unpacked.problem ?? install(unpacked, engineCache);
}

/** The newest of libunicorn2, libunicorn2t64, ...: the number is the library's major version. */
function packageName(options) {
  return candidatesOf(options).find((name) => hasCandidate(options, name));
}

/** Whether apt could download it: a name stays known when its package is only installed or gone. */
function hasCandidate(options, name) {
  return run('apt-get', [...options, '--print-uris', 'download', name]).output.includes(name);
}

function say(text) {
  console.log(`kunwind-lab: ${text}`);
}

const [major, minor] = process.versions.node.split('.').map(Number);
if (major < MAJOR || (major === MAJOR && minor < MINOR)) {
  const is = process.versions.node;
  console.error(`kunwind-lab: Node.js ${MAJOR}.${MINOR} or newer is needed, this is ${is}`);
  process.exit(2);
}
try {
  main();
} catch (error) {
  say(`the engine check failed: ${error instanceof Error ? error.message : String(error)}`);
}
