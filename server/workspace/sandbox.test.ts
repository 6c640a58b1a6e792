import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { probeSandbox } from './index.ts';

const bin = mkdtempSync(join(tmpdir(), 'sandbox-'));
after(() => rmSync(bin, { recursive: true, force: true }));
for (const name of ['bwrap', 'nsenter']) {
  writeFileSync(join(bin, name), '#!/bin/sh\n');
  chmodSync(join(bin, name), 0o755);
}

test('where there is no bubblewrap, or another system, the shell is the learner’s own, and the reason is said', async () => {
  const none = await probeSandbox('linux', '/nonexistent');
  assert.equal(none.tier, 'none');
  assert.match(none.note.en, /not found.*sudo apt install bubblewrap/);
  assert.equal((await probeSandbox('darwin', bin)).tier, 'none');
});

test('walls that rise and cannot be entered are none', async () => {
  const refused = await probeSandbox('linux', bin, async () => {
    throw Object.assign(new Error('Command failed: nsenter'), {
      stderr: "nsenter: reassociate to namespace 'ns/user' failed: Operation not permitted\n",
    });
  });
  assert.equal(refused.tier, 'none');
  assert.match(
    refused.note.en,
    /may not work on this machine \(nsenter: reassociate to namespace 'ns\/user' failed/,
  );
  assert.match(refused.note['zh-TW'], /nsenter: reassociate/);
});
