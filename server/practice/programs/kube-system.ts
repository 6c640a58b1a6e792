// The programs of a cluster's own components: control plane, CoreDNS, kube-proxy, storage provisioner, metrics-server.
// Their work is done by other parts of the practice cluster; here they run, log and answer probes.

import { flagOf, switchedOn } from './flags.ts';
import { portsOf } from './general.ts';
import { exitOf, untilAborted } from './signals.ts';
import type { Container, Program } from './types.ts';

const MiB = 1024 * 1024;
/** klog: `I1124 07:00:00.000000       1 server.go:10] `. */
function klog(container: Container, level: string, place: string, text: string): string {
  const at = new Date(container.clock.now()).toISOString();
  return `${level}${at.slice(5, 7)}${at.slice(8, 10)} ${at.slice(11, 23)}000       1 ${place}] ${text}`;
}

interface Component {
  image: string;
  entrypoint: string;
  use: { cpuMillis: number; memoryBytes: number };
  lines(container: Container): string[];
  /** Answers on the declared ports; false: it opens none of its own. */
  serves: boolean;
}

const COMPONENTS: readonly Component[] = [
  {
    image: 'registry.k8s.io/kube-apiserver',
    entrypoint: 'kube-apiserver',
    use: { cpuMillis: 45, memoryBytes: 190 * MiB },
    lines: c => [
      klog(c, 'I', 'options.go:263', 'external host was not specified, using 192.168.49.2'),
      klog(c, 'I', 'server.go:150', 'Version: v1.36.2'),
      klog(c, 'I', 'secure_serving.go:211', 'Serving securely on [::]:8443'),
    ],
    // The port belongs to the cluster's real API server.
    serves: false,
  },
  {
    image: 'registry.k8s.io/etcd',
    entrypoint: 'etcd',
    use: { cpuMillis: 22, memoryBytes: 48 * MiB },
    lines: c => [
      JSON.stringify({
        level: 'info',
        ts: new Date(c.clock.now()).toISOString(),
        caller: 'embed/serve.go:124',
        msg: 'ready to serve client requests',
      }),
    ],
    serves: true,
  },
  {
    image: 'registry.k8s.io/kube-controller-manager',
    entrypoint: 'kube-controller-manager',
    use: { cpuMillis: 18, memoryBytes: 58 * MiB },
    lines: c => [
      klog(c, 'I', 'controllermanager.go:189', '"Starting" version="v1.36.2"'),
      klog(c, 'I', 'secure_serving.go:211', 'Serving securely on 127.0.0.1:10257'),
    ],
    serves: true,
  },
  {
    image: 'registry.k8s.io/kube-scheduler',
    entrypoint: 'kube-scheduler',
    use: { cpuMillis: 4, memoryBytes: 24 * MiB },
    lines: c => [
      klog(c, 'I', 'server.go:176', '"Starting Kubernetes Scheduler" version="v1.36.2"'),
      klog(c, 'I', 'secure_serving.go:211', 'Serving securely on 127.0.0.1:10259'),
    ],
    serves: true,
  },
  {
    image: 'registry.k8s.io/kube-proxy',
    entrypoint: '/usr/local/bin/kube-proxy',
    use: { cpuMillis: 1, memoryBytes: 18 * MiB },
    lines: c => [
      klog(c, 'I', 'server_linux.go:53', '"Using iptables proxy"'),
      klog(c, 'I', 'shared_informer.go:356', '"Caches are synced" controller="service config"'),
    ],
    serves: false,
  },
  {
    image: 'gcr.io/k8s-minikube/storage-provisioner',
    entrypoint: '/storage-provisioner',
    use: { cpuMillis: 2, memoryBytes: 9 * MiB },
    lines: c => [
      klog(c, 'I', 'storage_provisioner.go:116', 'Initializing the minikube storage provisioner...'),
      klog(c, 'I', 'storage_provisioner.go:141', 'Storage provisioner initialized, now starting service!'),
    ],
    serves: false,
  },
  {
    image: 'registry.k8s.io/coredns/coredns',
    entrypoint: '/coredns',
    use: { cpuMillis: 2, memoryBytes: 14 * MiB },
    lines: () => [
      '.:53',
      '[INFO] plugin/reload: Running configuration SHA512 = 0a3c1f',
      'CoreDNS-1.14.2',
      'linux/amd64, go1.26.2',
    ],
    serves: true,
  },
];

function component(of: Component): Program {
  const name = of.entrypoint.split('/').pop();
  return {
    image: of.image,
    config: { entrypoint: [of.entrypoint], cmd: [] },
    has: executable => executable.split('/').pop() === name,
    async run(container) {
      container.use(of.use);
      const ok = { status: 200, headers: { 'Content-Type': 'text/plain; charset=utf-8' }, body: 'ok' };
      if (of.serves) for (const port of portsOf(container)) container.serveHttp(port, () => ok);
      for (const line of of.lines(container)) container.logError(line);
      await untilAborted(container.signal);
      return exitOf(container);
    },
  };
}

/** Ready only when it may read the kubelet: with a self-signed kubelet that takes --kubelet-insecure-tls. */
const metricsServer: Program = {
  image: 'registry.k8s.io/metrics-server/metrics-server',
  config: { entrypoint: ['/metrics-server'], cmd: [], user: '1000' },
  has: executable => executable === '/metrics-server',
  async run(container) {
    const port = Number(flagOf(container, 'secure-port') ?? 443);
    const trusted = switchedOn(container, 'kubelet-insecure-tls');
    const resolution = Number(/^(\d+)s/.exec(flagOf(container, 'metric-resolution') ?? '')?.[1] ?? 60);
    container.use({ cpuMillis: 4, memoryBytes: 20 * MiB });
    container.logError(
      klog(
        container,
        'I',
        'serving.go:380',
        'Generated self-signed cert (/tmp/apiserver.crt, /tmp/apiserver.key)',
      ),
    );
    let scraped = false;
    container.serveHttp(port, request => {
      const ready = request.path.startsWith('/livez') || scraped;
      if (!ready)
        container.logError(
          klog(
            container,
            'I',
            'server.go:191',
            '"Failed probe" probe="metric-storage-ready" err="no metrics to serve"',
          ),
        );
      return { status: ready ? 200 : 500, body: ready ? 'ok' : 'no metrics to serve' };
    });
    container.logError(klog(container, 'I', 'secure_serving.go:211', `Serving securely on [::]:${port}`));
    while (!container.signal.aborted) {
      await container.clock.sleep(scraped ? resolution * 1000 : 5_000, container.signal);
      if (container.signal.aborted) break;
      if (trusted) scraped = true;
      else
        container.logError(
          klog(
            container,
            'E',
            'scraper.go:149',
            `"Failed to scrape node" err="Get \\"https://192.168.49.2:10250/metrics/resource\\": tls: failed to verify certificate: x509: cannot validate certificate for 192.168.49.2 because it doesn't contain any IP SANs" node="${container.pod['spec'].nodeName}"`,
          ),
        );
    }
    return exitOf(container);
  },
};

export const kubeSystem: readonly Program[] = [...COMPONENTS.map(component), metricsServer];
