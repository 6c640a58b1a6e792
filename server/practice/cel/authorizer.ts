// The `authorizer` variable of CEL: may the user, or a service account, do this? Knows how questions are put together; the
// answers come from the caller.

import type { Environment } from '@marcbachmann/cel-js';

/** One question, as the authorizer of the registry takes it. */
export interface Question {
  verb: string;
  path?: string;
  group?: string;
  resource?: string;
  subresource?: string;
  namespace?: string;
  name?: string;
  /** Absent: whoever made the request. */
  serviceAccount?: { namespace: string; name: string };
}

export type Ask = (question: Question) => { allowed: boolean; reason?: string };

type About = Omit<Question, 'verb'>;

class AuthorizerValue {
  readonly ask: Ask;
  readonly about: About;
  /** The resource of the request itself. */
  readonly requestResource: CheckValue;
  constructor(ask: Ask, requested: About, about: About = {}) {
    this.ask = ask;
    this.about = about;
    this.requestResource = new CheckValue(ask, { ...requested, ...about });
  }
}

class CheckValue {
  readonly ask: Ask;
  readonly about: About;
  constructor(ask: Ask, about: About) {
    this.ask = ask;
    this.about = about;
  }
  with(more: About): CheckValue {
    return new CheckValue(this.ask, { ...this.about, ...more });
  }
}

class DecisionValue {
  readonly allowed: boolean;
  readonly reason: string;
  constructor(allowed: boolean, reason: string) {
    this.allowed = allowed;
    this.reason = reason;
  }
}

/** The value of the variable; `requested` is what `authorizer.requestResource` asks about. */
export function authorizerValue(ask: Ask, requested: About): object {
  return new AuthorizerValue(ask, requested);
}

/** Values of this library must not be taken for JSON. */
export function isAuthorizer(value: unknown): boolean {
  return value instanceof AuthorizerValue;
}

export function registerAuthorizer(env: Environment): void {
  env.registerType('ResourceCheck', CheckValue);
  env.registerType('Authorizer', { ctor: AuthorizerValue, fields: { requestResource: 'ResourceCheck' } });
  env.registerType('Decision', DecisionValue);
  env
    .registerFunction(
      'Authorizer.serviceAccount(string, string): Authorizer',
      (value: AuthorizerValue, namespace: string, name: string) =>
        new AuthorizerValue(value.ask, value.requestResource.about, { serviceAccount: { namespace, name } }),
    )
    .registerFunction(
      'Authorizer.path(string): ResourceCheck',
      (value: AuthorizerValue, path: string) => new CheckValue(value.ask, { ...value.about, path }),
    )
    .registerFunction(
      'Authorizer.group(string): ResourceCheck',
      (value: AuthorizerValue, group: string) => new CheckValue(value.ask, { ...value.about, group }),
    );
  for (const part of ['resource', 'subresource', 'namespace', 'name'] as const)
    env.registerFunction(`ResourceCheck.${part}(string): ResourceCheck`, (check: CheckValue, text: string) =>
      check.with({ [part]: text }),
    );
  env
    .registerFunction('ResourceCheck.check(string): Decision', (check: CheckValue, verb: string) => {
      const { allowed, reason = '' } = check.ask({ ...check.about, verb });
      return new DecisionValue(allowed, reason);
    })
    .registerFunction('Decision.allowed(): bool', (decision: DecisionValue) => decision.allowed)
    .registerFunction('Decision.reason(): string', (decision: DecisionValue) => decision.reason)
    .registerFunction('Decision.errored(): bool', () => false)
    .registerFunction('Decision.error(): string', () => '');
}
