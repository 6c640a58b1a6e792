// Says of every flow schema whether its priority level is there, as the API server itself does. Knows no requests.

import type { KubeObject } from '../../kube/index.ts';
import { timestamp } from '../../kube/index.ts';
import { type Environment, listAny, readAny, storeKey } from './environment.ts';

const SCHEMAS = { group: 'flowcontrol.apiserver.k8s.io', resource: 'flowschemas' };
const LEVELS = { group: 'flowcontrol.apiserver.k8s.io', resource: 'prioritylevelconfigurations' };

/** Starts following; gives a function that stops. */
export function followFlowSchemas(environment: Environment): () => void {
  const { store, served } = environment;
  const schemas = served.findResource(SCHEMAS)?.definition;
  const levels = served.findResource(LEVELS)?.definition;
  if (!schemas || !levels) return () => {};

  const judge = (schema: KubeObject) => {
    const level: string = schema.spec?.priorityLevelConfiguration?.name ?? '';
    const there = readAny(environment, LEVELS, undefined, level) !== undefined;
    const conditions: { type: string; status: string }[] = schema.status?.conditions ?? [];
    const status = there ? 'False' : 'True';
    if (conditions.find(({ type }) => type === 'Dangling')?.status === status) return;
    const dangling = {
      lastTransitionTime: timestamp(environment.clock.now()),
      message: `This FlowSchema references the PriorityLevelConfiguration object named ${JSON.stringify(level)} ${there ? 'and it exists' : 'but there is no such object'}`,
      reason: there ? 'Found' : 'NotFound',
      status,
      type: 'Dangling',
    };
    const others = conditions.filter(({ type }) => type !== 'Dangling');
    store.update(storeKey(environment, schemas, undefined, schema.metadata.name), current => ({
      ...current,
      status: { ...current.status, conditions: [...others, dangling] },
    }));
  };
  const judgeAll = () => {
    for (const schema of listAny(environment, SCHEMAS)) judge(schema);
  };
  const stops = [
    store.watch(served.storageOf(schemas).prefix, store.revision, event => {
      if (event.type !== 'DELETED') judge(event.object);
    }),
    store.watch(served.storageOf(levels).prefix, store.revision, event => {
      if (event.type !== 'MODIFIED') judgeAll();
    }),
  ];
  return () => {
    for (const stop of stops) stop();
  };
}
