// The baseline `spark`: the Spark operator's controller, without its webhook. Knows no lab.

import { say } from '../../check/index.ts';
import type { KubeObject } from '../../kube/index.ts';
import { column, definition } from './definition.ts';
import { installation } from './installation.ts';
import { sparkApplicationCrd } from './spark-crd.ts';
import type { JsonSchema } from './structural-schema.ts';
import type { Baseline } from './types.ts';

const GROUP = 'sparkoperator.k8s.io';
/** Where the lesson's learner computes; taken away with the rest. */
const LEARNER = 'numbers';
const open: JsonSchema = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };

/** The operator does not start without its other kinds; no lesson looks into them. */
const others = () => [
  definition({
    group: GROUP,
    kind: 'ScheduledSparkApplication',
    shortNames: ['scheduledsparkapp'],
    versions: [
      {
        name: 'v1beta2',
        columns: [column('Schedule', '.spec.schedule'), column('Suspend', '.spec.suspend')],
        spec: open,
        status: open,
      },
    ],
  }),
  definition({
    group: GROUP,
    kind: 'SparkConnect',
    shortNames: ['sparkconn'],
    versions: [{ name: 'v1alpha1', columns: [column('Status', '.status.state')], spec: open, status: open }],
  }),
];

/** Groups that end in k8s.io are Kubernetes' own, and a definition in one must say who allowed it. */
const approved = (crd: KubeObject): KubeObject => ({
  ...crd,
  metadata: {
    ...crd.metadata,
    annotations: { 'api-approved.kubernetes.io': 'https://github.com/kubeflow/spark-operator/pull/1298' },
  },
});

const base = installation({
  name: 'spark',
  file: './spark.yaml',
  note: say('正在安裝 Spark Operator。', 'Installing the Spark operator.'),
  kinds: ['sparkapplications', 'scheduledsparkapplications', 'sparkconnects'].map(name => `${name}.${GROUP}`),
  definitions: async () => [await sparkApplicationCrd(), ...others()].map(approved),
});

export const spark: Baseline = {
  name: base.name,
  get namespaces() {
    return [LEARNER, ...base.namespaces];
  },
  get clusterScoped() {
    return base.clusterScoped ?? [];
  },
  apply: (api, context) => base.apply(api, context),
};
