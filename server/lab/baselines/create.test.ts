import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeApi } from '../../check/index.ts';
import { put } from './create.ts';

const job = {
  apiVersion: 'kubeflow.org/v1',
  kind: 'PyTorchJob',
  metadata: { namespace: 'team', name: 'sum' },
};
const resources = [{ name: 'pytorchjobs', kind: 'PyTorchJob', namespaced: true, verbs: ['list'] }];

/** An API server that has this one kind from a CustomResourceDefinition, and `there` of it. */
function server(there: object | undefined) {
  const asked: string[] = [];
  const api = {
    async request(method: string, path: string, _body?: unknown, type?: string) {
      if (path === '/apis/kubeflow.org/v1') return { status: 200, body: { resources } };
      asked.push([method, type].filter(Boolean).join(' '));
      if (type === 'application/strategic-merge-patch+json') return { status: 415, body: {} };
      if (method === 'POST') return { status: 201, body: job };
      return { status: there ? 200 : 404, body: there ?? {} };
    },
  } as unknown as KubeApi;
  return { api, asked };
}

test('a kind from a CustomResourceDefinition, which knows no strategic merge, is merged plainly', async () => {
  const { api, asked } = server(job);
  await put(api, job);
  assert.deepEqual(asked, [
    'PATCH application/strategic-merge-patch+json',
    'PATCH application/merge-patch+json',
  ]);
});

test('one that is not there is created', async () => {
  const { api, asked } = server(undefined);
  await put(api, job);
  assert.equal(asked.at(-1), 'POST');
});
