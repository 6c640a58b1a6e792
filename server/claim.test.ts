import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { CannotClaim, claimFolder } from './claim.ts';

const folder = mkdtempSync(join(tmpdir(), 'claim-'));
after(() => rmSync(folder, { recursive: true, force: true }));

test('a folder is one run’s at a time; letting go twice takes it from nobody', () => {
  const data = join(folder, 'data');
  const first = claimFolder(data);
  assert.throws(() => claimFolder(data), CannotClaim);
  first.servesAt('http://127.0.0.1:4680');
  assert.throws(() => claimFolder(data), /already uses .*data, at http:\/\/127\.0\.0\.1:4680\. Press Enter/);
  first.release();
  const second = claimFolder(data);
  second.servesAt('http://127.0.0.1:4681');
  first.release();
  assert.throws(() => claimFolder(data), /4681/);
  second.release();
  assert.equal(existsSync(join(data, 'address')), false);
});
