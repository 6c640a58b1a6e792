import assert from 'node:assert/strict';
import { test } from 'node:test';
import { duplicate, invalidValue, notSupported, required, tooLongField, tooMany } from './field-error.ts';
import { invalid } from './status.ts';

test('values are shown as Go shows them', () => {
  assert.equal(invalidValue('a', 'x"y', 'no').message, 'Invalid value: "x\\"y": no');
  assert.equal(invalidValue('a', 5, 'no').message, 'Invalid value: 5: no');
  assert.equal(invalidValue('a', null, 'no').message, 'Invalid value: null: no');
  assert.equal(invalidValue('a', { b: '<', a: 1 }, 'no').message, 'Invalid value: {"a":1,"b":"\\u003c"}: no');
  assert.equal(
    notSupported('a', 'z', ['x', 'y']).message,
    'Unsupported value: "z": supported values: "x", "y"',
  );
  assert.equal(duplicate('a', 'x').message, 'Duplicate value: "x"');
  assert.equal(tooLongField('a', 3).message, 'Too long: may not be more than 3 bytes');
  assert.equal(tooMany('a', 3, 1).message, 'Too many: 3: must have at most 1 item');
});

test('several findings make one 422 with a cause each', () => {
  const { status } = invalid({ group: 'apps', kind: 'Deployment' }, 'a', [
    required('spec.selector'),
    required('spec.template', 'why'),
  ]);
  assert.equal(
    status.message,
    'Deployment.apps "a" is invalid: [spec.selector: Required value, spec.template: Required value: why]',
  );
  assert.deepEqual(status.details?.causes, [
    { reason: 'FieldValueRequired', message: 'Required value', field: 'spec.selector' },
    { reason: 'FieldValueRequired', message: 'Required value: why', field: 'spec.template' },
  ]);
});
