// A baseline of one component from a data file: its namespaces, accounts, roles, workloads and definitions. Knows no component.

import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import type { Text } from '#common/protocol/index.ts';
import type { KubeApi } from '../../check/index.ts';
import type { KubeObject } from '../../kube/index.ts';
import { type Access, accessOf } from './access.ts';
import { create, createAll } from './create.ts';
import { type Data, deployment, namespace, service, serviceAccount, texts } from './kubeflow-objects.ts';
import type { Baseline, BaselineContext } from './types.ts';

/** What the file holds; lines are as in the seed's data. */
interface Installation
  extends Access,
    Pick<Data, 'namespaces' | 'serviceAccounts' | 'services' | 'workloads'> {
  configMaps?: Data['configMaps'];
  secrets?: Data['secrets'];
  /** Objects of its kinds, as they are. */
  objects?: KubeObject[];
}

export function installation(of: {
  name: string;
  /** Beside this file. */
  file: string;
  note: Text;
  /** Names of its definitions: what `definitions` gives. */
  kinds: readonly string[];
  definitions(): Promise<KubeObject[]>;
}): Baseline {
  const data = (): Installation => parse(readFileSync(new URL(of.file, import.meta.url), 'utf8'));
  return {
    name: of.name,
    get namespaces() {
      return Object.keys(data().namespaces);
    },
    get beforeNamespaces() {
      return scopedObjects(data()).map(({ apiVersion, kind, metadata }) => ({
        apiVersion,
        kind,
        name: metadata.name,
      }));
    },
    get clusterScoped() {
      const kinds = of.kinds.map(name => ({
        apiVersion: 'apiextensions.k8s.io/v1',
        kind: 'CustomResourceDefinition',
        name,
      }));
      const access = accessOf(data()).map(({ apiVersion, kind, metadata }) => ({
        apiVersion,
        kind,
        name: metadata.name,
      }));
      return [...kinds, ...access];
    },
    async apply(api: KubeApi, { note, signal }: BaselineContext) {
      note(of.note);
      const own = data();
      await createAll(
        api,
        Object.entries(own.namespaces).map(([name, labels]) => namespace(name, labels)),
        signal,
      );
      const accounts = Object.entries(own.serviceAccounts).flatMap(([space, names]) =>
        names.map(name => serviceAccount(space, name)),
      );
      const written = texts({
        configMaps: own.configMaps ?? [],
        secrets: own.secrets ?? [],
      });
      await createAll(
        api,
        [
          ...(await of.definitions()),
          ...accessOf(own),
          ...accounts,
          ...written,
          ...own.services.map(service),
        ],
        signal,
      );
      await createAll(api, own.objects ?? [], signal);
      // Last: it finds everything it asks for.
      for (const line of own.workloads)
        await create(
          api,
          deployment({ replicas: 1, account: 'default', kind: 'Deployment', ...line }, false),
        );
    },
  };
}

/** Those in no namespace. */
const scopedObjects = ({ objects = [] }: Installation) =>
  objects.filter(({ metadata }) => metadata.namespace === undefined);
