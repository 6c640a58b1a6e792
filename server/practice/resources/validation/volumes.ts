// Rules for the volumes of a pod. Words as in pkg/apis/core/validation.

import {
  configMapKeyErrors,
  dns1123LabelErrors,
  duplicate,
  type FieldError,
  forbiddenField,
  invalidAll,
  invalidValue,
  required,
} from '../../../kube/index.ts';
import { nonNegativeQuantity, oneOf } from './common.ts';
import { fieldRef, localPath } from './container.ts';

const HOST_PATH_TYPES = [
  '',
  'BlockDevice',
  'CharDevice',
  'Directory',
  'DirectoryOrCreate',
  'File',
  'FileOrCreate',
  'Socket',
];

function mode(value: number | undefined, field: string): FieldError[] {
  return value !== undefined && (value < 0 || value > 0o777)
    ? [invalidValue(field, value, 'must be a number between 0 and 0777 (octal), both inclusive')]
    : [];
}

function items(list: any[] = [], field: string): FieldError[] {
  return list.flatMap((item, i) => {
    const at = `${field}[${i}]`;
    return [
      ...(item.key
        ? invalidAll(`${at}.key`, item.key, configMapKeyErrors(item.key))
        : [required(`${at}.key`)]),
      ...(item.path ? localPath(item.path, `${at}.path`) : [required(`${at}.path`)]),
      ...mode(item.mode, `${at}.mode`),
    ];
  });
}

function downwardItems(list: any[] = [], field: string): FieldError[] {
  return list.flatMap((item, i) => {
    const at = `${field}[${i}]`;
    return [
      ...(item.path ? localPath(item.path, `${at}.path`) : [required(`${at}.path`)]),
      ...(item.fieldRef ? fieldRef(item.fieldRef, `${at}.fieldRef`) : []),
      ...(item.fieldRef || item.resourceFieldRef
        ? []
        : [required(`${at}.fieldRef`, 'one of fieldRef and resourceFieldRef is required')]),
      ...mode(item.mode, `${at}.mode`),
    ];
  });
}

type Check = (source: any, field: string) => FieldError[];

const needs =
  (...names: string[]): Check =>
  (source, field) =>
    names.filter(name => !source[name]).map(name => required(`${field}.${name}`));

const SOURCES: Record<string, Check> = {
  emptyDir: (source, field) => nonNegativeQuantity(source.sizeLimit, `${field}.sizeLimit`),
  hostPath: (source, field) => [
    ...needs('path')(source, field),
    ...(source.path?.split('/').includes('..')
      ? [invalidValue(`${field}.path`, source.path, "must not contain '..'")]
      : []),
    ...oneOf(source.type, HOST_PATH_TYPES, `${field}.type`),
  ],
  configMap: (source, field) => [
    ...needs('name')(source, field),
    ...mode(source.defaultMode, `${field}.defaultMode`),
    ...items(source.items, `${field}.items`),
  ],
  secret: (source, field) => [
    ...needs('secretName')(source, field),
    ...mode(source.defaultMode, `${field}.defaultMode`),
    ...items(source.items, `${field}.items`),
  ],
  downwardAPI: (source, field) => [
    ...mode(source.defaultMode, `${field}.defaultMode`),
    ...downwardItems(source.items, `${field}.items`),
  ],
  persistentVolumeClaim: needs('claimName'),
  nfs: needs('server', 'path'),
  csi: needs('driver'),
  image: (source, field) => needs('reference')(source, field),
  projected: (source, field) => [
    ...mode(source.defaultMode, `${field}.defaultMode`),
    ...(source.sources ?? []).flatMap((part: any, i: number) => {
      const at = `${field}.sources[${i}]`;
      return [
        ...(part.secret
          ? [...needs('name')(part.secret, `${at}.secret`), ...items(part.secret.items, `${at}.secret.items`)]
          : []),
        ...(part.configMap
          ? [
              ...needs('name')(part.configMap, `${at}.configMap`),
              ...items(part.configMap.items, `${at}.configMap.items`),
            ]
          : []),
        ...(part.downwardAPI ? downwardItems(part.downwardAPI.items, `${at}.downwardAPI.items`) : []),
        ...(part.serviceAccountToken
          ? needs('path')(part.serviceAccountToken, `${at}.serviceAccountToken`)
          : []),
      ];
    }),
  ],
};

/** Rules of a pod's volumes, and the names that containers may mount. */
export function volumes(list: any[] = [], field: string): { findings: FieldError[]; names: Set<string> } {
  const findings: FieldError[] = [];
  const names = new Set<string>();
  for (const [i, volume] of list.entries()) {
    const at = `${field}[${i}]`;
    const sources = Object.keys(volume).filter(key => key !== 'name');
    for (const [j, source] of sources.entries()) {
      if (j > 0) findings.push(forbiddenField(`${at}.${source}`, 'may not specify more than 1 volume type'));
      else findings.push(...(SOURCES[source]?.(volume[source], `${at}.${source}`) ?? []));
    }
    if (sources.length === 0) findings.push(required(at, 'must specify a volume type'));
    if (!volume.name) findings.push(required(`${at}.name`));
    else {
      const errors = dns1123LabelErrors(volume.name);
      findings.push(...invalidAll(`${at}.name`, volume.name, errors));
      if (errors.length === 0 && names.has(volume.name)) findings.push(duplicate(`${at}.name`, volume.name));
      names.add(volume.name);
    }
  }
  return { findings, names };
}
