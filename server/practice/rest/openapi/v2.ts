// /openapi/v2, which current clients only ask after they have found nothing in v3: a valid document that describes no kind,
// so that they go on with what they know themselves. Full descriptions are in v3.

import { SERVER_VERSION } from '../version.ts';

const DESCRIPTION = 'This server describes its resources in OpenAPI v3 only, see /openapi/v3.';

/** What the answer is called, and what clients ask for: `@` is not allowed in a media type, and kept for old times. */
export const V2_PROTOBUF = 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf';
export const V2_PROTOBUF_ASKED = 'application/com.github.proto-openapi.spec.v2@v1.0+protobuf';

/** The JSON form. */
export function v2Document(): unknown {
  return {
    swagger: '2.0',
    info: { title: 'Kubernetes', version: SERVER_VERSION.gitVersion, description: DESCRIPTION },
    paths: {},
  };
}

/** The same as gnostic's openapi.v2.Document: {1: swagger, 2: Info {1: title, 2: version, 3: description}, 8: Paths {}}. */
export function v2Protobuf(): Buffer {
  const info = [text(1, 'Kubernetes'), text(2, SERVER_VERSION.gitVersion), text(3, DESCRIPTION)];
  return Buffer.concat([text(1, '2.0'), field(2, Buffer.concat(info)), field(8, Buffer.alloc(0))]);
}

const text = (number: number, value: string) => field(number, Buffer.from(value, 'utf8'));

/** A length-delimited field shorter than 128 bytes, or than 16 KiB. */
function field(number: number, content: Buffer): Buffer {
  const { length } = content;
  const size = length < 0x80 ? [length] : [(length & 0x7f) | 0x80, length >> 7];
  return Buffer.concat([Buffer.from([(number << 3) | 2, ...size]), content]);
}
