// Rules for names, labels and keys with upstream's words (apimachinery util/validation). Each function gives the texts
// of what is wrong, [] when nothing is.

const LABEL = '[a-z0-9]([-a-z0-9]*[a-z0-9])?';
const SUBDOMAIN = `${LABEL}(\\.${LABEL})*`;
const LABEL_1035 = '[a-z]([-a-z0-9]*[a-z0-9])?';
const QUALIFIED = '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]';
const LABEL_VALUE = `(${QUALIFIED})?`;
const CONFIG_KEY = '[-._a-zA-Z0-9]+';
const PERCENT = '[0-9]+%';

const whole = (pattern: string) => new RegExp(`^${pattern}$`);
const RE_LABEL = whole(LABEL);
const RE_SUBDOMAIN = whole(SUBDOMAIN);
const RE_LABEL_1035 = whole(LABEL_1035);
const RE_QUALIFIED = whole(QUALIFIED);
const RE_LABEL_VALUE = whole(LABEL_VALUE);
const RE_CONFIG_KEY = whole(CONFIG_KEY);
const RE_PERCENT = whole(PERCENT);
const RE_WILDCARD = whole(`\\*\\.${SUBDOMAIN}`);

const LABEL_MAX = 63;
const SUBDOMAIN_MAX = 253;

const tooLong = (max: number) => `must be no more than ${max} characters`;

/** Upstream joins the examples with `' or '` written as `'a', ` + ` or `: hence the doubled space. */
const regexText = (text: string, pattern: string, ...examples: string[]) =>
  `${text} (e.g. ${examples.map(example => `'${example}', `).join(' or ')}regex used for validation is '${pattern}')`;

const DNS1123_LABEL_TEXT = regexText(
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character",
  LABEL,
  'my-name',
  '123-abc',
);
const DNS1123_SUBDOMAIN_TEXT = regexText(
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character",
  SUBDOMAIN,
  'example.com',
);
const DNS1035_LABEL_TEXT = regexText(
  "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character",
  LABEL_1035,
  'my-name',
  'abc-123',
);
const QUALIFIED_TEXT = regexText(
  "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
  QUALIFIED,
  'MyName',
  'my.name',
  '123-abc',
);
const LABEL_VALUE_TEXT = regexText(
  "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
  LABEL_VALUE,
  'MyValue',
  'my_value',
  '12345',
);
const CONFIG_KEY_TEXT = regexText(
  "a valid config key must consist of alphanumeric characters, '-', '_' or '.'",
  CONFIG_KEY,
  'key.name',
  'KEY_NAME',
  'key-name',
);

export function dns1123LabelErrors(value: string): string[] {
  return [
    ...(value.length > LABEL_MAX ? [tooLong(LABEL_MAX)] : []),
    ...(RE_LABEL.test(value) ? [] : [DNS1123_LABEL_TEXT]),
  ];
}

export function dns1123SubdomainErrors(value: string): string[] {
  return [
    ...(value.length > SUBDOMAIN_MAX ? [tooLong(SUBDOMAIN_MAX)] : []),
    ...(value.length <= 4096 && RE_SUBDOMAIN.test(value) ? [] : [DNS1123_SUBDOMAIN_TEXT]),
  ];
}

export function dns1035LabelErrors(value: string): string[] {
  return [
    ...(value.length > LABEL_MAX ? [tooLong(LABEL_MAX)] : []),
    ...(RE_LABEL_1035.test(value) ? [] : [DNS1035_LABEL_TEXT]),
  ];
}

export function wildcardSubdomainErrors(value: string): string[] {
  if (value.length <= SUBDOMAIN_MAX && RE_WILDCARD.test(value)) return [];
  return [
    regexText(
      "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character",
      `\\*\\.${SUBDOMAIN}`,
      '*.example.com',
    ),
  ];
}

/** Names that need only be safe in a path (roles, bindings). */
export function pathSegmentErrors(value: string): string[] {
  if (value === '.') return ["may not be '.'"];
  if (value === '..') return ["may not be '..'"];
  return ['/', '%'].filter(char => value.includes(char)).map(char => `may not contain '${char}'`);
}

/** `prefix/name` or `name`: label and annotation keys, resource names, finalizers. */
export function qualifiedNameErrors(value: string): string[] {
  const parts = value.split('/');
  const errors: string[] = [];
  let name = value;
  if (parts.length === 2) {
    const [prefix = '', rest = ''] = parts;
    name = rest;
    if (prefix === '') errors.push('prefix part must be non-empty');
    else errors.push(...dns1123SubdomainErrors(prefix).map(text => `prefix part ${text}`));
  } else if (parts.length > 2) {
    return [
      `a qualified name ${QUALIFIED_TEXT} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`,
    ];
  }
  if (name === '') errors.push('name part must be non-empty');
  else if (name.length > LABEL_MAX) errors.push(`name part ${tooLong(LABEL_MAX)}`);
  if (name.length > 4096 || !RE_QUALIFIED.test(name)) errors.push(`name part ${QUALIFIED_TEXT}`);
  return errors;
}

/** Undefined when the label value is fine. */
export function labelValueError(value: string): string | undefined {
  return labelValueErrors(value)[0];
}

export function labelValueErrors(value: string): string[] {
  return [
    ...(value.length > LABEL_MAX ? [tooLong(LABEL_MAX)] : []),
    ...(value.length <= 4096 && RE_LABEL_VALUE.test(value) ? [] : [LABEL_VALUE_TEXT]),
  ];
}

export function configMapKeyErrors(value: string): string[] {
  const errors: string[] = [];
  if (value.length > SUBDOMAIN_MAX) errors.push(tooLong(SUBDOMAIN_MAX));
  if (!RE_CONFIG_KEY.test(value)) errors.push(CONFIG_KEY_TEXT);
  if (value === '.') errors.push("must not be '.'");
  else if (value === '..') errors.push("must not be '..'");
  else if (value.startsWith('..')) errors.push("must not start with '..'");
  return errors;
}

/** Since 1.30 any printable ASCII but `=` goes (RelaxedEnvironmentVariableValidation). */
export function envVarNameErrors(value: string): string[] {
  if (value === '') return ['environment variable name must be non-empty'];
  if ([...value].some(char => char < ' ' || char > '~' || char === '='))
    return [
      "a valid environment variable name must consist only of printable ASCII characters other than '='",
    ];
  return [];
}

export function portNumberErrors(port: number): string[] {
  return port >= 1 && port <= 65535 ? [] : ['must be between 1 and 65535, inclusive'];
}

/** IANA service names: port names. */
export function portNameErrors(name: string): string[] {
  const errors: string[] = [];
  if (name.length > 15) errors.push('must be no more than 15 characters');
  if (!/^[-a-z0-9]*$/.test(name))
    errors.push('must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)');
  if (!/[a-z]/.test(name)) errors.push('must contain at least one letter (a-z)');
  if (name.includes('--')) errors.push('must not contain consecutive hyphens');
  if (name.startsWith('-') || name.endsWith('-')) errors.push('must not begin or end with a hyphen');
  return errors;
}

export function percentErrors(value: string): string[] {
  if (RE_PERCENT.test(value)) return [];
  return [
    regexText(
      "a valid percent string must be a numeric string followed by an ending '%'",
      PERCENT,
      '1%',
      '93%',
    ),
  ];
}

const IPV4 = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)\.){3}(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)$/;

export const isIPv4 = (value: string): boolean => IPV4.test(value);

/** Good enough for what users write: full, `::` and embedded IPv4 forms. */
export function isIPv6(value: string): boolean {
  if (!value.includes(':') || value.includes('%')) return false;
  const halves = value.split('::');
  if (halves.length > 2) return false;
  const groups = halves.flatMap(half => (half === '' ? [] : half.split(':')));
  const last = groups[groups.length - 1];
  const embedded = last?.includes('.') === true;
  if (embedded && !isIPv4(last as string)) return false;
  const plain = embedded ? groups.slice(0, -1) : groups;
  if (!plain.every(group => /^[0-9a-fA-F]{1,4}$/.test(group))) return false;
  const count = plain.length + (embedded ? 2 : 0);
  return halves.length === 2 ? count < 8 : count === 8;
}

export function ipErrors(value: string): string[] {
  return isIPv4(value) || isIPv6(value)
    ? []
    : ['must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)'];
}

export function cidrErrors(value: string): string[] {
  const [address = '', bits = '', ...more] = value.split('/');
  const limit = isIPv4(address) ? 32 : isIPv6(address) ? 128 : -1;
  const ok = more.length === 0 && limit >= 0 && /^\d{1,3}$/.test(bits) && Number(bits) <= limit;
  return ok ? [] : ['must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)'];
}
