import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MAX_DEPTH, scanJson } from './json-scan.ts';

test('good text gives no error and no duplicates', () => {
  for (const text of ['{}', '[]', ' {"a":[1,-0.5e+3,{"b":null}],"c":"\\u00e9\\n"} ', 'true', '"x"', '0']) {
    assert.deepEqual(scanJson(text), { duplicates: [] }, text);
  }
});

test('a key that occurs twice is named by its path', () => {
  const text = '{"spec":{"replicas":1,"containers":[{"name":"a"},{"image":"b","image":"c"}],"replicas":2}}';
  assert.deepEqual(scanJson(text).duplicates, ['spec.containers[1].image', 'spec.replicas']);
});

test('an escaped key is the same key', () => {
  assert.deepEqual(scanJson('{"a":1,"\\u0061":2}').duplicates, ['a']);
});

test('broken text is described as encoding/json describes it', () => {
  const cases: [string, string][] = [
    ['', 'unexpected end of JSON input'],
    ['{', 'unexpected end of JSON input'],
    ['{bad', `invalid character 'b' looking for beginning of object key string`],
    ['{"a":1,}', `invalid character '}' looking for beginning of object key string`],
    ['{"a" 1}', `invalid character '1' after object key`],
    ['{"a":1 "b":2}', `invalid character '"' after object key:value pair`],
    ['[1 2]', `invalid character '2' after array element`],
    ['[1,]', `invalid character ']' looking for beginning of value`],
    ['{} x', `invalid character 'x' after top-level value`],
    ['nul1', `invalid character '1' in literal null (expecting 'l')`],
    ['-x', `invalid character 'x' in numeric literal`],
    ['1.x', `invalid character 'x' after decimal point in numeric literal`],
    ['1ex', `invalid character 'x' in exponent of numeric literal`],
    ['"\\x"', `invalid character 'x' in string escape code`],
    ['"\\u00g0"', `invalid character 'g' in \\u hexadecimal character escape`],
    ['"a\nb"', `invalid character '\\n' in string literal`],
    ["'", `invalid character '\\'' looking for beginning of value`],
  ];
  for (const [text, error] of cases) assert.equal(scanJson(text).error, error, text);
});

test('the scanner and JSON.parse agree on what is JSON', () => {
  const pieces = ['{', '}', '[', ']', '"a"', ':', ',', '1', '-1.5', 'true', 'null', ' ', '"\\n"', '01', '.5'];
  let state = 7;
  const next = (limit: number) => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return Math.floor((state / 4294967296) * limit);
  };
  for (let i = 0; i < 20000; i++) {
    const text = Array.from({ length: 1 + next(8) }, () => pieces[next(pieces.length)]).join('');
    let good = true;
    try {
      JSON.parse(text);
    } catch {
      good = false;
    }
    assert.equal(scanJson(text).error === undefined, good, text);
  }
});

test('nesting beyond the limit is refused without touching the stack', () => {
  assert.equal(scanJson('['.repeat(MAX_DEPTH + 1)).error, 'exceeded max depth');
  assert.deepEqual(scanJson('['.repeat(500) + ']'.repeat(500)), { duplicates: [] });
});
