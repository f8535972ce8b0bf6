// `npm run engine:newest`: unpacks the distribution's newest libunicorn that this machine's C library can load
// into node_modules/.cache, where it is preferred to every other. Exit status: 0 it is there, 1 it could not be
// had (network, signature, disk), 3 this machine cannot have it.
import * as fs from 'node:fs';
import { join } from 'node:path';
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
import { compareVersions, engineCache, findEngine, newestFolder } from './find-engine.mjs';
import { debianMirrors, newestLoadable, osRelease } from './newest-package.mjs';

/** Newest first: what one of them has and the C library cannot load, an older one may have in time for it. */
const SUITES = ['sid', 'testing', 'stable'];

/** Keys of Debian's archive, the ones that a Debian machine verifies its own packages with. */
const KEYRINGS = [
  '/usr/share/keyrings/debian-archive-keyring.pgp',
  '/usr/share/keyrings/debian-archive-keyring.gpg',
];

/** What is not signed by those keys is refused, whatever the machine's own apt allows. */
const SIGNED_ONLY = [
  'Acquire::AllowInsecureRepositories=false',
  'Acquire::AllowWeakRepositories=false',
  'Acquire::AllowDowngradeToInsecureRepositories=false',
  'APT::Get::AllowUnauthenticated=false',
].flatMap((option) => ['-o', option]);

/** @returns exit status and one line */
function main() {
  const glibc = glibcVersion();
  if (glibc === undefined) return cannot("this machine's C library is not glibc");
  if (!hasAptTools()) return cannot('this is no machine with apt and dpkg-deb');
  const keyring = KEYRINGS.find((path) => fs.existsSync(path));
  if (keyring === undefined) {
    return cannot("the keys of Debian's archive are not here (apt install debian-archive-keyring)");
  }
  const uris = run('apt-get', ['-o', 'Debug::NoLocking=1', '--print-uris', 'update']).output;
  const mirrors = debianMirrors(uris, osRelease('/etc/os-release'));
  if (mirrors.length === 0) return cannot("apt's sources name no mirror of Debian");
  const problems = [];
  for (const mirror of mirrors) {
    for (const suite of SUITES) {
      const result = inWorkFolder((work) => unpackFrom(work, { mirror, suite, keyring, glibc }));
      if (typeof result !== 'string') return result;
      problems.push(`${suite}: ${result}`);
    }
  }
  return failed(problems.join('; '));
}

/** The result, or what is wrong with this suite. */
function unpackFrom(work, { mirror, suite, keyring, glibc }) {
  const options = [...QUIET, ...SIGNED_ONLY, ...privateState(work)];
  options.push(...privateSources(work, `[signed-by=${keyring}] ${mirror} ${suite} main`));
  console.error(`kunwind-lab: apt-get update of Debian ${suite}, into a folder of its own`);
  const update = run('apt-get', [...options, '-o', 'APT::Update::Error-Mode=any', 'update']);
  if (!update.ok) return `apt-get update: ${update.message}`;
  const names = candidatesOf(options);
  const shown = names.length === 0 ? '' : run('apt-cache', [...options, 'show', ...names]).output;
  const { wanted, problem } = newestLoadable(shown, glibc);
  if (wanted === undefined) return problem;
  const current = findEngine();
  const isThere = current.ok && current.value.backend === 'libunicorn';
  if (isThere && compareVersions(current.value.version, wanted.upstream) >= 0) {
    const { version, path } = current.value;
    return done(
      `Unicorn ${version} is there already (${path}); Debian ${suite} has ${wanted.version}`,
    );
  }
  const unpacked = download(work, options, `${wanted.name}=${wanted.version}`);
  if (unpacked.problem !== undefined) return unpacked.problem;
  // Loaded where it was unpacked: what does not load is not put where the search finds it.
  const loads = findEngine({ env: { ...process.env, KUNWIND_LIBUNICORN: unpacked.library } });
  if (!loads.ok) return `${wanted.name} ${wanted.version} does not load (${loads.error})`;
  const folder = newestFolder(engineCache);
  install(unpacked, folder);
  const { version } = loads.value;
  return done(
    `unpacked Unicorn ${version} of Debian ${suite} to ${join(folder, 'libunicorn.so.2')}`,
  );
}

/** Options that give apt one source, and none of the machine's own sources and preferences. */
function privateSources(work, line) {
  const list = join(work, 'newest.list');
  fs.writeFileSync(list, `deb ${line}\n`);
  const none = join(work, 'none');
  fs.mkdirSync(none, { recursive: true });
  return [
    `Dir::Etc::SourceList=${list}`,
    `Dir::Etc::SourceParts=${none}`,
    'Dir::Etc::Preferences=/dev/null',
    `Dir::Etc::PreferencesParts=${none}`,
  ].flatMap((option) => ['-o', option]);
}

/** `2.36`; undefined where the C library is another. */
function glibcVersion() {
  // What the report would look up on the network is of no use here, and takes time.
  process.report.excludeNetwork = true;
  return process.report.getReport().header.glibcVersionRuntime;
}

function done(text) {
  return { status: 0, text };
}

function failed(reason) {
  return { status: 1, text: `engine:newest: the newest engine could not be had: ${reason}` };
}

function cannot(reason) {
  const instead = 'pip install unicorn brings 2.1';
  return { status: 3, text: `engine:newest: not for this machine: ${reason}; ${instead}` };
}

const { status, text } = main();
(status === 0 ? console.log : console.error)(`kunwind-lab: ${text}`);
process.exitCode = status;
