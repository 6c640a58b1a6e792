// Signing in to Kubeflow through the gateway, over a real port-forward: the way of a browser, what is refused, what logs say, and
// what is needed for it.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { after, before, describe, it } from 'node:test';
import { BrowserSession, type Page } from '../support/browser-session.ts';
import { type Component, component } from '../support/component.ts';
import { KUBECTL, NO_KUBECTL } from '../support/practice.ts';

const start = component('login', 'ada');
const USER = 'user@example.com';
const PASSWORD = '12341234';
const SPACE = 'kubeflow-user-example-com';
const DEPLOYMENTS = 'apps/v1 deployments';

/** `kubectl port-forward` to the gateway on a port that it chooses. */
function forward(kubeconfig: string): Promise<{ site: string; stop(): void }> {
  const args = [
    '--kubeconfig',
    kubeconfig,
    'port-forward',
    '-n',
    'istio-system',
    'svc/istio-ingressgateway',
    ':80',
  ];
  const child = spawn(KUBECTL!, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  return new Promise((resolve, reject) => {
    let text = '';
    child.stdout.on('data', chunk => {
      text += chunk;
      const port = /127\.0\.0\.1:(\d+)/.exec(text)?.[1];
      if (port) resolve({ site: `http://localhost:${port}`, stop: () => child.kill() });
    });
    child.on('exit', () => reject(new Error(`kubectl ended: ${text}`)));
  });
}

describe('Signing in', { skip: NO_KUBECTL }, () => {
  let c: Component;
  let door: Awaited<ReturnType<typeof forward>>;
  before(async () => {
    c = await start();
    for (const [name, namespace] of [
      ['istio-ingressgateway', 'istio-system'],
      ['dex', 'auth'],
      ['oauth2-proxy', 'oauth2-proxy'],
      ['dashboard', 'kubeflow'],
      ['profiles-deployment', 'kubeflow'],
    ] as const)
      await settled(name, namespace);
    await c.until(
      () => c.get('v1 namespaces', SPACE),
      found => found !== undefined,
    );
    door = await forward(c.kubeconfig);
    // istiod gets Dex' keys a moment after Dex is there.
    await c.until(
      () => c.sh('kubectl logs -n istio-system deploy/istiod'),
      log => log.includes('Updated cached JWT public key'),
    );
  });
  after(() => door?.stop());

  const settled = (name: string, namespace: string, replicas?: number) =>
    c.until(
      async () => {
        const { spec, status, metadata } = await c.get(DEPLOYMENTS, name, namespace);
        return { spec, status, metadata };
      },
      ({ spec, status, metadata }) =>
        status?.observedGeneration === metadata.generation &&
        (status.readyReplicas ?? 0) === (replicas ?? spec.replicas) &&
        (status.replicas ?? 0) === (replicas ?? spec.replicas),
    );
  /** From the first page to Dex' form. */
  const toForm = async (browser: BrowserSession): Promise<Page> => {
    const form = await browser.get('/oauth2/start?rd=%2F');
    assert.match(form.text, /Log in to Your Account/);
    return form;
  };
  const signIn = async (browser: BrowserSession, password: string, login = USER) => {
    const form = await toForm(browser);
    return browser.post(form.path, { login, password });
  };
  const logs = (app: 'dex' | 'oauth2-proxy') =>
    c.sh(
      app === 'dex'
        ? 'kubectl logs -n auth -l app=dex --tail=-1'
        : 'kubectl logs -n oauth2-proxy -l app.kubernetes.io/name=oauth2-proxy --tail=-1',
    );

  it('leads over two pages to the dashboard, which says who and where one is', async () => {
    const browser = new BrowserSession(door.site);
    const first = await browser.get('/');
    assert.equal(first.status, 403);
    assert.match(first.text, /action="\/oauth2\/start"[\s\S]*name="rd" value="\/"[\s\S]*Sign in with Dex/);

    const form = await toForm(browser);
    assert.match(form.path, /^\/dex\/auth\/local\/login\?back=&state=\w{26}$/);
    const [request] = await c.list('dex.coreos.com/v1 authrequests', '', 'auth');
    assert.equal(`${request.clientID} ${request.loggedIn}`, 'kubeflow-oidc-authservice false');

    const page = await browser.post(form.path, { login: USER, password: PASSWORD });
    assert.equal(`${page.status} ${page.path}`, '200 /');
    assert.match(page.text, /<dt>User<\/dt>\s*<dd>user@example.com<\/dd>/);
    assert.match(page.text, /<dt>Namespace<\/dt>\s*<dd>kubeflow-user-example-com \(Owner\)<\/dd>/);
    const { namespaces, user } = JSON.parse((await browser.get('/api/workgroup/env-info')).text);
    assert.deepEqual(
      { namespaces, user },
      {
        namespaces: [{ namespace: SPACE, role: 'owner', subject: USER }],
        user: USER,
      },
    );
    assert.equal((await browser.get('/oauth2/userinfo')).status, 200);
    // Nothing of it is left that could be used again.
    assert.deepEqual(await c.list('dex.coreos.com/v1 authcodes', '', 'auth'), []);

    assert.match(
      await logs('dex'),
      /level=INFO msg="login successful" connector_id=local username=user preferred_username="" email=user@example.com groups=\[\] client_remote_addr=[\d.]+ request_id=[\w-]{36}/,
    );
    const said = await logs('oauth2-proxy');
    assert.match(said, /\] \[oauthproxy.go:1035\] No valid authentication in request. Initiating login.\n/);
    assert.match(
      said,
      / - user@example.com \[[\d/]+ [\d:]+\] \[AuthSuccess\] Authenticated via OAuth2: Session\{email:user@example.com user:\w+ PreferredUsername: token:true id_token:true created:/,
    );
    assert.match(
      said,
      / - user@example.com \[[\d/]+ [\d:]+\] localhost:\d+ GET static:\/\/200 "\/" HTTP\/1.1 "/,
    );

    await browser.get('/oauth2/sign_out');
    assert.equal((await browser.get('/')).status, 403);
  });

  it('is refused in Dex’ words, and nobody gets around it', async () => {
    const browser = new BrowserSession(door.site);
    for (const [login, password] of [
      [USER, '12341235'],
      ['nobody@example.com', PASSWORD],
    ] as const) {
      const page = await signIn(browser, password, login);
      assert.match(
        page.text,
        /<div id="login-error" role="alert">Invalid Email Address and password.<\/div>/,
      );
      assert.match(page.path, /^\/dex\/auth\/local\/login/);
    }
    assert.match(
      await logs('dex'),
      /level=ERROR msg="failed login attempt: Invalid credentials." user=user@example.com /,
    );

    const asked = async (path: string, headers: Record<string, string> = {}) => {
      const page = await new BrowserSession(door.site).get(path, headers);
      return `${page.status} ${page.text}`;
    };
    assert.match(await asked('/', { 'kubeflow-userid': USER }), /^403 .*Sign in with Dex/s);
    assert.equal(await asked('/api/workgroup/exists'), '401 {}');
    const coded = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const issuer = 'http://dex.auth.svc.cluster.local:5556/dex';
    const forged = `${coded({ alg: 'RS256', kid: 'x' })}.${coded({ iss: issuer, sub: 'me', email: USER })}.c2ln`;
    assert.equal(
      await asked('/', { authorization: `Bearer ${forged}` }),
      `401 Jwks doesn't have key to match kid or alg from Jwt`,
    );
    const foreign = `${coded({ alg: 'RS256' })}.${coded({ iss: 'https://elsewhere' })}.c2ln`;
    assert.equal(
      await asked('/', { authorization: `Bearer ${foreign}` }),
      '401 Jwt issuer is not configured',
    );
    assert.equal(await asked('/', { authorization: 'Basic dXNlcjp4' }), '403 RBAC: access denied');
    assert.match(
      await c.sh('kubectl logs -n istio-system deploy/istio-ingressgateway'),
      /"GET \/ HTTP\/1.1" 403 - rbac_access_denied_matched_policy\[ns\[istio-system\]-policy\[istio-ingressgateway-require-jwt\]-rule\[0\]\]/,
    );
    // A code without the cookie of whoever asked for it.
    assert.match(
      await asked('/oauth2/callback?code=x&state=y:/'),
      /^403 .*Unable to find a valid CSRF token. Please try again./s,
    );
    assert.match(await asked('/dex/auth?client_id=x'), /^400 .*Invalid client_id \(&quot;x&quot;\)\./s);
  });

  it('wants the password whose hash Dex was started with', async () => {
    const hash = async (cost: number) => {
      const line = await c.sh(
        `kubectl run hash --rm -i --quiet --restart=Never --image=httpd:2.4-alpine -- htpasswd -nbBC ${cost} user 'a better one' 2>/dev/null`,
      );
      assert.match(line, /^user:\$2y\$\d\d\$[./\w]{53}$/);
      return line.slice('user:'.length);
    };
    const set = async (value: string) => {
      await c.sh(
        `kubectl create secret generic dex-passwords -n auth --from-literal=DEX_USER_PASSWORD='${value}' --dry-run=client -o yaml | kubectl apply -f -`,
      );
    };
    const restart = async () => {
      await c.sh('kubectl rollout restart deployment/dex -n auth');
      await c.sh('kubectl rollout status deployment/dex -n auth');
    };
    const browser = new BrowserSession(door.site);
    await set(await hash(10));
    assert.equal((await signIn(browser, PASSWORD)).path, '/', 'until Dex is started again the old one holds');
    await restart();
    browser.forget();
    assert.match((await signIn(browser, PASSWORD)).text, /Invalid Email Address and password/);
    assert.match((await signIn(browser, 'a better one')).text, /kubeflow-user-example-com/);
  });

  it('needs Dex for new sessions, not for those there are', async () => {
    const browser = new BrowserSession(door.site);
    assert.equal((await signIn(browser, 'a better one')).path, '/');
    await c.sh('kubectl scale deployment/dex -n auth --replicas=0');
    await settled('dex', 'auth', 0);
    const other = new BrowserSession(door.site);
    const started = await other.get('/oauth2/start?rd=%2F');
    assert.equal(`${started.status} ${started.text}`, '503 no healthy upstream');
    assert.match((await browser.get('/')).text, /user@example.com/);
    const proxies = await c.get(DEPLOYMENTS, 'oauth2-proxy', 'oauth2-proxy');
    assert.equal(
      proxies.status.readyReplicas,
      2,
      'it was told where everything is and asks nobody at its start',
    );
    await c.sh('kubectl scale deployment/dex -n auth --replicas=2');
    await settled('dex', 'auth', 2);
    assert.equal((await signIn(other, 'a better one')).path, '/');
  });

  it('needs oauth2-proxy for everything, and that its settings', async () => {
    await c.sh('kubectl scale deployment/oauth2-proxy -n oauth2-proxy --replicas=0');
    await settled('oauth2-proxy', 'oauth2-proxy', 0);
    const page = await new BrowserSession(door.site).get('/');
    assert.equal(`${page.status} ${page.text}`, '403 ');
    await c.sh(
      `kubectl set env deployment/oauth2-proxy -n oauth2-proxy OAUTH2_PROXY_COOKIE_SECRET=short OAUTH2_PROXY_SKIP_OIDC_DISCOVERY=false; kubectl scale deployment/oauth2-proxy -n oauth2-proxy --replicas=1`,
    );
    const said = () => c.sh('kubectl logs -n oauth2-proxy -l app.kubernetes.io/name=oauth2-proxy');
    await c.until(said, text =>
      /\[main.go:\d+\] invalid configuration:\n {2}cookie_secret must be 16, 24, or 32 bytes to create an AES cipher, but is 5 bytes/.test(
        text,
      ),
    );
  });

  it('gives a namespace to whoever a Profile names', async () => {
    await c.sh(`kubectl apply -f - <<'Y'
apiVersion: kubeflow.org/v1
kind: Profile
metadata: { name: team-grace }
spec:
  owner: { kind: User, name: grace@example.com }
  resourceQuotaSpec: { hard: { cpu: '4' } }
Y`);
    const space = await c.until(
      () => c.get('v1 namespaces', 'team-grace'),
      found => found !== undefined,
    );
    assert.equal(space.metadata.annotations.owner, 'grace@example.com');
    assert.equal(space.metadata.labels['istio-injection'], 'enabled');
    await c.until(
      () => c.get('v1 resourcequotas', 'kf-resource-quota', 'team-grace'),
      quota => quota?.spec.hard.cpu === '4',
    );
    assert.equal(
      await c.sh('kubectl auth can-i create deployments -n team-grace --as grace@example.com'),
      'yes',
    );
    // A namespace that was there is not taken over.
    await c.sh(`kubectl apply -f - <<'Y'
apiVersion: kubeflow.org/v1
kind: Profile
metadata: { name: ada }
spec: { owner: { kind: User, name: grace@example.com } }
Y`);
    await c.until(
      () => c.get('kubeflow.org/v1 profiles', 'ada'),
      found =>
        found.status?.conditions?.[0]?.message ===
        'namespace already exist, but not owned by profile creator grace@example.com',
    );
    await c.sh('kubectl delete profile team-grace --wait=false');
    await c.until(
      () => c.get('v1 namespaces', 'team-grace'),
      found => found === undefined,
    );
  });
});
