// What counts as the same output, and what does not.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { plain, withoutRepeats } from './same.ts';

test('ages, random names, addresses and times do not count', () => {
  assert.equal(
    plain('web-6d4cf56db6-x2wsk   1/1   Running   0   3s   10.244.0.7   2026-11-24T08:15:00Z'),
    plain('web-7c9f8b5d44-mk8zq  1/1  Running  0  2m5s  10.244.0.11  2026-11-24T08:19:07Z'),
  );
  assert.equal(plain('18s   Warning   FailedScheduling'), plain('10m   Warning   FailedScheduling'));
});

test('a state, a count, a reason and an amount do count', () => {
  assert.notEqual(
    plain('web-6d4cf56db6-x2wsk 1/1 Running 0 3s'),
    plain('web-6d4cf56db6-x2wsk 0/1 Pending 0 3s'),
  );
  assert.notEqual(plain('web 2/2 2 2 3s'), plain('web 1/2 2 1 3s'));
  assert.notEqual(plain('cpu  1950m (97%)  x'), plain('cpu  750m (37%)  x'));
  assert.notEqual(plain('server 192.168.49.2'), plain('server 10.0.0.1'));
});

test('measured figures count only by their shape', () => {
  assert.equal(plain('minikube 210m 10% 900Mi', true), plain('minikube 95m 4% 1100Mi', true));
  assert.notEqual(plain('minikube 210m', true), plain('error: Metrics API not available', true));
});

test('two pods are not one, but a line said twice while watching is', () => {
  const two = 'web-6d4cf56db6-x2wsk  1/1\nweb-6d4cf56db6-mk8zq  1/1';
  assert.equal(plain(two).split('\n').length, 2);
  assert.equal(withoutRepeats(plain(two)).split('\n').length, 1);
});

test('the time in a log line of klog is put aside, its severity is not', () => {
  assert.equal(
    plain('W1124 09:01:02.602000       1 reflector.go:547] failed'),
    plain('W1231 08:43:21.295000       1 reflector.go:547] failed'),
  );
  assert.notEqual(plain('W1124 09:01:02.602000 1 a.go:1] x'), plain('E1124 09:01:02.602000 1 a.go:1] x'));
});
