// Ingresses with minikube's add-on: nothing happens before it, then they get an address and lead to services, and what goes
// wrong shows where the real controller shows it.

import assert from 'node:assert/strict';
import { request } from 'node:http';
import { after, before, describe, it } from 'node:test';
import { practiceTools } from '../../server/practice/tools/index.ts';
import { type Component, component } from '../support/component.ts';
import { NO_KUBECTL } from '../support/practice.ts';

const HOST = 'hello-world.example';
const LOG = 'kubectl logs -n ingress-nginx deploy/ingress-nginx-controller';
const INGRESSES = 'networking.k8s.io/v1 ingresses';
const start = component('empty', 'shop');

const backend = (name: string) => ({ service: { name, port: { number: 8080 } } });
const ingress = (
  name: string,
  host: string,
  services: Record<string, string>,
  ingressClassName = 'nginx',
) => {
  const paths = Object.entries(services).map(([path, service]) => ({
    path,
    pathType: 'Prefix',
    backend: backend(service),
  }));
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: { name },
    spec: { ingressClassName, rules: [{ host, http: { paths } }] },
  };
};

describe('Ingress', { skip: NO_KUBECTL }, () => {
  let c: Component;
  let port = 0;
  before(async () => {
    c = await start();
    const tool = practiceTools().find(({ name }) => name === 'minikube')!;
    await c.sh(`cat > minikube <<'END_OF_TOOL'\n${tool.text}\nEND_OF_TOOL\nchmod +x minikube`);
    await c.sh(
      ['1.0 web', '2.0 web2']
        .map(of => of.split(' '))
        .map(
          ([tag, name]) =>
            `kubectl create deployment ${name} --image=gcr.io/google-samples/hello-app:${tag}; kubectl expose deployment ${name} --type=NodePort --port=8080`,
        )
        .join(';'),
    );
  });
  after(() => c.sh('kill $(cat forward.pid)'));

  const minikube = (words: string) => c.sh(`KBD_NODE=${process.execPath} minikube ${words}`);
  /** What the controller's port 80 answers: `200 text`. */
  const ask = (path = '/', host = HOST): Promise<string> =>
    new Promise((resolve, reject) => {
      request({ host: '127.0.0.1', port, path, headers: { host } }, response => {
        let text = `${response.statusCode} `;
        response.on('data', chunk => {
          text += chunk;
        });
        response.on('end', () => resolve(text));
      })
        .on('error', reject)
        .end();
    });
  const addresses = async (name: string) =>
    (await c.get(INGRESSES, name))?.status?.loadBalancer?.ingress ?? [];

  it('gets no address while nobody watches; minikube enables the controller', async () => {
    await c.create(ingress('example-ingress', HOST, { '/': 'web' }));
    assert.deepEqual(await addresses('example-ingress'), []);
    assert.match(
      await minikube('addons enable ingress'),
      /ingress is an addon maintained by Kubernetes.*Using image registry.k8s.io\/ingress-nginx\/controller:v1.14.3.*\* Verifying ingress addon\.\.\.\n\* The 'ingress' addon is enabled$/s,
    );
    assert.match(await minikube('addons list'), /│ ingress {21}│ minikube │ enabled ✅ │/);
    assert.match(await c.sh('kubectl get ingressclass'), /nginx \(default\) +k8s\.io\/ingress-nginx/);
  });

  it('leads to a service by host and path', async () => {
    await c.sh(
      'kubectl port-forward -n ingress-nginx service/ingress-nginx-controller :80 > forward.log 2>&1 & echo $! > forward.pid',
    );
    const said = await c.until(
      () => c.sh('cat forward.log'),
      text => text.includes('Forwarding from 127'),
    );
    port = Number(/127\.0\.0\.1:(\d+) -> 80/.exec(said)?.[1]);
    assert.match(await ask(), /^200 Hello, world!\nVersion: 1\.0\.0\nHostname: web-/);
    assert.match(
      await ask('/', 'other.example'),
      /^404 <html>\r\n<head><title>404 Not Found<.*<hr><center>nginx</s,
    );

    await c.patch(INGRESSES, 'example-ingress', {
      spec: ingress('', HOST, { '/': 'web', '/v2': 'web2' }).spec,
    });
    await c.until(
      () => ask('/v2'),
      text => text.startsWith('200 Hello, world!\nVersion: 2.0.0\nHostname: web2-'),
    );
    assert.match(await ask('/v2x'), /Hostname: web-/);
    assert.match(
      await c.sh(LOG),
      /"GET \/v2 HTTP\/1\.1" 200 \d+ "-" "-" \d+ [\d.]+ \[shop-web2-8080\] \[\] 10\.244\.0\.\d+:8080 \d+ [\d.]+ 200 [0-9a-f]{32}\n/,
    );
  });

  it('answers 503 while its service has no endpoints', async () => {
    await c.sh('kubectl scale deployment web2 --replicas=0');
    await c.until(
      () => ask('/v2'),
      text => /^503 .*503 Service Temporarily Unavailable/s.test(text),
    );
    assert.match(await c.sh(LOG), /Service "shop\/web2" does not have any active Endpoint\.\n/);
    await c.sh('kubectl scale deployment web2 --replicas=1');
    await c.until(
      () => ask('/v2'),
      text => text.startsWith('200 '),
    );
  });

  it('gets the address of the node, and events; one of another class does not', async () => {
    await c.create(ingress('stranger', 'stranger.example', { '/': 'web' }, 'none'));
    await c.until(
      () => addresses('example-ingress'),
      found => JSON.stringify(found) === '[{"ip":"192.168.49.2"}]',
    );
    assert.match(
      await c.sh('kubectl get ingress example-ingress'),
      /^NAME +CLASS +HOSTS +ADDRESS +PORTS +AGE\nexample-ingress +nginx +hello-world\.example +192\.168\.49\.2 +80 /,
    );
    assert.match(
      await c.sh('kubectl describe ingress example-ingress'),
      /Normal +Sync +.*nginx-ingress-controller +Scheduled for sync/,
    );
    assert.deepEqual(await addresses('stranger'), []);
    assert.deepEqual(await c.events('Ingress', 'stranger'), []);
    assert.match(
      await c.sh(LOG),
      /"Ignoring ingress because of error while validating ingress class" ingress="shop\/stranger" error="no object matching key \\"none\\" in local store"/,
    );
  });

  it('leads nowhere once it is deleted', async () => {
    await c.delete(INGRESSES, 'example-ingress');
    await c.until(
      () => ask(),
      text => text.startsWith('404 '),
    );
  });

  it('needs a controller that may read: without its role it says so and never gets ready', async () => {
    await c.delete('rbac.authorization.k8s.io/v1 clusterrolebindings', 'ingress-nginx');
    await c.sh('kubectl delete pod -n ingress-nginx -l app.kubernetes.io/component=controller');
    await c.create(ingress('refused', HOST, { '/': 'web' }));
    const log = await c.until(
      () => c.sh(LOG),
      text => /failed to list \*v1\.Ingress: /.test(text),
    );
    const account = 'User "system:serviceaccount:ingress-nginx:ingress-nginx" cannot list resource';
    assert.ok(
      log.includes(
        `No permissions to list and get Ingress Classes: ingressclasses.networking.k8s.io is forbidden: ${account}`,
      ),
      log,
    );
    assert.doesNotMatch(log, /Starting NGINX process/);
    assert.deepEqual(await addresses('refused'), []);
  });

  it('is left alone when the add-on is disabled', async () => {
    assert.equal(await minikube('addons disable ingress'), `* "The 'ingress' addon is disabled`);
    assert.equal(await c.get('v1 namespaces', 'ingress-nginx'), undefined);
    assert.equal((await c.get(INGRESSES, 'refused')).metadata.name, 'refused');
  });
});
