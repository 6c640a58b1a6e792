import assert from 'node:assert/strict';
import { test } from 'node:test';
import { schemaFor } from '../../schema/index.ts';
import { checkExpression, compileProblem, DYN, declaredType, policyNames, withVariable } from '../index.ts';

const declared = (kind: string, group = 'apps') =>
  declaredType(schemaFor({ group, version: 'v1', kind }), kind, true) ?? DYN;
const DEPLOYMENT = policyNames(declared('Deployment'), declared('ConfigMap', ''));

/** What is found, without the pictures. */
const found = (expression: string, names = DEPLOYMENT): string[] =>
  (checkExpression(expression, names).issues ?? '')
    .split('\n')
    .filter(line => line.startsWith('ERROR'))
    .map(line => line.slice('ERROR: <input>:'.length));

test('expressions that fit are silent', () => {
  for (const expression of [
    'object != null && oldObject == null',
    "object.metadata.labels.app == 'x' && object.metadata.labels['app'] != 'y' && 'app' in object.metadata.labels",
    "object.spec.template.spec.containers.all(c, c.image.startsWith('x') && !has(c.livenessProbe.httpGet))",
    'object.spec.template.spec.containers.map(c, c.name).isSorted()',
    'object.spec.template.spec.containers.map(c, has(c.ports), c.ports.size()).sum() > 0',
    "object.spec.template.spec.containers.filter(c, c.name == 'a').exists_one(c, c.tty)",
    "object.metadata.labels.all(k, v, k != v) && object.metadata.labels.transformList(k, v, v)[0] == ''",
    "object.spec.strategy.rollingUpdate.maxSurge == 1 || object.spec.strategy.rollingUpdate.maxSurge == '1%'",
    "object.metadata.creationTimestamp + duration('1h') > timestamp('2020-01-01T00:00:00Z')",
    "quantity(object.metadata.name).add(1).isGreaterThan(quantity('1Gi'))",
    "object.spec.template.spec.containers[0].resources.limits['cpu'] == '1'",
    "object.metadata.?labels.?app.orValue('') == '' || object.metadata.labels[?'a'].hasValue()",
    "authorizer.serviceAccount('a', 'b').group('').resource('pods').namespace('x').check('get').allowed()",
    "authorizer.requestResource.check('scale').reason() == ''",
    "request.userInfo.extra['x'].exists(g, g in request.userInfo.groups) && request.options.anything.goes",
    "namespaceObject.metadata.labels['team'] == params.data.team",
    "ip('10.0.0.1').family() == 4 && ip.isCanonical('::1') && cidr('10.0.0.0/8').containsIP('10.0.0.1')",
    "sets.intersects(['a'], object.metadata.finalizers) && [1, 2].indexOf(2) == 1 && [].size() == 0",
    "(object.spec.paused ? 'a' : 'b') + string(object.spec.replicas) == '' && type(object.spec.replicas) == int",
    'object.spec.replicas < 1.5 && double(object.spec.replicas) == 1.0 && -object.spec.replicas != 1',
    "{'a': 1}.a == 1 && {}.size() == 0 && [[1]].all(l, l.all(i, i > 0))",
    "format.named('uuid').value().validate(object.metadata.name).hasValue() && semver('1.0.0').major() == 1",
    "['a', 1][0] == 'a' && object.metadata.name.reverse() == 'x'",
    'cel.bind(n, object.spec.replicas, n > 1 && n < 5)',
  ])
    assert.deepEqual(found(expression), [], expression);
});

test('what a kind has not, or cannot be done with it, is found at its place', () => {
  for (const [expression, ...findings] of [
    ['object.spec.replica > 3', "1:12: undefined field 'replica'"],
    ['has(object.spec.x.y)', "1:16: undefined field 'x'"],
    ['has(object.spec.x)', "1:4: undefined field 'x'"],
    ['has(object)', '1:4: invalid argument to has() macro'],
    [
      "object.spec.replicas > 'a' && object.foo",
      "1:22: found no matching overload for '_>_' applied to '(int, string)'",
      "1:37: undefined field 'foo'",
    ],
    ['object.spec.replicas == 1.0', "1:22: found no matching overload for '_==_' applied to '(int, double)'"],
    [
      'object.metadata.name != null',
      "1:22: found no matching overload for '_!=_' applied to '(string, null)'",
    ],
    [
      '1 in object.metadata.labels',
      "1:3: found no matching overload for '@in' applied to '(int, map(string, string))'",
    ],
    [
      "object.metadata.finalizers['a']",
      "1:27: found no matching overload for '_[_]' applied to '(list(string), string)'",
    ],
    [
      'object.metadata.name.startsWith(1)',
      "1:32: found no matching overload for 'startsWith' applied to 'string.(int)'",
    ],
    ['(object.metadata.name) . x', "1:24: type 'string' does not support field selection"],
    ['!object.metadata.name', "1:1: found no matching overload for '!_' applied to '(string)'"],
    ['object.spec.paused && 1', "1:23: expected type 'bool' but found 'int'"],
    ['object.spec.template.spec.containers.all(c, c.name)', "1:46: expected type 'bool' but found 'string'"],
    ['object.spec.template.spec.containers.map(c, c.nam).size() > 0', "1:46: undefined field 'nam'"],
    [
      'object.spec.replicas.all(r, r > 1)',
      "1:12: expression of type 'int' cannot be range of a comprehension (must be list, map, or dynamic)",
    ],
    [
      'object.spec.paused ? 1 : true',
      "1:20: found no matching overload for '_?_:_' applied to '(bool, int, bool)'",
    ],
    [
      'object.spec == object.metadata',
      "1:13: found no matching overload for '_==_' applied to '(Deployment.spec, Deployment.metadata)'",
    ],
    [
      'authorizer.allowed()',
      "1:19: found no matching overload for 'allowed' applied to 'kubernetes.authorization.Authorizer.()'",
    ],
    ['request.user', "1:8: undefined field 'user'"],
    ['params.data.most > 3', "1:18: found no matching overload for '_>_' applied to '(string, int)'"],
    ['shout(object)', "1:6: undeclared reference to 'shout' (in container '')"],
    ['nobody.x.y', "1:1: undeclared reference to 'nobody' (in container '')"],
    ['true &&\n  object.spec.replica == 1', "2:14: undefined field 'replica'"],
  ] as const)
    assert.deepEqual(found(expression), findings, expression);
});

test('the picture points at the place, whatever stands before it', () => {
  assert.equal(
    checkExpression("object.metadata.name == 'é' &&\tobject.x", DEPLOYMENT).issues,
    "ERROR: <input>:1:38: undefined field 'x'\n | object.metadata.name == 'é' && object.x\n | .........................．...........^",
  );
});

test('variables have the type of what they hold, objects among them none', () => {
  const count = withVariable(DEPLOYMENT, 'count', checkExpression('object.spec.replicas', DEPLOYMENT).type);
  const names = withVariable(count, 'spec', checkExpression('object.spec', count).type);
  assert.deepEqual(found('variables.count > 1 && variables.spec.anything', names), []);
  assert.deepEqual(found("variables.count == 'a' || variables.sum > 1", names), [
    "1:17: found no matching overload for '_==_' applied to '(int, string)'",
    "1:36: undefined field 'sum'",
  ]);
});

test('the wrong result is told with its type; what is not known passes', () => {
  const got = (expression: string) => compileProblem(expression, { names: DEPLOYMENT, types: ['bool'] });
  assert.deepEqual(got('object.spec.replicas'), { kind: 'type', got: 'int' });
  assert.deepEqual(got('request.options.x'), { kind: 'type', got: 'dyn' });
  assert.deepEqual(got('object.metadata.creationTimestamp'), {
    kind: 'type',
    got: 'google.protobuf.Timestamp',
  });
  assert.equal(got('object.spec.paused'), undefined);
  assert.equal(got('object.metadata.name.reverse()'), undefined);
});

test('a custom schema is declared as upstream shows it', () => {
  const self = declaredType(
    {
      type: 'object',
      properties: {
        'max-speed': { type: 'integer' },
        namespace: { type: 'string' },
        port: { 'x-kubernetes-int-or-string': true },
        free: { 'x-kubernetes-preserve-unknown-fields': true },
        open: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
        tags: { type: 'object', additionalProperties: { type: 'array', items: { type: 'string' } } },
        data: { type: 'string', format: 'byte' },
        pod: { type: 'object', 'x-kubernetes-embedded-resource': true },
        '2nd': { type: 'string' },
      },
    },
    'self',
    true,
  );
  assert.ok(self);
  const names = new Map([['self', self]]);
  for (const expression of [
    "self.max__dash__speed > 1 && self.__namespace__ == 'a' && self.port == 1 && self.port == 'a'",
    "self.tags.all(k, self.tags[k].exists(t, t == k)) && self.data == b'a' && self.pod.metadata.name == self.kind",
  ])
    assert.deepEqual(found(expression, names), [], expression);
  assert.deepEqual(found('self.free == 1 || self.open.x == 1 || self.metadata.labels.size() > 0', names), [
    "1:5: undefined field 'free'",
    "1:28: undefined field 'x'",
    "1:52: undefined field 'labels'",
  ]);
});
