import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { memory, type OpenLab } from './memory.ts';

/** A browser's storage, as far as it is used here. */
function storage(): Storage {
  const kept = new Map<string, string>();
  return {
    getItem: key => kept.get(key) ?? null,
    setItem: (key, value) => void kept.set(key, value),
    removeItem: key => void kept.delete(key),
  } as Storage;
}
const page = globalThis as { localStorage?: Storage; sessionStorage?: Storage };
const openTab = () => {
  page.sessionStorage = storage();
};
const open = (lab: string): OpenLab => ({ lab, cluster: { kind: 'practice' } });
beforeEach(() => {
  page.localStorage = storage();
  openTab();
});

test('a tab comes back to its own lab when another was opened in another tab since', () => {
  memory.rememberOpenLab(open('one'));
  const first = page.sessionStorage;
  openTab();
  memory.rememberOpenLab(open('two'));
  page.sessionStorage = first;
  assert.deepEqual(memory.openLab('one'), open('one'));
});

test('a new tab comes back to the last one only', () => {
  memory.rememberOpenLab(open('one'));
  memory.rememberOpenLab(open('two'));
  openTab();
  assert.equal(memory.openLab('one'), undefined);
  assert.deepEqual(memory.openLab('two'), open('two'));
});

test('a lab that could not be opened again is not asked for again, the others are', () => {
  memory.rememberOpenLab(open('one'));
  memory.rememberOpenLab(open('two'));
  memory.forgetOpenLab('two');
  assert.equal(memory.openLab('two'), undefined);
  assert.deepEqual(memory.openLab('one'), open('one'));
});

test('where storage is forbidden nothing is remembered and nothing breaks', () => {
  page.localStorage = undefined;
  page.sessionStorage = undefined;
  memory.rememberOpenLab(open('one'));
  assert.equal(memory.openLab('one'), undefined);
});
