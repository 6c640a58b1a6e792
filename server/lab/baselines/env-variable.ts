// An environment variable as the data writes it in one line. Knows no container.

/** Plain text, or `field PATH`, `secret NAME KEY`, `config NAME KEY`. */
export function variable(name: string, text: string): Record<string, unknown> {
  const [kind, first = '', key = ''] = text.split(' ');
  if (kind === 'field') return { name, valueFrom: { fieldRef: { fieldPath: first } } };
  if (kind === 'secret') return { name, valueFrom: { secretKeyRef: { name: first, key } } };
  if (kind === 'config') return { name, valueFrom: { configMapKeyRef: { name: first, key } } };
  return { name, value: text };
}
