// The lockfile names a build for every platform its packages offer: npm writes an incomplete one when the registry lacks some,
// and `npm ci` then refuses it on the machines that need them.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

interface LockedPackage {
  version?: string;
  optionalDependencies?: Record<string, string>;
  peerDependencies?: Record<string, string>;
  resolved?: string;
}

const lock: { packages: Record<string, LockedPackage> } = JSON.parse(
  readFileSync(new URL('../package-lock.json', import.meta.url), 'utf8'),
);

/** Where Node would look for `name` from the package at `path`, innermost first. */
function candidates(path: string, name: string): string[] {
  const places: string[] = [];
  let at = path;
  for (;;) {
    places.push(`${at ? `${at}/` : ''}node_modules/${name}`);
    if (at === '') return places;
    const up = at.lastIndexOf('/node_modules/');
    at = up < 0 ? '' : at.slice(0, up);
  }
}

test('every optional dependency in the lockfile has an entry', () => {
  const missing = Object.entries(lock.packages).flatMap(([path, found]) =>
    Object.keys(found.optionalDependencies ?? {})
      .filter(name => !candidates(path, name).some(place => lock.packages[place]))
      .map(name => `${path || 'package.json'} wants ${name}`),
  );
  assert.deepEqual(missing, []);
});

test('the lockfile names no registry host', () => {
  const named = Object.entries(lock.packages).filter(([, found]) => found.resolved?.startsWith('http'));
  assert.deepEqual(
    named.map(([path]) => path),
    [],
  );
});

test('dependencies are pinned exactly', () => {
  const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  const loose = Object.entries({ ...manifest.dependencies, ...manifest.devDependencies } as Record<
    string,
    string
  >).filter(([, range]) => !/^(npm:[@\w/-]+@)?\d+\.\d+\.\d+$/.test(range));
  assert.deepEqual(loose, []);
});
