// Which package `npm run engine:newest` wants, out of what apt prints. Functions of text, so that tests need no
// network.
import { readFileSync } from 'node:fs';
import { compareVersions } from './find-engine.mjs';

/** Suites of Debian that no other distribution has, but for those named by codename. */
const SUITES = ['stable', 'oldstable', 'testing', 'unstable', 'sid'];

/** The file's lines as an object; empty where there is none. */
export function osRelease(path) {
  let text;
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    return {};
  }
  const lines = [...text.matchAll(/^([A-Z_]+)="?([^"\n]*)"?$/gm)];
  return Object.fromEntries(lines.map(([, name, value]) => [name, value]));
}

/**
 * Mirrors that the machine has Debian itself from, each once: no address is written down here, and a company's
 * own mirror is used where the machine does. Another archive that has a suite of the same name is among them; it
 * has not Debian's signature.
 * @param uris what `apt-get --print-uris update` prints
 */
export function debianMirrors(uris, { ID, VERSION_CODENAME }) {
  if (ID !== 'debian') return [];
  const suites = new Set([...SUITES, VERSION_CODENAME]);
  const mirrors = [...uris.matchAll(/^'(\S+)\/dists\/([^/']+)\/InRelease'/gm)]
    .filter(([, , suite]) => suites.has(suite))
    .map(([, mirror]) => mirror);
  return [...new Set(mirrors)];
}

/**
 * The newest package that a C library can load, or why there is none.
 * @param shown what `apt-cache show` prints of the candidates
 * @param glibc version of this machine's C library
 */
export function newestLoadable(shown, glibc) {
  const packages = shown.split(/\n{2,}/).flatMap((stanza) => {
    const field = (name) => new RegExp(`^${name}: (.*)$`, 'm').exec(stanza)?.[1];
    const [name, version] = [field('Package'), field('Version')];
    if (name === undefined || version === undefined) return [];
    const needs = /\blibc6(?::\w+)? \(>= ([0-9.]+)\)/.exec(field('Depends') ?? '')?.[1];
    return [{ name, version, upstream: upstreamOf(version), needs: needs ?? '0' }];
  });
  // A renamed package (libunicorn2t64) replaces the plain one of the same version.
  packages.sort((a, b) => compareVersions(b.upstream, a.upstream) || b.name.length - a.name.length);
  const wanted = packages.find(({ needs }) => compareVersions(needs, glibc) <= 0);
  const [newest] = packages;
  if (wanted !== undefined) return { wanted };
  if (newest === undefined) return { problem: 'it has no package libunicorn2' };
  const { name, version, needs } = newest;
  return { problem: `${name} ${version} needs glibc ${needs}, this machine has ${glibc}` };
}

/** `2.0.1` of `1:2.0.1.post1-1+b1`. */
function upstreamOf(version) {
  return /^(?:\d+:)?(\d+(?:\.\d+)*)/.exec(version)?.[1] ?? '0';
}
