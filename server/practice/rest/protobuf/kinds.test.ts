// Kinds and fields that kubectl seldom sends in protobuf, written field by field by the numbers of Kubernetes 1.36.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { entries, packed, protobufBody } from '../../../../tests/support/protobuf.ts';
import { decodeProtobuf } from './decode.ts';

test('what 1.34 to 1.36 brought to pods comes through', () => {
  const requests = { 1: 'cpu', 2: { 1: '1' } };
  const rule = { 1: 'Restart', 2: { 1: 'In', 2: [42, 3] } };
  const pod = protobufBody('v1', 'Pod', {
    2: { 2: { 1: 'c', 24: 'Never', 25: rule }, 41: 'told', 43: { 1: 'group' } },
    3: { 1: 'Running', 19: requests, 20: { 2: requests }, 21: { 1: 'claim', 2: ['c', 'd'], 3: requests } },
  });
  assert.deepEqual(decodeProtobuf(pod), {
    kind: 'Pod',
    apiVersion: 'v1',
    spec: {
      containers: [
        {
          name: 'c',
          restartPolicy: 'Never',
          restartPolicyRules: [{ action: 'Restart', exitCodes: { operator: 'In', values: [42, 3] } }],
        },
      ],
      hostnameOverride: 'told',
      schedulingGroup: { podGroupName: 'group' },
    },
    status: {
      phase: 'Running',
      allocatedResources: { cpu: '1' },
      resources: { requests: { cpu: '1' } },
      nodeAllocatableResourceClaimStatuses: [
        { resourceClaimName: 'claim', containers: ['c', 'd'], resources: { cpu: '1' } },
      ],
    },
  });
});

test('an APIService comes through', () => {
  const body = protobufBody('apiregistration.k8s.io/v1', 'APIService', {
    1: { 1: 'v1.example.com' },
    2: {
      1: { 1: 'default', 2: 'svc', 3: 8443 },
      2: 'example.com',
      3: 'v1',
      4: false,
      5: Buffer.from('ca'),
      7: 1000,
      8: 0,
    },
    3: { 1: { 1: 'Available', 2: 'True', 3: { 1: 1_700_000_000 }, 4: 'Local', 5: '' } },
  });
  assert.deepEqual(decodeProtobuf(body), {
    kind: 'APIService',
    apiVersion: 'apiregistration.k8s.io/v1',
    metadata: { name: 'v1.example.com' },
    spec: {
      service: { namespace: 'default', name: 'svc', port: 8443 },
      group: 'example.com',
      version: 'v1',
      caBundle: 'Y2E=',
      groupPriorityMinimum: 1000,
      versionPriority: 0,
    },
    status: {
      conditions: [
        { type: 'Available', status: 'True', lastTransitionTime: '2023-11-14T22:13:20Z', reason: 'Local' },
      ],
    },
  });
});

test('a ResourceClaim comes through: what may be chosen, what a pointer holds, what is embedded', () => {
  const selector = { 1: { 1: 'device.driver == "d"' } };
  const opaque = { 1: { 1: 'd', 2: { 1: '{"a":[1]}' } } };
  const body = protobufBody('resource.k8s.io/v1', 'ResourceClaim', {
    1: { 1: 'c' },
    2: {
      1: {
        1: [
          {
            1: 'one',
            2: { 1: 'gpu', 2: selector, 3: 'All', 4: 0, 5: false, 7: { 1: entries({ mem: { 1: '8Gi' } }) } },
          },
          {
            1: 'either',
            3: [
              { 1: 'a', 2: 'big', 5: 2, 6: { 1: 'k', 2: 'Exists', 5: 0 } },
              { 1: 'b', 2: 'small' },
            ],
          },
        ],
        2: { 1: 'one', 2: 'd/numa' },
        3: { 1: ['one', 'either/a'], 2: opaque },
      },
    },
    3: {
      1: {
        1: {
          1: { 1: 'one', 2: 'd', 3: 'p', 4: 'gpu-0', 9: '', 10: entries({ mem: { 1: '8Gi' } }) },
          2: { 1: 'FromClaim', 3: opaque },
        },
      },
      2: { 3: 'pods', 4: 'p', 5: 'u' },
      4: { 1: 'd', 2: 'p', 3: 'gpu-0', 5: { 1: '{}' }, 6: { 1: 'eth0', 2: '10.0.0.1/8' } },
    },
  });
  const parameters = { a: [1] };
  assert.deepEqual(decodeProtobuf(body), {
    kind: 'ResourceClaim',
    apiVersion: 'resource.k8s.io/v1',
    metadata: { name: 'c' },
    spec: {
      devices: {
        requests: [
          {
            name: 'one',
            exactly: {
              deviceClassName: 'gpu',
              selectors: [{ cel: { expression: 'device.driver == "d"' } }],
              allocationMode: 'All',
              adminAccess: false,
              capacity: { requests: { mem: '8Gi' } },
            },
          },
          {
            name: 'either',
            firstAvailable: [
              {
                name: 'a',
                deviceClassName: 'big',
                count: 2,
                tolerations: [{ key: 'k', operator: 'Exists', tolerationSeconds: 0 }],
              },
              { name: 'b', deviceClassName: 'small' },
            ],
          },
        ],
        constraints: [{ requests: ['one'], matchAttribute: 'd/numa' }],
        config: [{ requests: ['one', 'either/a'], opaque: { driver: 'd', parameters } }],
      },
    },
    status: {
      allocation: {
        devices: {
          results: [
            {
              request: 'one',
              driver: 'd',
              pool: 'p',
              device: 'gpu-0',
              shareID: '',
              consumedCapacity: { mem: '8Gi' },
            },
          ],
          config: [{ source: 'FromClaim', opaque: { driver: 'd', parameters } }],
        },
      },
      reservedFor: [{ resource: 'pods', name: 'p', uid: 'u' }],
      devices: [
        {
          driver: 'd',
          pool: 'p',
          device: 'gpu-0',
          data: {},
          networkData: { interfaceName: 'eth0', ips: ['10.0.0.1/8'] },
        },
      ],
    },
  });
});

test('the devices of a ResourceSlice come through, lists in either form', () => {
  const attributes = {
    bits: { 6: packed([4, 300]), 7: packed([1, 0]) },
    flags: { 7: [true, false] },
    none: { 2: 0 },
    off: { 3: false },
    sizes: { 8: ['a', ''], 9: '1.0.0' },
  };
  const body = protobufBody('resource.k8s.io/v1', 'ResourceSlice', {
    2: {
      1: 'd',
      2: { 1: 'pool', 2: 0, 3: 1 },
      5: true,
      6: {
        1: 'cpu-0',
        2: entries(attributes),
        3: entries({ cores: { 1: { 1: '8' }, 2: { 1: { 1: '1' }, 4: { 1: { 1: '1' }, 3: { 1: '2' } } } } }),
        4: { 1: 'set', 2: entries({ slots: { 1: { 1: '1' } } }) },
        7: false,
        8: { 1: 'k', 3: 'NoSchedule' },
        13: entries({ cpu: { 1: 'cores', 2: { 1: '2' } } }),
      },
      8: { 1: 'set', 2: entries({ slots: { 1: { 1: '4' } } }) },
    },
  });
  assert.deepEqual(decodeProtobuf(body), {
    kind: 'ResourceSlice',
    apiVersion: 'resource.k8s.io/v1',
    spec: {
      driver: 'd',
      pool: { name: 'pool', generation: 0, resourceSliceCount: 1 },
      allNodes: true,
      devices: [
        {
          name: 'cpu-0',
          attributes: {
            bits: { ints: [4, 300], bools: [true, false] },
            flags: { bools: [true, false] },
            none: { int: 0 },
            off: { bool: false },
            sizes: { strings: ['a', ''], versions: ['1.0.0'] },
          },
          capacity: {
            cores: { value: '8', requestPolicy: { default: '1', validRange: { min: '1', step: '2' } } },
          },
          consumesCounters: [{ counterSet: 'set', counters: { slots: { value: '1' } } }],
          allNodes: false,
          taints: [{ key: 'k', effect: 'NoSchedule' }],
          nodeAllocatableResourceMappings: { cpu: { capacityKey: 'cores', allocationMultiplier: '2' } },
        },
      ],
      sharedCounters: [{ name: 'set', counters: { slots: { value: '4' } } }],
    },
  });
});

test('classes and templates of devices and volumes come through', () => {
  const claim = { 1: { 1: { 1: 'one', 2: { 1: 'gpu' } } } };
  const bodies = [
    protobufBody('storage.k8s.io/v1', 'VolumeAttributesClass', {
      1: { 1: 'gold' },
      2: 'csi.example.com',
      3: entries({ iops: '4000', tier: '' }),
    }),
    protobufBody('resource.k8s.io/v1', 'DeviceClass', {
      2: { 1: { 1: { 1: 'true' } }, 2: { 1: { 1: { 1: 'd', 2: { 1: '{}' } } } }, 4: 'example.com/gpu' },
    }),
    protobufBody('resource.k8s.io/v1', 'ResourceClaimTemplate', {
      2: { 1: { 11: entries({ a: 'b' }) }, 2: claim },
    }),
  ];
  assert.deepEqual(bodies.map(decodeProtobuf), [
    {
      kind: 'VolumeAttributesClass',
      apiVersion: 'storage.k8s.io/v1',
      metadata: { name: 'gold' },
      driverName: 'csi.example.com',
      parameters: { iops: '4000', tier: '' },
    },
    {
      kind: 'DeviceClass',
      apiVersion: 'resource.k8s.io/v1',
      spec: {
        selectors: [{ cel: { expression: 'true' } }],
        config: [{ opaque: { driver: 'd', parameters: {} } }],
        extendedResourceName: 'example.com/gpu',
      },
    },
    {
      kind: 'ResourceClaimTemplate',
      apiVersion: 'resource.k8s.io/v1',
      spec: {
        metadata: { labels: { a: 'b' } },
        spec: { devices: { requests: [{ name: 'one', exactly: { deviceClassName: 'gpu' } }] } },
      },
    },
  ]);
});

test('a MutatingAdmissionPolicy and its binding come through', () => {
  const matches = { 3: { 2: { 1: 'CREATE', 2: { 1: '', 2: 'v1', 3: 'pods' } } } };
  const policy = protobufBody('admissionregistration.k8s.io/v1', 'MutatingAdmissionPolicy', {
    1: { 1: 'm' },
    2: {
      1: { 1: 'v1', 2: 'ConfigMap' },
      2: matches,
      3: { 1: 'v', 2: '1' },
      4: [
        { 2: 'ApplyConfiguration', 3: { 1: 'Object{}' } },
        { 2: 'JSONPatch', 4: { 1: '[]' } },
      ],
      5: 'Ignore',
      6: { 1: 'c', 2: 'true' },
      7: 'Never',
    },
  });
  const resourceRules = [
    { operations: ['CREATE'], apiGroups: [''], apiVersions: ['v1'], resources: ['pods'] },
  ];
  assert.deepEqual(decodeProtobuf(policy), {
    kind: 'MutatingAdmissionPolicy',
    apiVersion: 'admissionregistration.k8s.io/v1',
    metadata: { name: 'm' },
    spec: {
      paramKind: { apiVersion: 'v1', kind: 'ConfigMap' },
      matchConstraints: { resourceRules },
      variables: [{ name: 'v', expression: '1' }],
      mutations: [
        { patchType: 'ApplyConfiguration', applyConfiguration: { expression: 'Object{}' } },
        { patchType: 'JSONPatch', jsonPatch: { expression: '[]' } },
      ],
      failurePolicy: 'Ignore',
      matchConditions: [{ name: 'c', expression: 'true' }],
      reinvocationPolicy: 'Never',
    },
  });
  const binding = protobufBody('admissionregistration.k8s.io/v1', 'MutatingAdmissionPolicyBinding', {
    2: { 1: 'm', 2: { 1: 'p', 4: 'Deny' }, 3: matches },
  });
  assert.deepEqual(decodeProtobuf(binding), {
    kind: 'MutatingAdmissionPolicyBinding',
    apiVersion: 'admissionregistration.k8s.io/v1',
    spec: {
      policyName: 'm',
      paramRef: { name: 'p', parameterNotFoundAction: 'Deny' },
      matchResources: { resourceRules },
    },
  });
});
