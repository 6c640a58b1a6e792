// Kubernetes' named formats in CEL: `format.dns1123Label().validate(self.name)` gives what is wrong, or nothing.

import { type Environment, Optional } from '@marcbachmann/cel-js';
import {
  dns1035LabelErrors,
  dns1123LabelErrors,
  dns1123SubdomainErrors,
  labelValueErrors,
  qualifiedNameErrors,
} from '../../kube/index.ts';

type Check = (text: string) => string[];

class FormatValue {
  readonly check: Check;
  constructor(check: Check) {
    this.check = check;
  }
}

/** Namespace of the formats' names. */
class FormatNamespace {}

/** A name that something else follows: it may end with a dash. */
const asPrefix =
  (check: Check): Check =>
  text =>
    check(text.endsWith('-') ? `${text.slice(0, -1)}a` : text);
const like =
  (pattern: RegExp, wrong: string): Check =>
  text =>
    pattern.test(text) ? [] : [wrong];
const isDay = (text: string) => {
  const day = /^\d{4}-\d{2}-\d{2}$/.test(text) ? new Date(`${text}T00:00:00Z`) : new Date(Number.NaN);
  return !Number.isNaN(day.getTime()) && day.toISOString().startsWith(text);
};
const isUri = (text: string) => /^\/|^[A-Za-z][A-Za-z\d+.-]*:/.test(text) && !/[\s\u0000-\u001f]/.test(text);

const FORMATS: Record<string, Check> = {
  dns1123Label: dns1123LabelErrors,
  dns1123Subdomain: dns1123SubdomainErrors,
  dns1035Label: dns1035LabelErrors,
  qualifiedName: qualifiedNameErrors,
  dns1123LabelPrefix: asPrefix(dns1123LabelErrors),
  dns1123SubdomainPrefix: asPrefix(dns1123SubdomainErrors),
  dns1035LabelPrefix: asPrefix(dns1035LabelErrors),
  labelValue: labelValueErrors,
  uri: text => (isUri(text) ? [] : [`parse ${JSON.stringify(text)}: invalid URI for request`]),
  uuid: like(
    /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i,
    'does not match the UUID format',
  ),
  byte: like(/^(?:[A-Za-z\d+/]{4})*(?:[A-Za-z\d+/]{2}==|[A-Za-z\d+/]{3}=)?$/, 'invalid base64'),
  date: text => (isDay(text) ? [] : ['invalid date']),
  datetime: text =>
    /^\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})$/.test(text) &&
    isDay(text.slice(0, 10))
      ? []
      : ['invalid datetime'],
};

export function registerFormats(env: Environment): void {
  env
    .registerType('Format', FormatValue)
    .registerType('FormatNamespace', FormatNamespace)
    .registerConstant('format', 'FormatNamespace', new FormatNamespace())
    .registerFunction('FormatNamespace.named(string): optional<Format>', (_, name: string) => {
      const check = Object.hasOwn(FORMATS, name) ? FORMATS[name] : undefined;
      return check ? Optional.of(new FormatValue(check)) : Optional.none();
    })
    .registerFunction(
      'Format.validate(string): optional<list<string>>',
      (format: FormatValue, text: string) => {
        const errors = format.check(text);
        return errors.length > 0 ? Optional.of(errors) : Optional.none();
      },
    );
  for (const [name, check] of Object.entries(FORMATS))
    env.registerFunction(`FormatNamespace.${name}(): Format`, () => new FormatValue(check));
}
