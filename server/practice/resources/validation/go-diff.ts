// The difference of two values as upstream explains a forbidden change: a unified diff of its internal Go structs written as
// JSON. Knows the field order of the few structs whose changes are explained so.

type Zero = null | '' | false | 0 | object;

/** Fields in Go's order with the value of one that nobody set; `of` names the struct below. */
type Struct = readonly (readonly [name: string, zero: Zero, of?: string])[];

const STRUCTS: Record<string, Struct> = {
  PersistentVolumeClaimSpec: [
    ['accessModes', null],
    ['selector', null],
    ['resources', {}, 'VolumeResourceRequirements'],
    ['volumeName', ''],
    ['storageClassName', null],
    ['volumeMode', null],
    ['dataSource', null],
    ['dataSourceRef', null],
    ['volumeAttributesClassName', null],
  ],
  VolumeResourceRequirements: [
    ['limits', null],
    ['requests', null],
  ],
  PodSpec: [
    ['volumes', null],
    ['initContainers', null, 'Container'],
    ['containers', null, 'Container'],
    ['ephemeralContainers', null, 'Container'],
    ['restartPolicy', ''],
    ['terminationGracePeriodSeconds', null],
    ['activeDeadlineSeconds', null],
    ['dnsPolicy', ''],
    ['nodeSelector', null],
    ['serviceAccountName', ''],
    ['automountServiceAccountToken', null],
    ['nodeName', ''],
    ['securityContext', null],
    ['imagePullSecrets', null],
    ['hostname', ''],
    ['subdomain', ''],
    ['setHostnameAsFQDN', null],
    ['affinity', null],
    ['schedulerName', ''],
    ['tolerations', null, 'Toleration'],
    ['hostAliases', null],
    ['priorityClassName', ''],
    ['priority', null],
    ['preemptionPolicy', null],
    ['dnsConfig', null],
    ['readinessGates', null],
    ['runtimeClassName', null],
    ['overhead', null],
    ['enableServiceLinks', null],
    ['topologySpreadConstraints', null],
    ['os', null],
    ['schedulingGates', null],
    ['resourceClaims', null],
    ['resources', null, 'ResourceRequirements'],
  ],
  Container: [
    ['name', ''],
    ['image', ''],
    ['command', null],
    ['args', null],
    ['workingDir', ''],
    ['ports', null, 'ContainerPort'],
    ['envFrom', null],
    ['env', null, 'EnvVar'],
    ['resources', {}, 'ResourceRequirements'],
    ['resizePolicy', null],
    ['restartPolicy', null],
    ['restartPolicyRules', null],
    ['volumeMounts', null, 'VolumeMount'],
    ['volumeDevices', null],
    ['livenessProbe', null],
    ['readinessProbe', null],
    ['startupProbe', null],
    ['lifecycle', null],
    ['terminationMessagePath', ''],
    ['terminationMessagePolicy', ''],
    ['imagePullPolicy', ''],
    ['securityContext', null],
    ['stdin', false],
    ['stdinOnce', false],
    ['tty', false],
  ],
  ContainerPort: [
    ['name', ''],
    ['hostPort', 0],
    ['containerPort', 0],
    ['protocol', ''],
    ['hostIP', ''],
  ],
  EnvVar: [
    ['name', ''],
    ['value', ''],
    ['valueFrom', null],
  ],
  VolumeMount: [
    ['name', ''],
    ['readOnly', false],
    ['recursiveReadOnly', null],
    ['mountPath', ''],
    ['subPath', ''],
    ['mountPropagation', null],
    ['subPathExpr', ''],
  ],
  ResourceRequirements: [
    ['limits', null],
    ['requests', null],
    ['claims', null],
  ],
  Toleration: [
    ['key', ''],
    ['operator', ''],
    ['value', ''],
    ['effect', ''],
    ['tolerationSeconds', null],
  ],
};

/** Initialisms that Go writes in capitals. */
const CAPITALS: Record<string, string> = {
  dnsPolicy: 'DNSPolicy',
  dnsConfig: 'DNSConfig',
  os: 'OS',
  tty: 'TTY',
  tcpSocket: 'TCPSocket',
  httpGet: 'HTTPGet',
  nfs: 'NFS',
  csi: 'CSI',
  iscsi: 'ISCSI',
  fc: 'FC',
};

const goCase = (name: string): string => CAPITALS[name] ?? name.charAt(0).toUpperCase() + name.slice(1);

function goValue(value: unknown, of: string | undefined): unknown {
  if (Array.isArray(value)) return value.map(element => goValue(element, of));
  if (typeof value !== 'object' || value === null) return value;
  const given = value as Record<string, unknown>;
  const struct = of ? STRUCTS[of] : undefined;
  if (!struct) {
    // A map keeps its keys; which maps are structs is not known here, but their fields have Go's names.
    const isMap =
      Object.keys(given).some(key => /[^A-Za-z]/.test(key)) || ['limits', 'requests'].includes(of ?? '');
    return Object.fromEntries(
      Object.entries(given).map(([key, inner]) => [isMap ? key : goCase(key), goValue(inner, undefined)]),
    );
  }
  return Object.fromEntries(
    struct.map(([name, zero, below]) => [
      goCase(name),
      goValue(given[name] ?? zero, below ?? (name === 'limits' || name === 'requests' ? name : undefined)),
    ]),
  );
}

/** Lines of context around a change. */
const CONTEXT = 3;
/** Beyond this many lines the table of the comparison grows too large: the end is left out. */
const MAX_LINES = 1500;

interface Line {
  mark: ' ' | '-' | '+';
  text: string;
}

function compare(left: readonly string[], right: readonly string[]): Line[] {
  const table = Array.from({ length: left.length + 1 }, () => new Uint16Array(right.length + 1));
  for (let i = left.length - 1; i >= 0; i--)
    for (let j = right.length - 1; j >= 0; j--)
      (table[i] as Uint16Array)[j] =
        left[i] === right[j]
          ? (table[i + 1]?.[j + 1] ?? 0) + 1
          : Math.max(table[i + 1]?.[j] ?? 0, table[i]?.[j + 1] ?? 0);
  const lines: Line[] = [];
  let i = 0;
  let j = 0;
  while (i < left.length || j < right.length) {
    const down = table[i + 1]?.[j] ?? 0;
    const across = table[i]?.[j + 1] ?? 0;
    if (i < left.length && j < right.length && left[i] === right[j]) {
      lines.push({ mark: ' ', text: left[i] as string });
      i++;
      j++;
    } else if (i < left.length && (j >= right.length || down >= across))
      lines.push({ mark: '-', text: left[i++] as string });
    else lines.push({ mark: '+', text: right[j++] as string });
  }
  return lines;
}

/** `struct` is the Go type of both; `-` is what was, `+` what would be. */
export function goDiff(before: unknown, after: unknown, struct: string): string {
  const linesOf = (value: unknown) =>
    JSON.stringify(goValue(value, struct), null, 1).split('\n').slice(0, MAX_LINES);
  const lines = compare(linesOf(before), linesOf(after));
  const near = lines.map((_, at) =>
    lines.slice(Math.max(0, at - CONTEXT), at + CONTEXT + 1).some(line => line.mark !== ' '),
  );
  const out: string[] = [];
  let oldLine = 1;
  let newLine = 1;
  for (let at = 0; at < lines.length; ) {
    if (!near[at]) {
      oldLine++;
      newLine++;
      at++;
      continue;
    }
    let end = at;
    while (end < lines.length && near[end]) end++;
    const hunk = lines.slice(at, end);
    const olds = hunk.filter(line => line.mark !== '+').length;
    const news = hunk.filter(line => line.mark !== '-').length;
    out.push(
      `@@ -${oldLine},${olds} +${newLine},${news} @@`,
      ...hunk.map(line => `${line.mark}${line.text}`),
    );
    oldLine += olds;
    newLine += news;
    at = end;
  }
  return `${out.join('\n')}\n`;
}
