// The admission list, in upstream's order. Everything here may change or refuse a write; nothing here stores.

import { limitRanger } from './limit-ranger.ts';
import { mutatingPolicies } from './mutating-policies.ts';
import { namespaceLifecycle } from './namespace-lifecycle.ts';
import { defaultTolerationSeconds, priority } from './pod-defaults.ts';
import { podSecurity } from './pod-security/index.ts';
import { validatingPolicies } from './policies.ts';
import { resourceQuota } from './resource-quota.ts';
import { serviceAccount } from './service-account.ts';
import {
  defaultIngressClass,
  defaultStorageClass,
  persistentVolumeClaimResize,
  storageObjectInUseProtection,
} from './storage.ts';
import type { AdmissionPlugin } from './types.ts';
import type { WebhookTransport } from './webhook-client.ts';
import { mutatingWebhooks, validatingWebhooks } from './webhooks.ts';

export { expressionWarnings, type TypedResource } from './type-checking.ts';
export { postToWebhook, type ServiceFacts, type WebhookClientConfig, webhookUrl } from './webhook-client.ts';
export type { WebhookTransport };

export function admissionPlugins(facts: WebhookTransport): AdmissionPlugin[] {
  return [
    namespaceLifecycle,
    limitRanger,
    serviceAccount,
    podSecurity,
    priority,
    defaultTolerationSeconds,
    persistentVolumeClaimResize,
    storageObjectInUseProtection,
    defaultStorageClass,
    defaultIngressClass,
    mutatingPolicies,
    mutatingWebhooks(facts),
    validatingPolicies,
    validatingWebhooks(facts),
    resourceQuota,
  ];
}
