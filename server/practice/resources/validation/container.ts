// Rules for containers: ports, environment, mounts, resources, probes, security. Words as in pkg/apis/core/validation.

import { compareQuantity, parseQuantity } from '#common/quantity/index.ts';
import {
  configMapKeyErrors,
  dns1123LabelErrors,
  duplicate,
  envVarNameErrors,
  type FieldError,
  forbiddenField,
  invalidAll,
  invalidValue,
  notFoundField,
  notSupported,
  portNameErrors,
  portNumberErrors,
  qualifiedNameErrors,
  required,
} from '../../../kube/index.ts';
import { nonNegative, nonNegativeQuantity, oneOf, portOrName, positive } from './common.ts';

const PULL_POLICIES = ['Always', 'IfNotPresent', 'Never'];
export const PROTOCOLS = ['SCTP', 'TCP', 'UDP'];
const STANDARD_RESOURCES = new Set(['cpu', 'memory', 'ephemeral-storage']);
const FIELD_PATHS = new Set([
  'metadata.name',
  'metadata.namespace',
  'metadata.uid',
  'spec.nodeName',
  'spec.serviceAccountName',
  'status.hostIP',
  'status.hostIPs',
  'status.podIP',
  'status.podIPs',
]);
const RESOURCE_FIELDS = [
  'limits.cpu',
  'limits.ephemeral-storage',
  'limits.memory',
  'requests.cpu',
  'requests.ephemeral-storage',
  'requests.memory',
];

function ports(list: any[] = [], field: string, hostNetwork: boolean): FieldError[] {
  const findings: FieldError[] = [];
  const names = new Set<string>();
  for (const [i, port] of list.entries()) {
    const at = `${field}[${i}]`;
    if (port.name) {
      const errors = portNameErrors(port.name);
      findings.push(...invalidAll(`${at}.name`, port.name, errors));
      if (errors.length === 0 && names.has(port.name)) findings.push(duplicate(`${at}.name`, port.name));
      names.add(port.name);
    }
    if (!port.containerPort) findings.push(required(`${at}.containerPort`));
    else
      findings.push(
        ...invalidAll(`${at}.containerPort`, port.containerPort, portNumberErrors(port.containerPort)),
      );
    if (port.hostPort) {
      findings.push(...invalidAll(`${at}.hostPort`, port.hostPort, portNumberErrors(port.hostPort)));
      if (hostNetwork && port.hostPort !== port.containerPort)
        findings.push(
          invalidValue(
            `${at}.hostPort`,
            port.hostPort,
            'must match `containerPort` when `hostNetwork` is true',
          ),
        );
    }
    if (!port.protocol) findings.push(required(`${at}.protocol`));
    else findings.push(...oneOf(port.protocol, PROTOCOLS, `${at}.protocol`));
  }
  return findings;
}

export function fieldRef(ref: any, field: string): FieldError[] {
  const path: string = ref.fieldPath ?? '';
  if (!ref.apiVersion) return [required(`${field}.apiVersion`)];
  if (!path) return [required(`${field}.fieldPath`)];
  if (/^metadata\.(?:labels|annotations)(?:\['.*'\])?$/.test(path) || FIELD_PATHS.has(path)) return [];
  return [
    invalidValue(
      `${field}.fieldPath`,
      path,
      `error converting fieldPath: field label not supported: ${path}`,
    ),
  ];
}

function keySelector(selector: any, field: string): FieldError[] {
  const findings: FieldError[] = [];
  if (!selector.key) findings.push(required(`${field}.key`));
  else findings.push(...invalidAll(`${field}.key`, selector.key, configMapKeyErrors(selector.key)));
  return findings;
}

function valueFrom(variable: any, field: string): FieldError[] {
  const from = variable.valueFrom;
  if (!from) return [];
  const findings: FieldError[] = [];
  let sources = 0;
  if (from.fieldRef) {
    sources++;
    findings.push(...fieldRef(from.fieldRef, `${field}.fieldRef`));
  }
  if (from.resourceFieldRef) {
    sources++;
    const { resource } = from.resourceFieldRef;
    if (!resource) findings.push(required(`${field}.resourceFieldRef.resource`));
    else if (!RESOURCE_FIELDS.includes(resource) && !/^(?:limits|requests)\.hugepages-/.test(resource))
      findings.push(notSupported(`${field}.resourceFieldRef.resource`, resource, RESOURCE_FIELDS));
  }
  if (from.configMapKeyRef) {
    sources++;
    findings.push(...keySelector(from.configMapKeyRef, `${field}.configMapKeyRef`));
  }
  if (from.secretKeyRef) {
    sources++;
    findings.push(...keySelector(from.secretKeyRef, `${field}.secretKeyRef`));
  }
  if (from.fileKeyRef) sources++;
  if (sources === 0)
    findings.push(
      invalidValue(
        field,
        '',
        'must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`',
      ),
    );
  if (variable.value && sources > 0)
    findings.push(invalidValue(field, '', 'may not be specified when `value` is not empty'));
  else if (sources > 1)
    findings.push(invalidValue(field, '', 'may not have more than one field specified at a time'));
  return findings;
}

function environment(list: any[] = [], field: string): FieldError[] {
  return list.flatMap((variable, i) => {
    const at = `${field}[${i}]`;
    const named = variable.name
      ? invalidAll(`${at}.name`, variable.name, envVarNameErrors(variable.name))
      : [required(`${at}.name`)];
    return [...named, ...valueFrom(variable, `${at}.valueFrom`)];
  });
}

function environmentFrom(list: any[] = [], field: string): FieldError[] {
  return list.flatMap((source, i) => {
    const at = `${field}[${i}]`;
    const findings: FieldError[] = [];
    if (source.prefix)
      findings.push(...invalidAll(`${at}.prefix`, source.prefix, envVarNameErrors(source.prefix)));
    const refs = ['configMapRef', 'secretRef'].filter(name => source[name]);
    for (const name of refs) if (!source[name].name) findings.push(required(`${at}.${name}.name`));
    if (refs.length === 0)
      findings.push(invalidValue(at, '', 'must specify one of: `configMapRef` or `secretRef`'));
    else if (refs.length > 1)
      findings.push(invalidValue(at, '', 'may not have more than one field specified at a time'));
    return findings;
  });
}

export function localPath(path: string, field: string): FieldError[] {
  if (path.startsWith('/')) return [invalidValue(field, path, 'must be a relative path')];
  return path.split('/').includes('..') ? [invalidValue(field, path, "must not contain '..'")] : [];
}

function mounts(list: any[] = [], volumes: ReadonlySet<string>, field: string): FieldError[] {
  const findings: FieldError[] = [];
  const paths = new Set<string>();
  for (const [i, mount] of list.entries()) {
    const at = `${field}[${i}]`;
    if (!mount.name) findings.push(required(`${at}.name`));
    else if (!volumes.has(mount.name)) findings.push(notFoundField(`${at}.name`, mount.name));
    if (!mount.mountPath) findings.push(required(`${at}.mountPath`));
    if (paths.has(mount.mountPath))
      findings.push(invalidValue(`${at}.mountPath`, mount.mountPath, 'must be unique'));
    paths.add(mount.mountPath);
    if (mount.subPath) findings.push(...localPath(mount.subPath, `${at}.subPath`));
    if (mount.subPathExpr) {
      if (mount.subPath)
        findings.push(
          invalidValue(
            `${at}.subPathExpr`,
            mount.subPathExpr,
            'subPathExpr and subPath are mutually exclusive',
          ),
        );
      findings.push(...localPath(mount.subPathExpr, `${at}.subPathExpr`));
    }
  }
  return findings;
}

/** The name of a resource that a container may ask for. */
function containerResourceName(name: string, field: string): FieldError[] {
  const errors = invalidAll(field, name, qualifiedNameErrors(name));
  if (errors.length > 0) return errors;
  if (!name.includes('/') && !STANDARD_RESOURCES.has(name) && !name.startsWith('hugepages-'))
    return [invalidValue(field, name, 'must be a standard resource for containers')];
  return [];
}

const isExtended = (name: string) =>
  name.includes('/') && !name.startsWith('kubernetes.io/') && !name.startsWith('requests.');
const canOvercommit = (name: string) => !isExtended(name) && !name.startsWith('hugepages-');

function resourceRequirements(resources: any = {}, field: string): FieldError[] {
  const findings: FieldError[] = [];
  const { limits = {}, requests = {} } = resources;
  const check = (list: Record<string, string>, at: string) => {
    for (const name of Object.keys(list).sort()) {
      const place = `${at}[${name}]`;
      findings.push(...containerResourceName(name, place));
      findings.push(...nonNegativeQuantity(list[name], place));
      const quantity = parseQuantity(list[name]);
      if (quantity && isExtended(name) && quantity.nano % 1_000_000_000n !== 0n)
        findings.push(invalidValue(place, list[name], 'must be an integer'));
    }
  };
  check(limits, `${field}.limits`);
  check(requests, `${field}.requests`);
  for (const name of Object.keys(requests).sort()) {
    const request = parseQuantity(requests[name]);
    const limit = limits[name] === undefined ? undefined : parseQuantity(limits[name]);
    if (limit && request) {
      const order = compareQuantity(request, limit);
      if (!canOvercommit(name) && order !== 0)
        findings.push(
          invalidValue(
            `${field}.requests`,
            requests[name],
            `must be equal to ${name} limit of ${limits[name]}`,
          ),
        );
      else if (order > 0)
        findings.push(
          invalidValue(
            `${field}.requests`,
            requests[name],
            `must be less than or equal to ${name} limit of ${limits[name]}`,
          ),
        );
    } else if (!canOvercommit(name))
      findings.push(required(`${field}.limits`, 'Limit must be set for non overcommitable resources'));
  }
  return findings;
}

function handler(action: any, field: string): FieldError[] {
  const findings: FieldError[] = [];
  let count = 0;
  const one = (name: string, check: (value: any, at: string) => FieldError[]) => {
    if (!action[name]) return;
    if (++count > 1)
      findings.push(forbiddenField(`${field}.${name}`, 'may not specify more than one handler type'));
    else findings.push(...check(action[name], `${field}.${name}`));
  };
  one('exec', (exec, at) => (exec.command?.length > 0 ? [] : [required(`${at}.command`)]));
  one('httpGet', (http, at) => [
    ...(http.path ? [] : [required(`${at}.path`)]),
    ...portOrName(http.port, `${at}.port`),
    ...oneOf(http.scheme, ['HTTP', 'HTTPS'], `${at}.scheme`),
  ]);
  one('tcpSocket', (tcp, at) => portOrName(tcp.port, `${at}.port`));
  one('grpc', (grpc, at) => invalidAll(`${at}.port`, grpc.port, portNumberErrors(grpc.port ?? 0)));
  one('sleep', (sleep, at) =>
    sleep.seconds >= 0
      ? []
      : [
          invalidValue(
            `${at}.seconds`,
            sleep.seconds,
            'must be greater than or equal to 0 and less than terminationGracePeriodSeconds',
          ),
        ],
  );
  if (count === 0) findings.push(required(field, 'must specify a handler type'));
  return findings;
}

function probe(value: any, field: string, successMustBeOne: boolean): FieldError[] {
  if (!value) return [];
  return [
    ...handler(value, field),
    ...[
      'initialDelaySeconds',
      'timeoutSeconds',
      'periodSeconds',
      'successThreshold',
      'failureThreshold',
    ].flatMap(name => nonNegative(value[name], `${field}.${name}`)),
    ...positive(value.terminationGracePeriodSeconds, `${field}.terminationGracePeriodSeconds`),
    ...(successMustBeOne && value.successThreshold !== 1 && value.successThreshold >= 0
      ? [invalidValue(`${field}.successThreshold`, value.successThreshold, 'must be 1')]
      : []),
  ];
}

export function userId(value: number | undefined, field: string): FieldError[] {
  return value !== undefined && (value < 0 || value > 2147483647)
    ? [invalidValue(field, value, 'must be between 0 and 2147483647, inclusive')]
    : [];
}

function securityContext(context: any, field: string): FieldError[] {
  if (!context) return [];
  const findings = [
    ...userId(context.runAsUser, `${field}.runAsUser`),
    ...userId(context.runAsGroup, `${field}.runAsGroup`),
  ];
  if (context.allowPrivilegeEscalation === false) {
    if (context.privileged === true)
      findings.push(
        invalidValue(
          field,
          context,
          'cannot set `allowPrivilegeEscalation` to false and `privileged` to true',
        ),
      );
    if (context.capabilities?.add?.includes('CAP_SYS_ADMIN'))
      findings.push(
        invalidValue(
          field,
          context,
          'cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN',
        ),
      );
  }
  return findings;
}

export interface ContainerRules {
  field: string;
  volumes: ReadonlySet<string>;
  hostNetwork: boolean;
  init?: boolean;
}

/** Rules of one container; `names` holds those already taken. */
export function container(
  c: any,
  names: Set<string>,
  { field, volumes, hostNetwork, init }: ContainerRules,
): FieldError[] {
  const findings: FieldError[] = [];
  if (!c.name) findings.push(required(`${field}.name`));
  else {
    findings.push(...invalidAll(`${field}.name`, c.name, dns1123LabelErrors(c.name)));
    if (names.has(c.name)) findings.push(duplicate(`${field}.name`, c.name));
    names.add(c.name);
  }
  if (!c.image) findings.push(required(`${field}.image`));
  else if (c.image.trim() !== c.image)
    findings.push(invalidValue(`${field}.image`, c.image, 'must not have leading or trailing whitespace'));
  findings.push(
    ...oneOf(
      c.terminationMessagePolicy,
      ['File', 'FallbackToLogsOnError'],
      `${field}.terminationMessagePolicy`,
    ),
    ...ports(c.ports, `${field}.ports`, hostNetwork),
    ...environment(c.env, `${field}.env`),
    ...environmentFrom(c.envFrom, `${field}.envFrom`),
    ...mounts(c.volumeMounts, volumes, `${field}.volumeMounts`),
    ...oneOf(c.imagePullPolicy, PULL_POLICIES, `${field}.imagePullPolicy`),
    ...resourceRequirements(c.resources, `${field}.resources`),
    ...securityContext(c.securityContext, `${field}.securityContext`),
  );
  const sidecar = init && c.restartPolicy === 'Always';
  if (init && !sidecar) {
    for (const name of ['lifecycle', 'livenessProbe', 'readinessProbe', 'startupProbe'])
      if (c[name])
        findings.push(
          forbiddenField(
            `${field}.${name}`,
            'may not be set for init containers without restartPolicy=Always',
          ),
        );
  } else {
    for (const hook of ['postStart', 'preStop'])
      if (c.lifecycle?.[hook]) findings.push(...handler(c.lifecycle[hook], `${field}.lifecycle.${hook}`));
    findings.push(
      ...probe(c.livenessProbe, `${field}.livenessProbe`, true),
      ...probe(c.readinessProbe, `${field}.readinessProbe`, false),
      ...probe(c.startupProbe, `${field}.startupProbe`, true),
    );
  }
  if (init && c.restartPolicy !== undefined && c.restartPolicy !== 'Always')
    findings.push(notSupported(`${field}.restartPolicy`, c.restartPolicy, ['Always']));
  return findings;
}
