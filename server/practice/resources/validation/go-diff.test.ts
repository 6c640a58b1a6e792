import assert from 'node:assert/strict';
import { test } from 'node:test';
import { goDiff } from './go-diff.ts';

const claim = (mode: string) => ({
  accessModes: [mode],
  resources: { requests: { storage: '5Gi' } },
  volumeMode: 'Filesystem',
});

test('a claim change reads as a real server shows it', () => {
  assert.equal(
    goDiff(claim('ReadWriteMany'), claim('ReadWriteOnce'), 'PersistentVolumeClaimSpec'),
    '@@ -1,6 +1,6 @@\n {\n  "AccessModes": [\n-  "ReadWriteMany"\n+  "ReadWriteOnce"\n  ],\n  "Selector": null,\n  "Resources": {\n',
  );
});

test('changes far apart are hunks of their own, with their line numbers', () => {
  const spec = (name: string, scheduler: string) => ({
    containers: [{ name, image: 'x' }],
    schedulerName: scheduler,
  });
  const hunks = goDiff(spec('a', 's'), spec('b', 't'), 'PodSpec')
    .split('\n')
    .filter(line => line.startsWith('@@'));
  assert.equal(hunks.length, 2);
  assert.match(hunks[0] as string, /^@@ -\d+,7 \+\d+,7 @@$/);
});

test('maps keep their keys', () => {
  const diff = goDiff(
    { resources: { requests: { storage: '1Gi' } } },
    { resources: { requests: { storage: '2Gi' } } },
    'PersistentVolumeClaimSpec',
  );
  assert.match(diff, /^-\s+"storage": "1Gi"$/m);
});
