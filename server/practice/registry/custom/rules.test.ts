import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compileProblem, declaredType, ERROR } from '../../cel/index.ts';
import { fromJsonSchema, type JsonSchema } from './json-schema.ts';
import { checkRules } from './rules.ts';

const SCHEMA: JsonSchema = {
  type: 'object',
  properties: {
    since: { type: 'string', format: 'date-time' },
    every: { type: 'string', format: 'duration' },
    data: { type: 'string', format: 'byte' },
    share: { type: 'number' },
    count: { type: 'integer' },
    'max-speed': { type: 'integer' },
    namespace: { type: 'string' },
    tags: { type: 'object', additionalProperties: { type: 'string' } },
    port: { 'x-kubernetes-int-or-string': true },
  },
};

const VALUE = {
  since: '2026-01-02T03:04:05Z',
  every: '90m',
  data: 'aGVsbG8=',
  share: 2,
  count: 3,
  'max-speed': 9,
  namespace: 'home',
  tags: { 'a-b': 'x', in: 'y' },
  port: 80,
};

/** What the rule says of an update from `old`; the checker of types must have let it pass. */
function asked(rule: string, old?: object, more: object = {}): string[] {
  const self = declaredType(SCHEMA, 'self', true) ?? ERROR;
  const oldSelf = 'optionalOldSelf' in more ? ({ kind: 'optional', of: self } as const) : self;
  const names = new Map([
    ['self', self],
    ['oldSelf', oldSelf],
  ]);
  assert.equal(compileProblem(rule, { names, types: ['bool'] }), undefined, rule);
  const schema = fromJsonSchema({ ...SCHEMA, 'x-kubernetes-validations': [{ rule, ...more }] }, false);
  return checkRules(VALUE, old, schema).map(finding => finding.message);
}

test('a rule sees times, lengths of time, bytes and fractions where the schema says so', () => {
  for (const rule of [
    "self.since > timestamp('2026-01-01T00:00:00Z') && self.since.getFullYear() == 2026",
    "self.every == duration('1h30m') && self.since + self.every > self.since",
    "self.data == b'hello' && string(self.data) == 'hello'",
    'self.share + 0.5 == 2.5 && self.count + 1 == 4',
    "self.port == 80 || self.port == 'http'",
  ])
    assert.deepEqual(asked(rule), [], rule);
  assert.deepEqual(asked("self.every > duration('2h')"), [
    "Invalid value: failed rule: self.every > duration('2h')",
  ]);
});

test('fields have names that expressions can write, keys of maps stay as they are', () => {
  assert.deepEqual(asked("self.max__dash__speed == 9 && self.__namespace__ == 'home'"), []);
  assert.deepEqual(asked("self.tags['a-b'] == 'x' && self.tags.all(k, k in ['a-b', 'in'])"), []);
});

test('a rule that can do without an old value is asked on create and on update', () => {
  const rule = 'oldSelf.hasValue() ? self.count >= oldSelf.value().count : self.count > 3';
  const more = { optionalOldSelf: true, message: 'only up' };
  assert.deepEqual(asked(rule, undefined, more), ['Invalid value: only up']);
  assert.deepEqual(asked(rule, { ...VALUE, count: 2 }, more), []);
  assert.deepEqual(asked(rule, { ...VALUE, count: 4 }, more), ['Invalid value: only up']);
});
