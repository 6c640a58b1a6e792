// Ingresses.

import {
  dns1035LabelErrors,
  dns1123SubdomainErrors,
  type FieldError,
  forbiddenField,
  invalidAll,
  invalidValue,
  isIPv4,
  type KubeObject,
  notSupported,
  portNameErrors,
  portNumberErrors,
  required,
  wildcardSubdomainErrors,
} from '../../../kube/index.ts';
import { AGE, age, joinSome, NAME, orNone, text } from '../format.ts';
import { statusOf } from '../parts.ts';
import type { ResourceDefinition } from '../types.ts';

const DEFAULT_CLASS = 'ingressclass.kubernetes.io/is-default-class';
const PATH_TYPES = ['Exact', 'ImplementationSpecific', 'Prefix'];

function backend(value: any = {}, field: string): FieldError[] {
  const { service, resource } = value;
  if (resource && service) return [invalidValue(field, '', 'cannot set both resource and service backends')];
  if (resource)
    return resource.kind && resource.name
      ? []
      : [required(`${field}.resource.${resource.kind ? 'name' : 'kind'}`)];
  if (!service) return [required(field, 'port name or number is required')];
  const at = `${field}.service`;
  const findings: FieldError[] = [];
  if (!service.name) findings.push(required(`${at}.name`));
  else findings.push(...invalidAll(`${at}.name`, service.name, dns1035LabelErrors(service.name)));
  const port = service.port ?? {};
  if (port.name && port.number)
    findings.push(invalidValue(`${at}.port`, '', 'cannot set both port name & port number'));
  else if (port.name) findings.push(...invalidAll(`${at}.port.name`, port.name, portNameErrors(port.name)));
  else if (port.number !== undefined && port.number !== 0)
    findings.push(...invalidAll(`${at}.port.number`, port.number, portNumberErrors(port.number)));
  else findings.push(required(at, 'port name or number is required'));
  return findings;
}

function path(value: any, field: string): FieldError[] {
  const findings: FieldError[] = [];
  if (!value.pathType)
    return [
      required(`${field}.pathType`, 'pathType must be specified'),
      ...backend(value.backend, `${field}.backend`),
    ];
  switch (value.pathType) {
    case 'Exact':
    case 'Prefix':
      if (!value.path?.startsWith('/'))
        findings.push(invalidValue(`${field}.path`, value.path ?? '', 'must be an absolute path'));
      for (const bad of ['//', '/./', '/../', '%2f', '%2F'])
        if (value.path?.includes(bad))
          findings.push(invalidValue(`${field}.path`, value.path, `must not contain '${bad}'`));
      for (const bad of ['/..', '/.'])
        if (value.path?.endsWith(bad))
          findings.push(invalidValue(`${field}.path`, value.path, `cannot end with '${bad}'`));
      break;
    case 'ImplementationSpecific':
      if (value.path && !value.path.startsWith('/'))
        findings.push(invalidValue(`${field}.path`, value.path, 'must be an absolute path'));
      break;
    default:
      findings.push(notSupported(`${field}.pathType`, value.pathType, PATH_TYPES));
  }
  return [...findings, ...backend(value.backend, `${field}.backend`)];
}

function validate(ingress: KubeObject): FieldError[] {
  const spec = ingress.spec ?? {};
  const findings: FieldError[] = [];
  const rules: any[] = spec.rules ?? [];
  for (const [i, rule] of rules.entries()) {
    const at = `spec.rules[${i}]`;
    if (rule.host) {
      if (isIPv4(rule.host))
        findings.push(invalidValue(`${at}.host`, rule.host, 'must be a DNS name, not an IP address'));
      const errors = rule.host.includes('*')
        ? wildcardSubdomainErrors(rule.host)
        : dns1123SubdomainErrors(rule.host);
      findings.push(...invalidAll(`${at}.host`, rule.host, errors));
    }
    if (rule.http) {
      const paths: any[] = rule.http.paths ?? [];
      if (paths.length === 0) findings.push(required(`${at}.http.paths`));
      for (const [j, value] of paths.entries()) findings.push(...path(value, `${at}.http.paths[${j}]`));
    }
  }
  if (spec.defaultBackend) findings.push(...backend(spec.defaultBackend, 'spec.defaultBackend'));
  if (rules.length === 0 && !spec.defaultBackend)
    findings.push(
      invalidValue('spec', spec.rules ?? null, 'either `defaultBackend` or `rules` must be specified'),
    );
  if (spec.ingressClassName !== undefined) {
    findings.push(
      ...invalidAll(
        'spec.ingressClassName',
        spec.ingressClassName,
        dns1123SubdomainErrors(spec.ingressClassName),
      ),
    );
    if (ingress.metadata.annotations?.['kubernetes.io/ingress.class'])
      findings.push(
        invalidValue(
          'metadata.annotations.kubernetes.io/ingress.class',
          ingress.metadata.annotations['kubernetes.io/ingress.class'],
          'can not be set when the class field is also set',
        ),
      );
  }
  for (const [i, tls] of (spec.tls ?? []).entries())
    for (const [j, host] of (tls.hosts ?? []).entries())
      findings.push(
        ...invalidAll(
          `spec.tls[${i}].hosts[${j}]`,
          host,
          host.includes('*') ? wildcardSubdomainErrors(host) : dns1123SubdomainErrors(host),
        ),
      );
  return findings;
}

export const ingresses: ResourceDefinition = {
  group: 'networking.k8s.io',
  versions: ['v1'],
  kind: 'Ingress',
  resource: 'ingresses',
  singular: 'ingress',
  shortNames: ['ing'],
  namespaced: true,
  subresources: [statusOf('networking.k8s.io', 'v1', 'Ingress')],
  hasGeneration: true,
  validate,
  columns: [
    NAME,
    text('Class', 'The name of the IngressClass resource that should be used for additional configuration'),
    text('Hosts', 'Hosts that incoming requests are matched against before the ingress rule'),
    text('Address', 'Address is a list containing ingress points for the load-balancer'),
    text('Ports', 'Ports of TLS configurations that open'),
    AGE,
  ],
  row: (ingress, context) => {
    const hosts = (ingress.spec?.rules ?? []).map((rule: any) => rule.host).filter(Boolean);
    const addresses = (ingress.status?.loadBalancer?.ingress ?? []).map(
      (entry: any) => entry.ip || entry.hostname,
    );
    return [
      ingress.metadata.name,
      orNone(ingress.spec?.ingressClassName ?? ingress.metadata.annotations?.['kubernetes.io/ingress.class']),
      hosts.length === 0 ? '*' : joinSome(hosts),
      addresses.filter(Boolean).join(','),
      ingress.spec?.tls?.length ? '80, 443' : '80',
      age(ingress, context),
    ];
  },
};

export const ingressclasses: ResourceDefinition = {
  group: 'networking.k8s.io',
  versions: ['v1'],
  kind: 'IngressClass',
  resource: 'ingressclasses',
  singular: 'ingressclass',
  namespaced: false,
  hasGeneration: true,
  validate(object) {
    const controller: string = object.spec?.controller ?? '';
    const findings: FieldError[] = [];
    if (!controller) findings.push(required('spec.controller'));
    else if (!/^[^/]+\/.+$/.test(controller))
      findings.push(
        invalidValue('spec.controller', controller, 'must be a domain-prefixed path (such as "acme.io/foo")'),
      );
    const parameters = object.spec?.parameters;
    if (parameters?.scope === 'Namespace' && !parameters.namespace)
      findings.push(required('spec.parameters.namespace', "`parameters.scope` is set to 'Namespace'"));
    if (parameters?.scope === 'Cluster' && parameters.namespace)
      findings.push(forbiddenField('spec.parameters.namespace', "`parameters.scope` is set to 'Cluster'"));
    return findings;
  },
  validateUpdate: (object, old) =>
    object.spec?.controller === old.spec?.controller
      ? []
      : [invalidValue('spec.controller', object.spec?.controller, 'field is immutable')],
  columns: [
    NAME,
    text('Controller', 'Controller that is responsible for handling this class'),
    text('Parameters', 'A reference to a resource with additional parameters'),
    AGE,
  ],
  row: (object, context) => {
    const parameters = object.spec?.parameters;
    const kind = parameters?.apiGroup ? `${parameters.kind}.${parameters.apiGroup}` : parameters?.kind;
    const isDefault = object.metadata.annotations?.[DEFAULT_CLASS] === 'true';
    return [
      isDefault ? `${object.metadata.name} (default)` : object.metadata.name,
      object.spec?.controller ?? '',
      parameters ? `${kind}/${parameters.name}` : '<none>',
      age(object, context),
    ];
  },
};
