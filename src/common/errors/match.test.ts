import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import { type KnownError, matchErrors } from './match.ts';

const file = join(import.meta.dirname, '../../../content/errors.yaml');
const known = (parse(readFileSync(file, 'utf8')) as { errors: KnownError[] }).errors;
const SIX = [
  'gateway-pending',
  'crd-too-long',
  'kserve-no-crd',
  'rbac-forbidden',
  'mysql-not-initialized',
  'configmap-cache',
];
const best = (text: string) => matchErrors(text, known)[0]?.error.id;

test('every known message leads to itself, whole', () => {
  for (const error of known)
    for (const text of error.says) assert.equal(best(text), error.id, text.slice(0, 90));
});

test("any eight words in a row of the seed's six messages lead to their lesson", () => {
  for (const id of SIX) {
    const { says } = known.find(error => error.id === id)!;
    for (const text of says) {
      const words = text.split(/\s+/).filter(Boolean);
      for (let from = 0; from === 0 || from + 8 <= words.length; from++) {
        const part = words.slice(from, from + 8).join(' ');
        assert.equal(best(part), id, part);
      }
    }
  }
});

test('the part that people remember is enough', () => {
  const remembered: Record<string, string> = {
    'Current status=Pending': 'gateway-pending',
    'unable to forward port': 'gateway-pending',
    '1 Insufficient memory.': 'gateway-pending',
    'metadata.annotations: Too long': 'crd-too-long',
    '262144 bytes': 'crd-too-long',
    'no matches for kind "InferenceService"': 'kserve-no-crd',
    'cannot list resource "inferenceservices"': 'rbac-forbidden',
    'is forbidden: User "system:serviceaccount:kubeflow:default"': 'rbac-forbidden',
    'mysql_real_connect failed': 'mysql-not-initialized',
    'MySQL database was not initialized': 'mysql-not-initialized',
    'failed to sync configmap cache': 'configmap-cache',
    CrashLoopBackOff: 'crash-loop',
    ImagePullBackOff: 'image-pull',
    OOMKilled: 'oom-killed',
  };
  for (const [text, id] of Object.entries(remembered)) assert.equal(best(text), id, text);
});

test("the seed's six are found as a terminal, a log or a chat hands them on", () => {
  const worn: Record<string, (text: string) => string> = {
    'upper case': text => text.toUpperCase(),
    'a time in front': text => `2026-01-06T06:55:41.786863Z ${text}`,
    'a line of a system log': text => `Jan 06 06:55:41 acer kubelet[1234]: ${text}`,
    colours: text => text.replaceAll(' ', ' \x1b[0m\x1b[1;31m'),
    'the marks of colours': text => `[31m${text}[0m`,
    'broken at forty columns': text => text.replace(/(.{40})/g, '$1\n'),
    quoted: text => text.replace(/(.{60})/g, '$1\r\n> '),
  };
  for (const id of SIX)
    for (const text of known.find(error => error.id === id)!.says)
      for (const [how, wear] of Object.entries(worn))
        assert.equal(best(wear(text)), id, `${how}: ${text.slice(0, 60)}`);
});

test('errors that everybody meets lead to what they mean, and not to a neighbour with the same words', () => {
  const met: Record<string, string> = {
    'dial tcp 10.96.0.1:443: connect: connection refused': 'nobody-listens',
    'The connection to the server 192.168.49.2:8443 was refused': 'no-connection',
    'x509: certificate signed by unknown authority': 'certificate-unknown',
    "x509: cannot validate certificate for 10.0.0.7 because it doesn't contain any IP SANs":
      'kubelet-certificate',
    'secrets is forbidden: User "jane" cannot list resource "secrets"': 'forbidden-user',
    'MountVolume.SetUp failed for volume "config" : configmap "web-config" not found': 'missing-reference',
    Evicted: 'evicted',
    'no space left on device': 'disk-full',
    '1 node(s) had untolerated taint': 'tainted',
    'context deadline exceeded': 'timed-out',
    'RBAC: access denied': 'mesh-denied',
    'exit code 137': 'oom-killed',
  };
  for (const [text, id] of Object.entries(met)) assert.equal(best(text), id, text);
});

test('a message among the lines around it, with other names and times, is still found', () => {
  const log = [
    'NAME READY STATUS RESTARTS AGE',
    'metadata-grpc-deployment-6f6f7776c5-abcde 1/2 Error 3 (20s ago) 4m',
    'E1124 09:01:02.123456       7 mysql_metadata_source.cc:174] MySQL database was not initialized. Please ensure your MySQL server is running.',
  ].join('\n');
  assert.equal(best(log), 'mysql-not-initialized');
  const other =
    'Error from server (Invalid): error when creating "manifests.yaml": CustomResourceDefinition.apiextensions.k8s.io "pytorchjobs.kubeflow.org" is invalid: metadata.annotations: Too long: must have at most 262144 bytes';
  assert.equal(best(other), 'crd-too-long');
});

test('what is no error of these finds nothing', () => {
  for (const text of [
    '',
    '   ',
    'hello',
    '今天天氣很好',
    'The quick brown fox jumps over a lazy dog',
    'deployment.apps/web created',
  ])
    assert.deepEqual(matchErrors(text, known), [], text);
});
