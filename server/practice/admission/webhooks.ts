// Mutating and validating webhooks: which are asked, in which order, and what their answers do to the request.

import { badRequest, internalError, type KubeObject } from '../../kube/index.ts';
import { jsonPatch } from '../../kube/patch/index.ts';
import { celError, celValue, compile } from '../cel/index.ts';
import { namespaceMatches, objectMatches, requestVariables, ruleMatches } from './matching.ts';
import type { AdmissionContext, AdmissionPlugin, AdmissionRequest } from './types.ts';
import { callWebhook, deniedBy, type Webhook, type WebhookAnswer, WebhookCallError } from './webhook-call.ts';
import type { WebhookTransport } from './webhook-client.ts';

const GROUP = 'admissionregistration.k8s.io';

/** A webhook cannot guard its own configuration: a broken one could never be removed. */
function isExempt({ definition }: AdmissionRequest): boolean {
  return definition.group === GROUP;
}

function hooksFor(resource: string, request: AdmissionRequest, context: AdmissionContext): Webhook[] {
  if (isExempt(request)) return [];
  return context
    .listAll({ group: GROUP, resource })
    .flatMap(configuration => (configuration.webhooks ?? []) as Webhook[])
    .filter(
      hook =>
        (hook.rules ?? []).some(rule => ruleMatches(rule, request)) &&
        namespaceMatches(hook.namespaceSelector, request, context) &&
        objectMatches(hook.objectSelector, request),
    );
}

/** True when every condition holds; an error counts as the failure policy says. */
function conditionsHold(hook: Webhook, request: AdmissionRequest, context: AdmissionContext): boolean {
  if (!hook.matchConditions?.length) return true;
  const variables = celValue(requestVariables(request, context)) as Record<string, unknown>;
  let failure: string | undefined;
  for (const { name, expression } of hook.matchConditions) {
    try {
      if (compile(expression)(variables) !== true) return false;
    } catch (error) {
      failure ??= `${name}: ${celError(error)}`;
    }
  }
  if (failure === undefined) return true;
  if (hook.failurePolicy === 'Ignore') return false;
  throw internalError(`failed calling webhook "${hook.name}": matchConditions: ${failure}`);
}

/** The answer, or undefined when it failed and failures are to be ignored. */
async function ask(
  hook: Webhook,
  request: AdmissionRequest,
  context: AdmissionContext,
  facts: WebhookTransport,
): Promise<WebhookAnswer | undefined> {
  if (!conditionsHold(hook, request, context)) return undefined;
  if (request.dryRun && hook.sideEffects !== 'None' && hook.sideEffects !== 'NoneOnDryRun') {
    throw badRequest(`admission webhook "${hook.name}" does not support dry run`);
  }
  let answer: WebhookAnswer;
  try {
    answer = await callWebhook(hook, request, context, facts);
  } catch (error) {
    if (!(error instanceof WebhookCallError)) throw error;
    if (hook.failurePolicy === 'Ignore') return undefined;
    throw internalError(error.message);
  }
  for (const warning of answer.warnings) context.warn(warning);
  if (!answer.allowed) throw deniedBy(hook.name, answer.status);
  return answer;
}

const keyOf = (hook: Webhook) => `webhook ${hook.name} ${JSON.stringify(hook.clientConfig)}`;

function replaceContents(object: KubeObject, next: KubeObject): void {
  for (const key of Object.keys(object)) delete object[key];
  Object.assign(object, next);
}

export function mutatingWebhooks(facts: WebhookTransport): AdmissionPlugin {
  return {
    name: 'MutatingAdmissionWebhook',
    mutate(request, context) {
      const hooks = hooksFor('mutatingwebhookconfigurations', request, context);
      return hooks.length > 0 ? mutateBy(hooks, request, context, facts) : undefined;
    },
    mutateAgain(request, context) {
      const hooks = hooksFor('mutatingwebhookconfigurations', request, context).filter(hook => {
        const after = request.invoked?.get(keyOf(hook));
        return after !== undefined && after !== JSON.stringify(request.object);
      });
      return hooks.length > 0 ? mutateBy(hooks, request, context, facts) : undefined;
    },
  };
}

async function mutateBy(
  hooks: Webhook[],
  request: AdmissionRequest,
  context: AdmissionContext,
  facts: WebhookTransport,
): Promise<void> {
  for (const hook of hooks) {
    const answer = await ask(hook, request, context, facts);
    if (!answer || !request.object) continue;
    try {
      if (answer.patch) replaceContents(request.object, jsonPatch(request.object, answer.patch));
    } catch {
      if (hook.failurePolicy !== 'Ignore') {
        throw internalError(`failed calling webhook "${hook.name}": cannot apply the patch it returned`);
      }
    }
    if (hook.reinvocationPolicy !== 'IfNeeded') continue;
    request.invoked ??= new Map();
    request.invoked.set(keyOf(hook), JSON.stringify(request.object));
  }
}

export function validatingWebhooks(facts: WebhookTransport): AdmissionPlugin {
  return {
    name: 'ValidatingAdmissionWebhook',
    validate(request, context) {
      const hooks = hooksFor('validatingwebhookconfigurations', request, context);
      return hooks.length > 0 ? validateBy(hooks, request, context, facts) : undefined;
    },
  };
}

async function validateBy(
  hooks: Webhook[],
  request: AdmissionRequest,
  context: AdmissionContext,
  facts: WebhookTransport,
): Promise<void> {
  for (const hook of hooks) await ask(hook, request, context, facts);
}
