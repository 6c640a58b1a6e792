// The shape of lab.yaml, strict: what an author may write, in one place. Knows no files, no cluster and no learner.

import { z } from 'zod';
import { treeProblems } from '../match/index.ts';
import { parseQuantity } from '../quantity/index.ts';

/** Ids of labs, steps and checks: they name folders, addresses and database rows. */
export const ID = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/;

const id = z
  .string()
  .regex(ID, 'must be lower-case words joined by hyphens: read-the-event')
  .max(60)
  .describe('Lower-case words joined by hyphens; progress is kept under it, so never rename it.');

const sentence = z.string().trim().min(1, 'is empty; write a sentence');

const textSchema = z
  .strictObject({ 'zh-TW': sentence, en: sentence })
  .describe('The same sentence in both languages.');

const tree = z
  .unknown()
  .superRefine((value, context) => {
    for (const problem of treeProblems(value))
      context.addIssue({ code: 'custom', message: problem.message, path: problem.path });
  })
  .describe('A partial value: keys written must hold, lists mean membership, $operators as in CONTRIBUTING.');

const duration = z
  .string()
  .regex(/^\d{1,4}(ms|s|m)$/, 'must be a duration: 500ms, 2s or 1m')
  .describe('A duration: 500ms, 2s, 1m.');

const quantity = z
  .union([z.string(), z.number()])
  .refine(value => parseQuantity(value) !== undefined, 'must be a Kubernetes quantity: 2, 500m, 4Gi')
  .transform(String);

/** A file of the lab: below its own folder, never outside. */
const file = z
  .string()
  .regex(/^[\w-]+(\/[\w.-]+)+$/, 'must be a path below the lab folder: setup/web.yaml')
  .refine(path => !path.split('/').includes('..'), 'must stay inside the lab folder');

const refSchema = z
  .strictObject({
    apiVersion: z.string().min(1).optional().describe('Only needed where two groups share a kind.'),
    kind: z.string().min(1).describe('As in a manifest: Pod, Deployment, InferenceService.'),
    namespace: z.string().min(1).optional().describe('All namespaces when left out.'),
    name: z.string().min(1).optional(),
    selector: z
      .record(z.string(), z.string())
      .optional()
      .describe('Labels that must be there with these values.'),
  })
  .describe('Which objects are meant.');

const count = z.union([z.int().min(0), z.record(z.string(), z.number())]);

const resource = z
  .strictObject({
    ref: refSchema,
    match: tree.optional().describe('What must hold. Left out: that it exists.'),
    every: z.boolean().optional().describe('Each object meant must match, and there is at least one.'),
    count: count.optional().describe('How many must match: 3 or { $gte: 2 }. Default: at least one.'),
  })
  .describe('An object looks like this.');

const absent = z
  .strictObject({ ref: refSchema, match: tree.optional() })
  .describe('No such object is there.');

const access = z
  .strictObject({
    as: z.string().min(1).describe('A user: system:serviceaccount:kubeflow:default-editor, or jane.'),
    groups: z.array(z.string()).optional(),
    verb: z.string().min(1),
    resource: z
      .string()
      .min(1)
      .describe('Plural, with its group when it has one: inferenceservices.serving.kserve.io, pods/log.'),
    name: z.string().optional(),
    namespace: z.string().optional().describe('The whole cluster when left out.'),
    allowed: z.boolean(),
  })
  .describe('Whether a user may do something.');

const http = z
  .strictObject({
    service: z
      .string()
      .regex(
        /^[a-z0-9-]+\/[a-z0-9-]+:[a-z0-9-]+$/,
        'must be namespace/name:port: istio-system/istio-ingressgateway:80',
      ),
    path: z.string().startsWith('/').default('/'),
    host: z.string().optional().describe('The Host header; the service name when left out.'),
    status: z
      .union([z.int().min(100).max(599), z.record(z.string(), z.unknown())])
      .optional()
      .describe('302, or { $lt: 500 }.'),
    headers: tree.optional().describe('Lower-case header names to trees.'),
    body: tree.optional().describe('Against the text, or the parsed value when the answer is JSON.'),
  })
  .describe('A service answers like this when asked through a port-forward.');

const words = z
  .union([z.string().min(1), z.array(z.string().min(1)).min(1)])
  .describe(
    'Words in this order, others may stand between: kubectl describe pod|pods|po. A list: any of these.',
  );

const command = z
  .strictObject({
    ran: words,
    exit: z
      .union([z.int(), z.record(z.string(), z.unknown())])
      .optional()
      .describe('0, or { $not: 0 }. Left out: it need not have ended.'),
    namespace: z
      .string()
      .min(1)
      .optional()
      .describe("The namespace it must be about: by -n, or by the learner's context. Left out: any."),
    output: tree.optional().describe('Against what it printed: { $matches: "Forwarding from" }.'),
  })
  .describe('Such a command ran in the terminal, in this step or earlier in the attempt.');

const homeFile = z
  .string()
  .regex(/^~\/[\w./-]+$/, 'must be a file in the home folder: ~/rbac.yaml')
  .refine(path => !path.split('/').includes('..'), 'must stay inside the home folder');

const fileCheck = z
  .strictObject({
    path: homeFile,
    format: z.enum(['text', 'yaml', 'json']).optional().describe('By the file name when left out.'),
    contains: z.string().optional(),
    match: tree.optional().describe('Against the parsed file; one document of a YAML file is enough.'),
  })
  .describe("A file in the learner's home folder looks like this.");

const source = z
  .strictObject({
    from: refSchema,
    where: tree.optional().describe('Only objects that match.'),
    path: z
      .string()
      .optional()
      .describe('status.allocatable.memory, spec.containers[0].image. Left out with pick: count.'),
    pick: z
      .enum(['one', 'count', 'sum'])
      .default('one')
      .describe('The value itself, how many objects, or the sum of quantities.'),
  })
  .describe('Read from the cluster when the answer is given.');

const answer = z
  .strictObject({
    prompt: textSchema,
    equals: z
      .union([z.string(), z.number(), source])
      .optional()
      .describe('The right answer, or where the cluster holds it. Left out when there are choices.'),
    as: z
      .enum(['text', 'number', 'quantity'])
      .default('text')
      .describe('quantity: 4Gi, 4096Mi and 4194304Ki are the same.'),
    choices: z
      .array(
        z.strictObject({
          id,
          text: textSchema,
          right: z
            .union([z.boolean(), z.strictObject({ ref: refSchema, match: tree })])
            .describe('true, false, or: right when such an object is in the cluster.'),
          say: textSchema.optional().describe('Why this one is wrong; read when it was chosen.'),
        }),
      )
      .min(2)
      .optional(),
    wrong: z
      .array(z.strictObject({ when: tree, say: textSchema }))
      .optional()
      .describe('Answers that deserve their own sentence; the first that matches is said.'),
  })
  .describe('The learner typed or chose this.');

const script = z
  .strictObject({ file, deadline: duration.default('10s') })
  .describe('A TypeScript file below checks/ whose default export gives a verdict.');

const envelope = {
  id: id.optional().describe('Only needed to be referred to; otherwise the kind and its place.'),
  within: duration
    .optional()
    .describe(
      'How long the cluster may need after the learner acted: until then "not yet", after that "wrong".',
    ),
  stays: duration.optional().describe('How long it must hold without a break before it counts.'),
  otherwise: textSchema.optional().describe('Said while this does not hold, before what was seen.'),
  diagnose: z
    .array(
      z.strictObject({
        ref: refSchema.optional().describe('Objects to look at; left out: what this check saw.'),
        when: tree.optional(),
        ran: words.optional().describe('Only when such a command ran in this attempt.'),
        say: textSchema,
      }),
    )
    .optional()
    .describe('The first that matches is what the learner reads.'),
  lenient: sentence
    .optional()
    .describe('Why generated wrong states may pass this check; without it each one that does fails the lab.'),
  weight: z
    .int()
    .min(1)
    .max(100)
    .optional()
    .describe("This check's share of the step's points beside the others'; 1 when left out."),
  guard: sentence
    .optional()
    .describe('Why this holds from the start: it keeps the learner from the wrong repair.'),
};

/** One schema a kind; the key that names the kind is the only one of its sort in a check. */
export const KINDS = { resource, absent, access, http, command, file: fileCheck, answer, script } as const;
export type KindName = keyof typeof KINDS;
const KIND_NAMES = Object.keys(KINDS) as KindName[];

const variants = KIND_NAMES.map(name => z.strictObject({ ...envelope, [name]: KINDS[name] }));

export interface Check<K extends KindName = KindName> {
  id: string;
  kind: K;
  spec: z.output<(typeof KINDS)[K]>;
  within?: string;
  stays?: string;
  otherwise?: z.output<typeof textSchema>;
  diagnose?: {
    ref?: z.output<typeof refSchema>;
    when?: unknown;
    ran?: string | string[];
    say: z.output<typeof textSchema>;
  }[];
  lenient?: string;
  weight?: number;
  guard?: string;
}

/** Picks the variant by its key first, so that the message is about that kind and not about all of them. */
const check = z.unknown().transform((value, context): Check => {
  const give = (message: string, path: PropertyKey[] = []) => {
    context.issues.push({ code: 'custom', message, path, input: value });
    return z.NEVER;
  };
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return give('must be a check: { resource: { ref: …, match: … } }');
  const named = KIND_NAMES.filter(name => name in value);
  if (named.length !== 1) {
    const found =
      named.length === 0 ? `has ${Object.keys(value).join(', ') || 'nothing'}` : `has ${named.join(' and ')}`;
    return give(`${found}; a check has exactly one of ${KIND_NAMES.join(', ')}`);
  }
  const kind = named[0] as KindName;
  const parsed = (variants[KIND_NAMES.indexOf(kind)] as z.ZodType).safeParse(value);
  if (!parsed.success) {
    for (const issue of parsed.error.issues) context.issues.push({ ...issue, input: value } as never);
    return z.NEVER;
  }
  const { [kind]: spec, id = '', ...rest } = parsed.data as Record<string, unknown> & { id?: string };
  if (kind === 'answer') {
    const { choices, equals } = spec as z.output<typeof answer>;
    if ((choices === undefined) === (equals === undefined))
      return give('wants either equals or choices', ['answer']);
    if (choices && !choices.some(choice => choice.right !== false))
      return give('none of the choices is right', ['answer', 'choices']);
    const ids = choices?.map(choice => choice.id) ?? [];
    const twice = ids.findIndex((one, at) => ids.indexOf(one) < at);
    if (twice >= 0)
      return give('is the id of a choice before it; ids are unique', ['answer', 'choices', twice, 'id']);
    const unexplained = choices?.findIndex(choice => choice.right === false && !choice.say) ?? -1;
    if (unexplained >= 0)
      return give('is wrong and does not say why; write say: { zh-TW: 為什麼不對, en: Why not }', [
        'answer',
        'choices',
        unexplained,
      ]);
    const { as } = spec as z.output<typeof answer>;
    if (
      as !== 'text' &&
      equals !== undefined &&
      typeof equals !== 'object' &&
      parseQuantity(equals) === undefined
    )
      return give(`is no ${as}, as the question wants it`, ['answer', 'equals']);
  }
  return { id, kind, spec, ...rest } as Check;
});

const labOf = <C extends z.ZodType>(checkSchema: C) =>
  z
    .strictObject({
      title: textSchema,
      summary: textSchema.optional().describe('One sentence for the list of labs; gives nothing away.'),
      minutes: z.int().min(1).max(180),
      order: z
        .enum(['sequence', 'any'])
        .default('sequence')
        .describe('sequence: a step is judged once the steps before it have passed. any: all at once.'),
      cluster: z
        .strictObject({
          baseline: z
            .string()
            .regex(ID)
            .default('empty')
            .describe('What the cluster holds when the lab begins.'),
          cpus: quantity.optional().describe('The size of the node this lab was made for.'),
          memory: quantity.optional(),
          ready: z.array(checkSchema).default([]).describe('The lab begins when these hold.'),
        })
        .prefault({}),
      files: z
        .array(
          z.union([
            z.strictObject({ to: homeFile, from: file }),
            z.strictObject({ to: homeFile, manifest: id }),
          ]),
        )
        .default([])
        .describe(
          "Put into the learner's home folder: a file of the lab, or a manifest that is written then.",
        ),
      setup: z
        .array(
          z.union([
            z.strictObject({ apply: file }),
            z.strictObject({ manifest: id }),
            z.strictObject({ wait: checkSchema }),
          ]),
        )
        .default([])
        .describe('On top of the baseline, in this order: apply a manifest, or wait until a check holds.'),
      steps: z
        .array(
          z.strictObject({
            id,
            task: textSchema.describe('What to do, a paragraph at most; `code` and **bold** are understood.'),
            hints: z
              .array(textSchema)
              .min(1, 'has no hint; write at least one')
              .describe('From a nudge to nearly the answer.'),
            lasting: z
              .boolean()
              .default(true)
              .describe('false: a later step undoes it, so once passed it is not watched any more.'),
            points: z.int().min(0).max(1000).default(10).describe('What the step is worth.'),
            checks: z.array(checkSchema).min(1, 'has no check; a step without one can never pass'),
          }),
        )
        .min(1),
      costs: z
        .strictObject({
          hint: z.int().min(0).max(100).default(10).describe('Each hint, in per cent of its step.'),
          solution: z.int().min(0).max(100).default(50).describe('A look at the solution, likewise.'),
        })
        .prefault({})
        .describe('What help takes off the points of a step.'),
      learned: z.array(textSchema).default([]).describe('What the learner knows now; shown at the end.'),
    })
    .describe('A lab of Kubeflow by Doing.');

export const labSchema = labOf(check);

/** The keys that may stand below a key of the file, for whoever misspelt one; '' is the file itself. */
export const KNOWN_KEYS: Record<string, readonly string[]> = {
  '': Object.keys(labSchema.shape),
  cluster: ['baseline', 'cpus', 'memory', 'ready'],
  steps: ['id', 'task', 'hints', 'lasting', 'points', 'checks'],
  checks: [...Object.keys(envelope), ...KIND_NAMES],
  ready: [...Object.keys(envelope), ...KIND_NAMES],
  ref: Object.keys(refSchema.shape),
  from: Object.keys(refSchema.shape),
  diagnose: ['ref', 'when', 'ran', 'say'],
  ...Object.fromEntries(KIND_NAMES.map(name => [name, Object.keys(KINDS[name].shape)])),
};

export type LabDefinition = z.output<typeof labSchema>;
export type StepDefinition = LabDefinition['steps'][number];
export type Ref = z.output<typeof refSchema>;
export type KindSpec<K extends KindName> = z.output<(typeof KINDS)[K]>;

/** JSON Schema for editors; `labs/lab.schema.json` is this, printed. */
export function labJsonSchema(): unknown {
  return z.toJSONSchema(labOf(z.union(variants as unknown as [z.ZodType, z.ZodType])), {
    io: 'input',
    unrepresentable: 'any',
    reused: 'ref',
  });
}
