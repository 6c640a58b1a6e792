// Kubeflow's central dashboard: shows who one is and which namespaces one has. It believes the header that the gateway sets, and
// asks access management for the rest. Its page is a stand-in; its API is not.

import { getHttp } from '../http-client.ts';
import { exitOf, untilAborted } from '../signals.ts';
import { escapeHtml, standInPage } from '../stand-in-page.ts';
import type { Container, HttpRequest, HttpResponse, Program } from '../types.ts';

const NODES = { group: '', version: 'v1', resource: 'nodes' };
const PORT = 8082;
const START_MS = 600;
const ANONYMOUS = 'anonymous@kubeflow.org';
const ROLES: Record<string, string> = { admin: 'owner', edit: 'contributor', view: 'viewer' };

interface Membership {
  namespace: string;
  role: string;
  subject: string;
}

/** Access management could not be asked, or refused. */
class Unreachable extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

class Dashboard {
  private readonly container: Container;
  readonly kfam: string;

  constructor(container: Container) {
    this.container = container;
    const { PROFILES_KFAM_SERVICE_HOST: host, PROFILES_KFAM_SERVICE_PORT: port } = container.env;
    this.kfam = `http://${host || 'profiles-kfam.kubeflow'}:${port || 8081}/kfam`;
  }

  async handle(request: HttpRequest): Promise<HttpResponse> {
    const path = request.path.split('?')[0]!;
    const user = this.userOf(request);
    if (path === '/healthz')
      return json(200, { codeEnvironment: 'production', message: 'I tick, therfore I am!' });
    try {
      if (path === '/api/workgroup/exists') return json(200, await this.exists(user));
      if (path === '/api/workgroup/env-info') return json(200, await this.environment(user));
      if (path.startsWith('/api/'))
        return json(404, { error: `Could not find the route you're looking for` });
      return page(await this.environment(user), this.logoutUrl);
    } catch (error) {
      if (!(error instanceof Unreachable)) throw error;
      this.container.log(`Unable to get environment info: ${error.message}`);
      return path.startsWith('/api/')
        ? json(error.status, { error: error.message })
        : broken(user.email, error.message);
    }
  }

  private userOf({ headers }: HttpRequest) {
    const { USERID_HEADER: name = 'X-Goog-Authenticated-User-Email', USERID_PREFIX: prefix = '' } =
      this.container.env;
    const sent = headers[name.toLowerCase()];
    const email = sent?.startsWith(prefix) ? sent.slice(prefix.length) : sent;
    return { email: email ?? ANONYMOUS, hasAuth: email !== undefined };
  }

  private async exists(user: { email: string; hasAuth: boolean }) {
    const namespaces = await this.namespaces(user.email);
    return {
      hasAuth: user.hasAuth,
      user: user.email.split('@')[0],
      hasWorkgroup: namespaces.some(({ role }) => role === 'owner'),
      registrationFlowAllowed: (this.container.env['REGISTRATION_FLOW'] ?? 'true').toLowerCase() === 'true',
    };
  }

  private async environment({ email }: { email: string }) {
    const [platform, namespaces, isClusterAdmin] = await Promise.all([
      this.platform(),
      this.namespaces(email),
      this.ask(`/v1/role/clusteradmin?user=${encodeURIComponent(email)}`),
    ]);
    return { user: email, platform, namespaces, isClusterAdmin };
  }

  /** What the nodes say of where they are; the version is read from a kind that is not installed any more. */
  private async platform() {
    const nodes = (await this.container.api?.list(NODES).catch(() => undefined))?.items ?? [];
    const provider: string = nodes.map(node => node['spec']?.providerID).find(Boolean) ?? 'other://';
    const providerName = provider.split(':')[0];
    return { kubeflowVersion: 'unknown', provider, providerName, logoutUrl: this.logoutUrl };
  }

  get logoutUrl(): string {
    return this.container.env['LOGOUT_URL'] ?? '/logout';
  }

  private async namespaces(email: string): Promise<Membership[]> {
    const { bindings } = await this.ask(`/v1/bindings?user=${encodeURIComponent(email)}`);
    return (bindings ?? []).map((one: any) => ({
      namespace: one.referredNamespace,
      role: ROLES[one.roleRef.name],
      subject: one.user.name,
    }));
  }

  private async ask(path: string): Promise<any> {
    try {
      const { status, body } = await getHttp(this.container, `${this.kfam}${path}`);
      const text = Buffer.from(body).toString('utf8');
      if (status !== 200) throw new Unreachable(status, text.trim());
      return JSON.parse(text);
    } catch (error) {
      if (error instanceof Unreachable) throw error;
      throw new Unreachable(400, 'Unexpected error getting environment info');
    }
  }
}

const json = (status: number, value: unknown): HttpResponse => ({
  status,
  headers: { 'Content-Type': 'application/json; charset=utf-8' },
  body: JSON.stringify(value),
});

const html = (body: string): HttpResponse => ({
  status: 200,
  headers: { 'Content-Type': 'text/html; charset=UTF-8' },
  body: standInPage('centraldashboard', 'Kubeflow Central Dashboard', body),
});

function page(of: { user: string; namespaces: Membership[] }, logout: string): HttpResponse {
  const spaces = of.namespaces.map(
    ({ namespace, role }) => `<dd>${escapeHtml(namespace)}${role === 'owner' ? ' (Owner)' : ''}</dd>`,
  );
  const none = '<dd>No namespaces</dd>';
  return html(`<h1>Kubeflow Central Dashboard</h1>
<dl>
<dt>User</dt>
<dd>${escapeHtml(of.user)}</dd>
<dt>Namespace</dt>
${spaces.join('\n') || none}
</dl>
<form method="GET" action="${escapeHtml(logout)}"><button type="submit">Logout</button></form>`);
}

const broken = (user: string, why: string): HttpResponse =>
  html(`<h1>Kubeflow Central Dashboard</h1>
<dl><dt>User</dt><dd>${escapeHtml(user)}</dd></dl>
<p role="alert">${escapeHtml(why)}</p>`);

export const centralDashboard: Program = {
  image: 'ghcr.io/kubeflow/dashboard/dashboard',
  config: { entrypoint: ['npm'], cmd: ['start'] },
  async run(container) {
    container.use({ cpuMillis: 2, memoryBytes: 58 * 1024 * 1024 });
    await container.clock.sleep(START_MS, container.signal);
    const dashboard = new Dashboard(container);
    container.log('Initializing Kubernetes configuration');
    container.log(`Using Profiles service at ${dashboard.kfam}`);
    container.serveHttp(PORT, request => dashboard.handle(request));
    container.log(`Server listening on port http://localhost:${PORT} (in production mode)`);
    await untilAborted(container.signal);
    return exitOf(container);
  },
};
