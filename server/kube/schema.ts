// The one schema shape: built-in kinds (built from @kubernetes/client-node's models) and custom resources both become this.
// Patching, defaulting, pruning, field validation and OpenAPI all read it. Knows no kind in particular.

export interface Schema {
  /** Full definition name for built-in types (`io.k8s.api.core.v1.PodSpec`); such nodes are shared between parents. */
  name?: string;
  type?: 'object' | 'array' | 'string' | 'integer' | 'number' | 'boolean';
  /** int32, int64, double, date-time, micro-time, byte, int-or-string, quantity. */
  format?: string;
  description?: string;
  properties?: Record<string, Schema>;
  /** Values of a map. */
  additionalProperties?: Schema;
  items?: Schema;
  required?: readonly string[];
  default?: unknown;
  enum?: readonly unknown[];
  nullable?: boolean;
  /** Anything goes below this node (RawExtension, FieldsV1, x-kubernetes-preserve-unknown-fields). */
  preserveUnknown?: boolean;
  /** A whole object with apiVersion, kind and metadata (custom resources). */
  embeddedResource?: boolean;
  /** Strategic merge patch. */
  patchStrategy?: readonly ('merge' | 'replace' | 'retainKeys')[];
  patchMergeKey?: string;
  /** Server-side apply. */
  listType?: 'atomic' | 'set' | 'map';
  listMapKeys?: readonly string[];
  mapType?: 'atomic' | 'granular';
  /** How Go holds and writes this type's fields (built-in types only); lists field names. */
  go?: {
    /** Written even when zero (no omitempty). */
    always?: readonly string[];
    /** A pointer: an explicit zero value is kept. Other zero values vanish. */
    keepsZero?: readonly string[];
    /** Has its zero value as OpenAPI default; objects among them are structs that are always written. */
    zeroDefault?: readonly string[];
    /** OpenAPI's x-kubernetes-unions, as published. */
    unions?: unknown;
  };
  /** The rest is used by custom resources only. */
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: boolean;
  exclusiveMaximum?: boolean;
  multipleOf?: number;
  minLength?: number;
  maxLength?: number;
  pattern?: string;
  minItems?: number;
  maxItems?: number;
  uniqueItems?: boolean;
  minProperties?: number;
  maxProperties?: number;
  allOf?: readonly Schema[];
  anyOf?: readonly Schema[];
  oneOf?: readonly Schema[];
  not?: Schema;
  /** CEL rules. */
  validations?: readonly {
    rule: string;
    message?: string;
    messageExpression?: string;
    reason?: string;
    fieldPath?: string;
    optionalOldSelf?: boolean;
  }[];
}

/** JSON Schema's keywords that say what one value may be, as they stand. */
export const LIMITS = [
  'nullable',
  'minimum',
  'maximum',
  'exclusiveMinimum',
  'exclusiveMaximum',
  'multipleOf',
  'minLength',
  'maxLength',
  'pattern',
  'minItems',
  'maxItems',
  'uniqueItems',
  'minProperties',
  'maxProperties',
] as const satisfies readonly (keyof Schema)[];
