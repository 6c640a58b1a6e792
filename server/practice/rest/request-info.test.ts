import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nameInFieldSelector, parseRequest } from './request-info.ts';

test('paths are read as the request-info resolver reads them', () => {
  const cases: [method: string, url: string, verb: string, resource: object | undefined][] = [
    ['GET', '/healthz', 'get', undefined],
    ['GET', '/api', 'get', undefined],
    ['GET', '/apis/apps/v1', 'get', undefined],
    ['GET', '/api/v1/nodes', 'list', { group: '', version: 'v1', resource: 'nodes' }],
    ['GET', '/api/v1/nodes/a', 'get', { group: '', version: 'v1', resource: 'nodes', name: 'a' }],
    ['GET', '/api/v1/pods?watch=true', 'watch', { group: '', version: 'v1', resource: 'pods' }],
    ['GET', '/api/v1/pods?watch=false', 'list', { group: '', version: 'v1', resource: 'pods' }],
    [
      'GET',
      '/api/v1/watch/namespaces/n/pods',
      'watch',
      { group: '', version: 'v1', resource: 'pods', namespace: 'n' },
    ],
    ['POST', '/api/v1/namespaces', 'create', { group: '', version: 'v1', resource: 'namespaces' }],
    [
      'GET',
      '/api/v1/namespaces/n',
      'get',
      { group: '', version: 'v1', resource: 'namespaces', namespace: 'n', name: 'n' },
    ],
    [
      'PUT',
      '/api/v1/namespaces/n/finalize',
      'update',
      {
        group: '',
        version: 'v1',
        resource: 'namespaces',
        namespace: 'n',
        name: 'n',
        subresource: 'finalize',
      },
    ],
    [
      'DELETE',
      '/apis/apps/v1/namespaces/n/deployments',
      'deletecollection',
      { group: 'apps', version: 'v1', resource: 'deployments', namespace: 'n' },
    ],
    [
      'PATCH',
      '/apis/apps/v1/namespaces/n/deployments/d/scale',
      'patch',
      {
        group: 'apps',
        version: 'v1',
        resource: 'deployments',
        namespace: 'n',
        name: 'd',
        subresource: 'scale',
      },
    ],
    [
      'GET',
      '/api/v1/namespaces/n/services/http:s:80/proxy/a//b%20c?d=e',
      'get',
      {
        group: '',
        version: 'v1',
        resource: 'services',
        namespace: 'n',
        name: 'http:s:80',
        subresource: 'proxy',
        rest: '/a//b%20c',
      },
    ],
  ];
  for (const [method, url, verb, resource] of cases) {
    const info = parseRequest(method, url);
    assert.equal(info.verb, verb, url);
    assert.deepEqual(info.resource, resource, url);
  }
});

test('a broken escape in a path is a 400', () => {
  assert.throws(() => parseRequest('GET', '/api/v1/nodes/%zz'), /invalid URL escape/);
});

test('a list narrowed to one name counts as a question about that name', () => {
  const query = (text: string) => new URLSearchParams({ fieldSelector: text });
  assert.equal(nameInFieldSelector(query('metadata.name=a')), 'a');
  assert.equal(nameInFieldSelector(query('status.phase=Running,metadata.name==b')), 'b');
  assert.equal(nameInFieldSelector(query('metadata.name!=a')), undefined);
});
