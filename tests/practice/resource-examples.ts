// One good object of each storable kind, a change that it allows, and bad ones with what a server says to them.

export interface Example {
  group: string;
  version: string;
  resource: string;
  /** Everything but apiVersion, kind and namespace. */
  valid: Record<string, any>;
  /** A merge patch that the kind allows; a label when absent. */
  change?: Record<string, any>;
  /** Merge patches on `valid` and the findings they cause, `field: text` each. */
  invalid: readonly (readonly [patch: Record<string, any>, ...findings: string[]])[];
}

const podSpec = { containers: [{ name: 'c', image: 'nginx:1.27' }] };
const template = { metadata: { labels: { app: 'x' } }, spec: podSpec };
const selector = { matchLabels: { app: 'x' } };
const badName = (name: string) =>
  `metadata.name: Invalid value: ${JSON.stringify(name)}: a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')`;
const named = (name = 'x') => ({ metadata: { name } });
const rename: Example['invalid'][number] = [{ metadata: { name: 'B_d' } }, badName('B_d')];
const rule = { apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] };
const pem = Buffer.from(
  '-----BEGIN CERTIFICATE REQUEST-----\nMA==\n-----END CERTIFICATE REQUEST-----\n',
).toString('base64');

export const examples: readonly Example[] = [
  {
    group: '',
    version: 'v1',
    resource: 'configmaps',
    valid: { ...named(), data: { a: 'b' } },
    change: { data: { c: 'd' } },
    invalid: [rename],
  },
  {
    group: '',
    version: 'v1',
    resource: 'endpoints',
    valid: { ...named(), subsets: [{ addresses: [{ ip: '10.0.0.1' }], ports: [{ port: 80 }] }] },
    invalid: [
      [
        { subsets: [{ addresses: [{ ip: 'x' }], ports: [{ port: 80 }] }] },
        'subsets[0].addresses[0].ip: Invalid value: "x": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
      ],
    ],
  },
  {
    group: '',
    version: 'v1',
    resource: 'events',
    valid: {
      ...named(),
      involvedObject: { kind: 'Pod', name: 'p', namespace: 'default' },
      reason: 'Because',
      message: 'm',
      type: 'Normal',
    },
    change: { count: 2 },
    invalid: [
      [
        { involvedObject: { namespace: 'other' } },
        'involvedObject.namespace: Invalid value: "other": does not match event.namespace',
      ],
    ],
  },
  {
    group: 'events.k8s.io',
    version: 'v1',
    resource: 'events',
    valid: {
      ...named('y'),
      regarding: { kind: 'Pod', name: 'p', namespace: 'default' },
      eventTime: '2026-11-23T23:10:20.000000Z',
      reason: 'Because',
      action: 'Do',
      note: 'm',
      type: 'Normal',
      reportingController: 'c',
      reportingInstance: 'i',
    },
    invalid: [],
  },
  {
    group: '',
    version: 'v1',
    resource: 'limitranges',
    valid: { ...named(), spec: { limits: [{ type: 'Container', default: { cpu: '1' } }] } },
    invalid: [
      [
        { spec: { limits: [{ type: 'Pod', default: { cpu: '1' } }] } },
        "spec.limits[0].default: Forbidden: may not be specified when `type` is 'Pod'",
      ],
    ],
  },
  {
    group: '',
    version: 'v1',
    resource: 'namespaces',
    valid: named('other'),
    invalid: [
      [
        { metadata: { name: 'a.b' } },
        "metadata.name: Invalid value: \"a.b\": a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')",
      ],
    ],
  },
  {
    group: '',
    version: 'v1',
    resource: 'nodes',
    valid: { ...named('n1'), spec: { taints: [{ key: 'k', effect: 'NoSchedule' }] } },
    change: { spec: { unschedulable: true } },
    invalid: [
      [
        { spec: { taints: [{ key: 'k', effect: 'Never' }] } },
        'spec.taints[0].effect: Unsupported value: "Never": supported values: "NoSchedule", "PreferNoSchedule", "NoExecute"',
      ],
    ],
  },
  {
    group: '',
    version: 'v1',
    resource: 'persistentvolumeclaims',
    valid: {
      ...named(),
      spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
    },
    invalid: [
      [
        { spec: { accessModes: ['Bad'], resources: null } },
        'spec.accessModes: Unsupported value: "Bad": supported values: "ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"',
        'spec.resources[storage]: Required value',
      ],
    ],
  },
  {
    group: '',
    version: 'v1',
    resource: 'persistentvolumes',
    valid: {
      ...named('pv'),
      spec: { capacity: { storage: '1Gi' }, accessModes: ['ReadWriteOnce'], hostPath: { path: '/d' } },
    },
    invalid: [
      [
        { spec: { hostPath: null, capacity: null } },
        'spec.capacity: Required value',
        'spec: Required value: must specify a volume type',
      ],
    ],
  },
  {
    group: '',
    version: 'v1',
    resource: 'pods',
    valid: { ...named(), spec: podSpec },
    change: { spec: { containers: [{ name: 'c', image: 'nginx:1.28' }] } },
    invalid: [
      [{ spec: { containers: null } }, 'spec.containers: Required value'],
      [
        {
          spec: {
            containers: [
              { name: 'c', image: 'b' },
              { name: 'c', image: 'd' },
            ],
            restartPolicy: 'Sometimes',
          },
        },
        'spec.containers[1].name: Duplicate value: "c"',
        'spec.restartPolicy: Unsupported value: "Sometimes": supported values: "Always", "OnFailure", "Never"',
      ],
      [
        { spec: { tolerations: [{ operator: 'Equal', value: 'x' }] } },
        'spec.tolerations[0].operator: Invalid value: "Equal": operator must be Exists when `key` is empty, which means "match all values and all keys"',
      ],
    ],
  },
  {
    group: '',
    version: 'v1',
    resource: 'podtemplates',
    valid: { ...named(), template },
    invalid: [[{ template: { spec: { containers: null } } }, 'template.spec.containers: Required value']],
  },
  {
    group: '',
    version: 'v1',
    resource: 'replicationcontrollers',
    valid: { ...named(), spec: { replicas: 0, template } },
    change: { spec: { replicas: 1 } },
    invalid: [
      [
        { spec: { selector: { app: 'y' } } },
        'spec.template.metadata.labels: Invalid value: {"app":"x"}: `selector` does not match template `labels`',
      ],
    ],
  },
  {
    group: '',
    version: 'v1',
    resource: 'resourcequotas',
    valid: { ...named(), spec: { hard: { pods: '2' } } },
    change: { spec: { hard: { pods: '3' } } },
    invalid: [
      [
        { spec: { hard: { pods: '-1' } } },
        'spec.hard[pods]: Invalid value: "-1": must be greater than or equal to 0',
      ],
    ],
  },
  {
    group: '',
    version: 'v1',
    resource: 'secrets',
    valid: { ...named(), stringData: { a: 'b' } },
    invalid: [
      [{ type: 'kubernetes.io/tls' }, 'data[tls.crt]: Required value', 'data[tls.key]: Required value'],
    ],
  },
  { group: '', version: 'v1', resource: 'serviceaccounts', valid: named('robot'), invalid: [rename] },
  {
    group: '',
    version: 'v1',
    resource: 'services',
    valid: { ...named(), spec: { ports: [{ port: 80 }] } },
    change: { spec: { selector: { a: 'b' } } },
    invalid: [
      [{ spec: { ports: null } }, 'spec.ports: Required value'],
      [
        { spec: { ports: [{ port: 80 }, { port: 81 }] } },
        'spec.ports[0].name: Required value',
        'spec.ports[1].name: Required value',
      ],
      [
        { spec: { type: 'NodePort', ports: [{ port: 80, nodePort: 99 }] } },
        'spec.ports[0].nodePort: Invalid value: 99: provided port is not in the valid range. The range of valid ports is 30000-32767',
      ],
    ],
  },
  {
    group: 'apiregistration.k8s.io',
    version: 'v1',
    resource: 'apiservices',
    valid: {
      ...named('v1.metrics.example.com'),
      spec: {
        group: 'metrics.example.com',
        version: 'v1',
        groupPriorityMinimum: 100,
        versionPriority: 100,
        service: { name: 'm', namespace: 'default' },
        insecureSkipTLSVerify: true,
      },
    },
    invalid: [
      [
        { spec: { versionPriority: 0 } },
        'spec.versionPriority: Invalid value: 0: must be positive and less than 1000',
      ],
    ],
  },
  {
    group: 'apps',
    version: 'v1',
    resource: 'controllerrevisions',
    valid: { ...named(), revision: 1, data: { a: 1 } },
    change: { revision: 2 },
    invalid: [[{ revision: -1 }, 'revision: Invalid value: -1: must be greater than or equal to 0']],
  },
  {
    group: 'apps',
    version: 'v1',
    resource: 'daemonsets',
    valid: { ...named(), spec: { selector, template } },
    invalid: [
      [
        { spec: { updateStrategy: { rollingUpdate: { maxUnavailable: 0 } } } },
        'spec.updateStrategy.rollingUpdate.maxUnavailable: Required value: cannot be 0 when maxSurge is 0',
      ],
    ],
  },
  {
    group: 'apps',
    version: 'v1',
    resource: 'deployments',
    valid: { ...named(), spec: { selector, template } },
    change: { spec: { replicas: 3 } },
    invalid: [
      [
        { spec: { selector: null } },
        'spec.selector: Required value',
        'spec.template.metadata.labels: Invalid value: {"app":"x"}: `selector` does not match template `labels`',
      ],
      [
        { spec: { replicas: -1, strategy: { type: 'Wrong' } } },
        'spec.replicas: Invalid value: -1: must be greater than or equal to 0',
        'spec.strategy: Unsupported value: {"Type":"Wrong","RollingUpdate":null}: supported values: "Recreate", "RollingUpdate"',
      ],
    ],
  },
  {
    group: 'apps',
    version: 'v1',
    resource: 'replicasets',
    valid: { ...named(), spec: { selector, template } },
    change: { spec: { replicas: 3 } },
    invalid: [
      [{ spec: { replicas: -1 } }, 'spec.replicas: Invalid value: -1: must be greater than or equal to 0'],
    ],
  },
  {
    group: 'apps',
    version: 'v1',
    resource: 'statefulsets',
    valid: { ...named(), spec: { serviceName: 's', selector, template } },
    change: { spec: { replicas: 3 } },
    invalid: [
      [
        { spec: { podManagementPolicy: 'Wild' } },
        'spec.podManagementPolicy: Unsupported value: "Wild": supported values: "OrderedReady", "Parallel"',
      ],
    ],
  },
  {
    group: 'autoscaling',
    version: 'v2',
    resource: 'horizontalpodautoscalers',
    valid: {
      ...named(),
      spec: { maxReplicas: 3, scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'd' } },
    },
    change: { spec: { maxReplicas: 4 } },
    invalid: [
      [
        { spec: { maxReplicas: 0, scaleTargetRef: { apiVersion: null } } },
        'spec.maxReplicas: Required value: must be set and greater than 0',
        'spec.maxReplicas: Invalid value: 0: must be greater than or equal to `minReplicas`',
        'spec.scaleTargetRef.apiVersion: Invalid value: "": apiVersion must specify API group',
      ],
    ],
  },
  {
    group: 'autoscaling',
    version: 'v1',
    resource: 'horizontalpodautoscalers',
    valid: {
      ...named('old'),
      spec: {
        maxReplicas: 3,
        targetCPUUtilizationPercentage: 50,
        scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'd' },
      },
    },
    change: { spec: { targetCPUUtilizationPercentage: 60 } },
    invalid: [],
  },
  {
    group: 'batch',
    version: 'v1',
    resource: 'cronjobs',
    valid: {
      ...named(),
      spec: {
        schedule: '*/5 * * * *',
        jobTemplate: { spec: { template: { spec: { ...podSpec, restartPolicy: 'Never' } } } },
      },
    },
    change: { spec: { suspend: true } },
    invalid: [
      [
        { spec: { schedule: 'bad' } },
        'spec.schedule: Invalid value: "bad": expected exactly 5 fields, found 1: [bad]',
      ],
    ],
  },
  {
    group: 'batch',
    version: 'v1',
    resource: 'jobs',
    valid: { ...named(), spec: { template: { spec: { ...podSpec, restartPolicy: 'Never' } } } },
    change: { spec: { parallelism: 2 } },
    invalid: [
      [
        { spec: { template: { spec: { restartPolicy: null } } } },
        'spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never"',
      ],
    ],
  },
  {
    group: 'certificates.k8s.io',
    version: 'v1',
    resource: 'certificatesigningrequests',
    valid: { ...named(), spec: { request: pem, signerName: 'example.com/me', usages: ['client auth'] } },
    invalid: [[{ spec: { usages: null } }, 'spec.usages: Required value: usages must be provided']],
  },
  {
    group: 'networking.k8s.io',
    version: 'v1',
    resource: 'ingressclasses',
    valid: { ...named('nginx'), spec: { controller: 'k8s.io/ingress-nginx' } },
    invalid: [
      [
        { spec: { controller: 'x' } },
        'spec.controller: Invalid value: "x": must be a domain-prefixed path (such as "acme.io/foo")',
      ],
    ],
  },
  {
    group: 'networking.k8s.io',
    version: 'v1',
    resource: 'ingresses',
    valid: {
      ...named(),
      spec: {
        rules: [
          {
            http: {
              paths: [
                { path: '/', pathType: 'Prefix', backend: { service: { name: 's', port: { number: 80 } } } },
              ],
            },
          },
        ],
      },
    },
    invalid: [
      [
        {
          spec: {
            rules: [
              { http: { paths: [{ path: '/', backend: { service: { name: 's', port: { number: 80 } } } }] } },
            ],
          },
        },
        'spec.rules[0].http.paths[0].pathType: Required value: pathType must be specified',
      ],
    ],
  },
  {
    group: 'networking.k8s.io',
    version: 'v1',
    resource: 'ipaddresses',
    valid: {
      ...named('10.96.0.77'),
      spec: { parentRef: { resource: 'services', namespace: 'default', name: 's' } },
    },
    invalid: [[{ spec: { parentRef: null } }, 'spec.parentRef: Required value']],
  },
  {
    group: 'networking.k8s.io',
    version: 'v1',
    resource: 'networkpolicies',
    valid: { ...named(), spec: { podSelector: {} } },
    change: { spec: { podSelector: { matchLabels: { a: 'b' } } } },
    invalid: [
      [
        { spec: { policyTypes: ['Up'] } },
        'spec.policyTypes[0]: Unsupported value: "Up": supported values: "Egress", "Ingress"',
      ],
    ],
  },
  {
    group: 'networking.k8s.io',
    version: 'v1',
    resource: 'servicecidrs',
    valid: { ...named('more'), spec: { cidrs: ['10.1.0.0/16'] } },
    invalid: [
      [
        { spec: { cidrs: ['x'] } },
        'spec.cidrs[0]: Invalid value: "x": must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)',
      ],
    ],
  },
  {
    group: 'policy',
    version: 'v1',
    resource: 'poddisruptionbudgets',
    valid: { ...named(), spec: { minAvailable: 1, selector } },
    change: { spec: { minAvailable: 2 } },
    invalid: [
      [
        { spec: { minAvailable: '120%' } },
        'spec.minAvailable: Invalid value: "120%": must not be greater than 100%',
      ],
    ],
  },
  {
    group: 'rbac.authorization.k8s.io',
    version: 'v1',
    resource: 'roles',
    valid: { ...named('r:1'), rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }] },
    invalid: [
      [
        { rules: [{ apiGroups: [''], resources: ['pods'] }] },
        'rules[0].verbs: Required value: verbs must contain at least one value',
      ],
    ],
  },
  {
    group: 'rbac.authorization.k8s.io',
    version: 'v1',
    resource: 'clusterroles',
    valid: { ...named('cr:1'), rules: [{ nonResourceURLs: ['/x'], verbs: ['get'] }] },
    invalid: [
      [
        { rules: [{ verbs: ['get'], resources: ['pods'] }] },
        'rules[0].apiGroups: Required value: resource rules must supply at least one api group',
      ],
    ],
  },
  {
    group: 'rbac.authorization.k8s.io',
    version: 'v1',
    resource: 'rolebindings',
    valid: { ...named('rb'), roleRef: { kind: 'Role', name: 'r' }, subjects: [{ kind: 'User', name: 'u' }] },
    invalid: [
      [
        { subjects: [{ kind: 'Robot', name: 'u' }] },
        'subjects[0].kind: Unsupported value: "Robot": supported values: "ServiceAccount", "User", "Group"',
      ],
    ],
  },
  {
    group: 'rbac.authorization.k8s.io',
    version: 'v1',
    resource: 'clusterrolebindings',
    valid: {
      ...named('crb'),
      roleRef: { kind: 'ClusterRole', name: 'r' },
      subjects: [{ kind: 'ServiceAccount', name: 'u', namespace: 'default' }],
    },
    invalid: [
      [{ subjects: [{ kind: 'ServiceAccount', name: 'u' }] }, 'subjects[0].namespace: Required value'],
    ],
  },
  {
    group: 'storage.k8s.io',
    version: 'v1',
    resource: 'csidrivers',
    valid: { ...named('d.example.com'), spec: { attachRequired: false } },
    invalid: [
      [
        { spec: { fsGroupPolicy: 'X' } },
        'spec.fsGroupPolicy: Unsupported value: "X": supported values: "File", "None", "ReadWriteOnceWithFSType"',
      ],
    ],
  },
  {
    group: 'storage.k8s.io',
    version: 'v1',
    resource: 'csinodes',
    valid: { ...named('n1'), spec: { drivers: [{ name: 'd.example.com', nodeID: 'n' }] } },
    invalid: [[{ spec: { drivers: [{ name: 'd.example.com' }] } }, 'spec.drivers[0].nodeID: Required value']],
  },
  {
    group: 'storage.k8s.io',
    version: 'v1',
    resource: 'csistoragecapacities',
    valid: { ...named(), storageClassName: 's', capacity: '1Gi' },
    change: { capacity: '2Gi' },
    invalid: [[{ storageClassName: null }, 'storageClassName: Required value']],
  },
  {
    group: 'storage.k8s.io',
    version: 'v1',
    resource: 'storageclasses',
    valid: { ...named('fast'), provisioner: 'k8s.io/x' },
    invalid: [
      [
        { reclaimPolicy: 'Maybe' },
        'reclaimPolicy: Unsupported value: "Maybe": supported values: "Delete", "Retain"',
      ],
    ],
  },
  {
    group: 'storage.k8s.io',
    version: 'v1',
    resource: 'volumeattachments',
    valid: { ...named(), spec: { attacher: 'a', nodeName: 'n', source: { persistentVolumeName: 'pv' } } },
    invalid: [[{ spec: { nodeName: null } }, 'spec.nodeName: Required value']],
  },
  {
    group: 'storage.k8s.io',
    version: 'v1',
    resource: 'volumeattributesclasses',
    valid: { ...named(), driverName: 'd', parameters: { a: 'b' } },
    invalid: [[{ parameters: null }, 'parameters: Required value: must contain at least one key/value pair']],
  },
  {
    group: 'admissionregistration.k8s.io',
    version: 'v1',
    resource: 'validatingwebhookconfigurations',
    valid: {
      ...named(),
      webhooks: [
        {
          name: 'w.example.com',
          admissionReviewVersions: ['v1'],
          sideEffects: 'None',
          clientConfig: { service: { name: 's', namespace: 'default' } },
          rules: [{ ...rule, resources: ['leases'] }],
        },
      ],
    },
    invalid: [
      [
        {
          webhooks: [
            {
              name: 'w',
              admissionReviewVersions: ['v1'],
              sideEffects: 'None',
              clientConfig: { service: { name: 's', namespace: 'default' } },
            },
          ],
        },
        'webhooks[0].name: Invalid value: "w": should be a domain with at least three segments separated by dots',
      ],
    ],
  },
  {
    group: 'admissionregistration.k8s.io',
    version: 'v1',
    resource: 'mutatingwebhookconfigurations',
    valid: {
      ...named(),
      webhooks: [
        {
          name: 'w.example.com',
          admissionReviewVersions: ['v1'],
          sideEffects: 'None',
          clientConfig: { url: 'https://x/y' },
        },
      ],
    },
    invalid: [
      [
        {
          webhooks: [
            { name: 'w.example.com', admissionReviewVersions: ['v1'], sideEffects: 'None', clientConfig: {} },
          ],
        },
        'webhooks[0].clientConfig: Required value: exactly one of url or service is required',
      ],
    ],
  },
  {
    group: 'admissionregistration.k8s.io',
    version: 'v1',
    resource: 'validatingadmissionpolicies',
    valid: {
      ...named(),
      spec: { matchConstraints: { resourceRules: [rule] }, validations: [{ expression: 'true' }] },
    },
    invalid: [
      [
        { spec: { validations: null } },
        'spec.validations: Required value: validations or auditAnnotations must contain at least one item',
      ],
    ],
  },
  {
    group: 'admissionregistration.k8s.io',
    version: 'v1',
    resource: 'validatingadmissionpolicybindings',
    valid: { ...named(), spec: { policyName: 'p', validationActions: ['Deny'] } },
    invalid: [
      [
        { spec: { validationActions: ['Shout'] } },
        'spec.validationActions[0]: Unsupported value: "Shout": supported values: "Audit", "Deny", "Warn"',
      ],
    ],
  },
  {
    group: 'admissionregistration.k8s.io',
    version: 'v1',
    resource: 'mutatingadmissionpolicies',
    valid: {
      ...named(),
      spec: {
        reinvocationPolicy: 'Never',
        matchConstraints: { resourceRules: [{ ...rule, resources: ['leases'] }] },
        mutations: [{ patchType: 'JSONPatch', jsonPatch: { expression: '[]' } }],
      },
    },
    invalid: [
      [
        { spec: { mutations: null } },
        'spec.mutations: Required value: mutations must contain at least one item',
      ],
    ],
  },
  {
    group: 'admissionregistration.k8s.io',
    version: 'v1',
    resource: 'mutatingadmissionpolicybindings',
    valid: { ...named(), spec: { policyName: 'p' } },
    invalid: [[{ spec: { policyName: null } }, 'spec.policyName: Required value']],
  },
  {
    group: 'apiextensions.k8s.io',
    version: 'v1',
    resource: 'customresourcedefinitions',
    valid: {
      ...named('bads.example.com'),
      spec: {
        group: 'example.com',
        scope: 'Namespaced',
        names: { plural: 'bads', kind: 'Bad' },
        versions: [
          { name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } },
        ],
      },
    },
    invalid: [
      [
        {
          metadata: { name: 'bad.example.com' },
          spec: {
            versions: [
              {
                name: 'v1',
                served: true,
                storage: true,
                schema: { openAPIV3Schema: { properties: { a: {} } } },
              },
            ],
          },
        },
        'metadata.name: Invalid value: "bad.example.com": must be spec.names.plural+"."+spec.group',
        'spec.validation.openAPIV3Schema.properties[a].type: Required value: must not be empty for specified object fields',
        'spec.validation.openAPIV3Schema.type: Required value: must not be empty at the root',
      ],
    ],
  },
  {
    group: 'scheduling.k8s.io',
    version: 'v1',
    resource: 'priorityclasses',
    valid: { ...named('high'), value: 1000 },
    invalid: [
      [
        { value: 2000000000 },
        'value: Forbidden: maximum allowed value of a user defined priority is 1000000000',
      ],
    ],
  },
  {
    group: 'coordination.k8s.io',
    version: 'v1',
    resource: 'leases',
    valid: { ...named(), spec: { holderIdentity: 'me' } },
    change: { spec: { holderIdentity: 'you' } },
    invalid: [
      [
        { spec: { leaseDurationSeconds: -1 } },
        'spec.leaseDurationSeconds: Invalid value: -1: must be greater than 0',
      ],
    ],
  },
  {
    group: 'node.k8s.io',
    version: 'v1',
    resource: 'runtimeclasses',
    valid: { ...named('gvisor'), handler: 'runsc' },
    invalid: [
      [
        { handler: 'A' },
        "handler: Invalid value: \"A\": a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')",
      ],
    ],
  },
  {
    group: 'discovery.k8s.io',
    version: 'v1',
    resource: 'endpointslices',
    valid: {
      ...named(),
      addressType: 'IPv4',
      endpoints: [{ addresses: ['10.0.0.1'] }],
      ports: [{ port: 80 }],
    },
    invalid: [
      [
        { addressType: 'IPv5' },
        'addressType: Unsupported value: "IPv5": supported values: "FQDN", "IPv4", "IPv6"',
      ],
    ],
  },
  {
    group: 'resource.k8s.io',
    version: 'v1',
    resource: 'deviceclasses',
    valid: { ...named('gpu'), spec: {} },
    invalid: [rename],
  },
  {
    group: 'resource.k8s.io',
    version: 'v1',
    resource: 'resourceclaims',
    valid: {
      ...named(),
      spec: { devices: { requests: [{ name: 'r', exactly: { deviceClassName: 'gpu' } }] } },
    },
    invalid: [
      [
        { spec: { devices: { requests: [{ name: 'r' }] } } },
        'spec.devices.requests[0]: Required value: exactly one of `exactly` or `firstAvailable` is required',
      ],
    ],
  },
  {
    group: 'resource.k8s.io',
    version: 'v1',
    resource: 'resourceclaimtemplates',
    valid: { ...named(), spec: { spec: {} } },
    invalid: [rename],
  },
  {
    group: 'resource.k8s.io',
    version: 'v1',
    resource: 'resourceslices',
    valid: {
      ...named(),
      spec: { driver: 'd', nodeName: 'n', pool: { name: 'p', generation: 1, resourceSliceCount: 1 } },
    },
    invalid: [[{ spec: { driver: null } }, 'spec.driver: Required value']],
  },
  {
    group: 'flowcontrol.apiserver.k8s.io',
    version: 'v1',
    resource: 'flowschemas',
    valid: { ...named(), spec: { priorityLevelConfiguration: { name: 'exempt' } } },
    invalid: [
      [
        { spec: { matchingPrecedence: 20000 } },
        'spec.matchingPrecedence: Invalid value: 20000: must not be greater than 10000',
      ],
    ],
  },
  {
    group: 'flowcontrol.apiserver.k8s.io',
    version: 'v1',
    resource: 'prioritylevelconfigurations',
    valid: { ...named(), spec: { type: 'Limited', limited: {} } },
    invalid: [
      [{ spec: { limited: null } }, 'spec.limited: Required value: must not be empty when type is Limited'],
    ],
  },
];
