// `npm run sweep:engines`: the default sweep on the oldest and the newest engine that this machine has, whose
// reports must be equal but for times. Where there is only one, the distribution's newest is fetched first.
// `-- SCENARIO...` sweeps those, `--engine FILE` twice names the engines. Exit status: 0 equal and both all as
// promised, 1 different or not as promised, 2 wrong usage, 3 skipped: there is no second engine.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { compareVersions, findEngine, findEngines } from './find-engine.mjs';
import { reportDifferences } from './report-differences.mjs';

const PROGRAM = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url));
const NEWEST = fileURLToPath(new URL('engine-newest.mjs', import.meta.url));

/** Differences that are printed; the first is mostly the cause of the others. */
const SHOWN = 10;

function main() {
  const options = { engine: { type: 'string', multiple: true } };
  let given;
  try {
    given = parseArgs({ options, allowPositionals: true });
  } catch (error) {
    return usage(error.message);
  }
  const { values, positionals } = given;
  const engines = values.engine === undefined ? twoEngines() : values.engine.map(namedEngine);
  if (engines.length !== 2) {
    if (values.engine !== undefined) return usage('--engine is given twice, or not at all');
    const [only] = engines;
    const what = only === undefined ? 'no libunicorn' : `only Unicorn ${only.version}`;
    return end(3, `skipped, nothing was compared: this machine has ${what}`);
  }
  const wrong = engines.find(({ error }) => error !== undefined);
  if (wrong !== undefined) return usage(wrong.error);
  const folder = mkdtempSync(join(tmpdir(), 'kunwind-engines-'));
  try {
    return compare(engines, positionals, folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The oldest and the newest; fewer where that is all there is. */
function twoEngines() {
  const engines = ordered();
  if (engines.length > 1) return [engines[0], engines.at(-1)];
  spawnSync(process.execPath, [NEWEST], { stdio: ['ignore', 'inherit', 'inherit'] });
  const now = ordered();
  return now.length > 1 ? [now[0], now.at(-1)] : now;
}

function ordered() {
  return findEngines().sort((a, b) => compareVersions(a.version, b.version));
}

function namedEngine(path) {
  const found = findEngine({ env: { ...process.env, KUNWIND_LIBUNICORN: path } });
  return found.ok ? found.value : { error: found.error };
}

function compare(engines, scenarios, folder) {
  const reports = [];
  let isRed = false;
  for (const [index, { version, path }] of engines.entries()) {
    const file = join(folder, `${index}.json`);
    const args = [PROGRAM, 'sweep', ...scenarios, '--json', file];
    const env = { ...process.env, KUNWIND_LIBUNICORN: path };
    const stdio = ['ignore', 'pipe', 'inherit'];
    const maxBuffer = 2 ** 28;
    const { status, stdout } = spawnSync(process.execPath, args, { env, stdio, maxBuffer });
    if (status !== 0 && status !== 1) {
      return end(status ?? 1, `the sweep on Unicorn ${version} (${path}) ended with ${status}`);
    }
    if (status === 1) {
      process.stdout.write(stdout);
      isRed = true;
    }
    const report = JSON.parse(readFileSync(file, 'utf8'));
    const { points, seconds, pointsPerSecond } = report;
    console.log(
      `Unicorn ${version}: ${points} points in ${seconds.toFixed(1)} s, ${pointsPerSecond} a second, ` +
        `exit status ${status} (${path})`,
    );
    reports.push(report);
  }
  const [a, b] = reports;
  const [first, second] = engines.map(({ version }) => version);
  const differences = reportDifferences(a, b);
  for (const { where, left, right } of differences.slice(0, SHOWN)) {
    console.log(`${where}: ${left} on ${first}, ${right} on ${second}`);
  }
  if (differences.length > 0) {
    return end(1, `the reports of ${first} and ${second} differ in ${differences.length} places`);
  }
  if (isRed) return end(1, 'the reports are equal, and not as promised');
  return end(0, `the reports of ${first} and ${second} are equal but for times`);
}

function usage(reason) {
  return end(2, reason);
}

function end(status, text) {
  (status === 0 ? console.log : console.error)(`sweep:engines: ${text}`);
  return status;
}

process.exitCode = main();
