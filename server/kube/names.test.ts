import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  cidrErrors,
  configMapKeyErrors,
  dns1035LabelErrors,
  dns1123LabelErrors,
  dns1123SubdomainErrors,
  isIPv6,
  labelValueErrors,
  portNameErrors,
  qualifiedNameErrors,
} from './names.ts';

test('names are judged with the words a real server used', () => {
  assert.deepEqual(dns1123LabelErrors('Bad_Name'), [
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')",
  ]);
  assert.deepEqual(dns1123SubdomainErrors('A.b'), [
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
  ]);
  assert.deepEqual(dns1035LabelErrors('1a'), [
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')",
  ]);
  assert.deepEqual(qualifiedNameErrors('bad key!'), [
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')",
  ]);
  assert.deepEqual(configMapKeyErrors('bad key'), [
    "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')",
  ]);
  assert.equal(labelValueErrors('a'.repeat(64))[0], 'must be no more than 63 characters');
});

test('good names pass', () => {
  for (const errors of [
    dns1123LabelErrors('my-name'),
    dns1123SubdomainErrors('a.b-c.d'),
    dns1035LabelErrors('web'),
    qualifiedNameErrors('app.kubernetes.io/name'),
    labelValueErrors(''),
    configMapKeyErrors('ca.crt'),
    portNameErrors('http-web'),
    cidrErrors('10.96.0.0/12'),
  ])
    assert.deepEqual(errors, []);
});

test('addresses of the sixth version are told from other text', () => {
  for (const good of ['::1', '2001:db8::ffff', 'fe80:0:0:0:0:0:0:1', '::ffff:10.0.0.1'])
    assert.equal(isIPv6(good), true, good);
  for (const bad of ['', ':', '1::2::3', '12345::', '10.0.0.1', 'a:b']) assert.equal(isIPv6(bad), false, bad);
});
