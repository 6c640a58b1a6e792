import assert from 'node:assert/strict';
import { test } from 'node:test';
import { scriptLines } from './script-lines.ts';

test('lines are typed one by one, answers given between, comments left out', () => {
  assert.deepEqual(scriptLines('# why\nkubectl get pods\n\n# answer: how-many = 3 of them \nls\n'), [
    { type: 'kubectl get pods' },
    { answer: { check: 'how-many', value: '3 of them' } },
    { type: 'ls' },
  ]);
});

test('a here-document and a continued line stay in one piece', () => {
  assert.deepEqual(scriptLines("cat > x <<'Y'\n# kept\n\nY\nkubectl \\\n  get pods\n"), [
    { type: "cat > x <<'Y'\n# kept\n\nY" },
    { type: 'kubectl \\\n  get pods' },
  ]);
});
