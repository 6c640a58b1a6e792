// The baseline `katib`: Katib alone, as its own installation without cert-manager makes it. Knows no lab.

import { readFileSync } from 'node:fs';
import { parseAllDocuments } from 'yaml';
import { type KubeApi, say } from '../../check/index.ts';
import type { KubeObject } from '../../kube/index.ts';
import { create, createAll } from './create.ts';
import type { Baseline, BaselineContext } from './types.ts';

const NAMESPACE = 'kubeflow';
/** Where the lesson's learner searches; taken away with the rest. */
const LEARNER = 'tuning';
const GROUP = 'kubeflow.org';

/** Everything but the definitions. */
const katibObjects = (): KubeObject[] =>
  parseAllDocuments(readFileSync(new URL('./katib.yaml', import.meta.url), 'utf8')).map(document =>
    document.toJS(),
  );

const column = (name: string, jsonPath: string, type = 'string') => ({ jsonPath, name, type });
const LAST = [
  column('Type', '.status.conditions[-1:].type'),
  column('Status', '.status.conditions[-1:].status'),
];
const AGE = column('Age', '.metadata.creationTimestamp', 'date');

/** The definitions say nothing of what is in the objects: a webhook does. */
const definition = (kind: string, columns: object[]): KubeObject => {
  const singular = kind.toLowerCase();
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${singular}s.${GROUP}` },
    spec: {
      group: GROUP,
      scope: 'Namespaced',
      names: { kind, plural: `${singular}s`, singular, categories: ['all', 'kubeflow', 'katib'] },
      versions: [
        {
          name: 'v1beta1',
          served: true,
          storage: true,
          schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
          subresources: { status: {} },
          additionalPrinterColumns: columns,
        },
      ],
    },
  };
};

const katibCrds = (): KubeObject[] => [
  definition('Experiment', [...LAST, AGE]),
  definition('Suggestion', [
    ...LAST,
    column('Requested', '.spec.requests'),
    column('Assigned', '.status.suggestionCount'),
    AGE,
  ]),
  definition('Trial', [...LAST, AGE]),
];

export const katib: Baseline = {
  name: 'katib',
  namespaces: [LEARNER, NAMESPACE],
  get clusterScoped() {
    return [...katibObjects(), ...katibCrds()]
      .filter(({ kind, metadata }) => !metadata.namespace && kind !== 'Namespace')
      .map(({ apiVersion, kind, metadata }) => ({ apiVersion, kind, name: metadata.name }));
  },

  async apply(api: KubeApi, { note, signal }: BaselineContext) {
    note(say('正在安裝 Katib。', 'Installing Katib.'));
    const [namespace, ...rest] = katibObjects();
    const isLast = ({ kind }: KubeObject) => kind === 'Deployment';
    await create(api, namespace as KubeObject);
    await createAll(api, [...katibCrds(), ...rest.filter(object => !isLast(object))], signal);
    await createAll(api, rest.filter(isLast), signal);
  },
};
