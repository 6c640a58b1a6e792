// Wrong answers of a service: no service at all, a server that fails, and each thing the check asserts of the answer changed.

import { Duplex } from 'node:stream';
import type { Check, KindSpec } from '#common/lab/index.ts';
import type { CheckContext, KubeApi } from '../../check/index.ts';
import type { Mutant } from './types.ts';

export function httpMutants(check: Check): Mutant[] {
  const { service, headers, body, status } = (check as Check<'http'>).spec as KindSpec<'http'>;
  const [, namespace, name] = /^([^/]+)\/([^:]+):/.exec(service) ?? [];
  const right = typeof status === 'number' ? status : 200;
  const answering = (what: string, answer: string): Mutant => ({
    what: `with ${what}`,
    see: async (context: CheckContext) => ({
      ...context,
      kube: { ...context.kube, api: { ...portsOf(context.kube.api), portForward: async () => says(answer) } },
    }),
  });
  const mutants: Mutant[] = [
    {
      what: `with no Service ${namespace}/${name}`,
      see: async (context: CheckContext) => ({
        ...context,
        kube: {
          ...context.kube,
          list: async ref =>
            (await context.kube.list(ref)).filter(
              object =>
                ref.kind !== 'Service' ||
                object.metadata.name !== name ||
                object.metadata.namespace !== namespace,
            ),
        },
      }),
    },
    answering('a server that fails (503)', answer(503, 'upstream connect error')),
    answering('a server that hangs up', ''),
  ];
  if (body !== undefined)
    mutants.push(answering('another page', answer(right, '<title>something else</title>')));
  if (headers !== undefined) mutants.push(answering('no header but its length', answer(right, '')));
  return mutants;
}

const answer = (status: number, body: string) =>
  `HTTP/1.1 ${status} Mutant\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`;

const portsOf = (api: KubeApi): KubeApi => ({
  request: (...call) => api.request(...call),
  watch: (...call) => api.watch(...call),
  portForward: (...call) => api.portForward(...call),
  close: () => {},
});

/** A connection that says this as soon as it is asked anything, and ends. */
function says(text: string): Duplex {
  const stream: Duplex = new Duplex({
    read() {},
    write(_chunk, _encoding, done) {
      done();
      if (stream.readableEnded || stream.destroyed) return;
      if (text !== '') stream.push(text);
      stream.push(null);
    },
  });
  return stream;
}
