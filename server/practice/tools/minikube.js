// `minikube` as the learner's shell sees it in practice: speaks to the cluster through kubectl and prints what a real
// minikube v1.38.1 prints. Runs alone, outside this project: no imports but Node's own. Knows no session.

const { spawn, spawnSync } = process.getBuiltinModule('node:child_process');
const { readFileSync, writeFileSync, mkdirSync } = process.getBuiltinModule('node:fs');
const { networkInterfaces } = process.getBuiltinModule('node:os');
const { join } = process.getBuiltinModule('node:path');

const VERSION = 'v1.38.1';
const COMMIT = 'c93a4cb9311efc66b90d33ea03f75f2c4120e9b0';
const ADDONS = __ADDONS__;
/** Add-ons that are objects to apply: their images, their workload, and by which label they are verified. */
const INSTALLED = __INSTALLED__;

const styled = process.stdout.isTTY && process.env.MINIKUBE_IN_STYLE !== 'false';
const mark = (emoji, plain = '*') => (styled ? `${emoji}  ` : `${plain} `);
const out = text => process.stdout.write(`${text}\n`);
const err = text => process.stderr.write(`${text}\n`);

function kubectl(args, input) {
  const run = spawnSync('kubectl', args, { encoding: 'utf8', ...(input === undefined ? {} : { input }) });
  // A kubectl that ends without reading what it was given is no error of the pipe's: its own words tell.
  if (run.error && run.error.code !== 'EPIPE') {
    err(`${mark('❌', 'X')}Exiting due to PROVIDER_NOT_FOUND: kubectl was not found on the PATH`);
    process.exit(69);
  }
  return run;
}

function json(args) {
  const run = kubectl([...args, '-o', 'json']);
  return run.status === 0 ? JSON.parse(run.stdout) : undefined;
}

const running = () => kubectl(['get', '--raw', '/readyz', '--request-timeout=5s']).status === 0;
const node = () => json(['get', 'node', 'minikube']);

/** One request to the node's own port, through the API server. */
function nodeRequest(method, path, name) {
  const url = `/api/v1/nodes/minikube/proxy${path}${name === undefined ? '' : `?name=${encodeURIComponent(name)}`}`;
  const verb = { GET: 'get', POST: 'create', DELETE: 'delete' }[method];
  const run = method === 'POST' ? kubectl([verb, '--raw', url, '-f', '-'], '{}') : kubectl([verb, '--raw', url]);
  if (run.status !== 0) return undefined;
  return JSON.parse(run.stdout);
}

/** Cells may hold characters that are two columns wide. */
const width = text => [...text].reduce((sum, c) => sum + (/\p{Emoji_Presentation}/u.test(c) ? 2 : 1), 0);
const pad = (text, to) => text + ' '.repeat(Math.max(0, to - width(text)));
function center(text, to) {
  const left = Math.floor((to - width(text)) / 2);
  return ' '.repeat(left) + text + ' '.repeat(to - width(text) - left);
}
function table(heads, rows) {
  const widths = heads.map((h, i) => Math.max(width(h), ...rows.map(r => width(r[i]))));
  const line = (l, m, r) => l + widths.map(w => '─'.repeat(w + 2)).join(m) + r;
  out(line('┌', '┬', '┐'));
  out(`│${heads.map((h, i) => ` ${center(h, widths[i])} `).join('│')}│`);
  out(line('├', '┼', '┤'));
  for (const row of rows) out(`│${row.map((c, i) => ` ${pad(c, widths[i])} `).join('│')}│`);
  out(line('└', '┴', '┘'));
}

function fail(code, exit, reason, message, advice) {
  err('');
  err(`${mark('❌', 'X')}Exiting due to ${code}: ${message}`);
  if (advice) err(`${mark('💡')}Suggestion: ${advice}`);
  if (reason) err(reason);
  process.exit(exit);
}

/** Things that only make sense where minikube owns the machine. */
function notHere(what) {
  fail(
    'PRACTICE_CLUSTER',
    64,
    '',
    `${what} is not possible here: this is a practice cluster that belongs to the page`,
    'press "Start over" in the lab panel for a fresh cluster, or choose your own minikube as the cluster',
  );
}

function status(args) {
  const up = running();
  const state = up ? 'Running' : 'Stopped';
  if (args.includes('json') || args.includes('-ojson') || args.includes('--output=json')) {
    out(JSON.stringify({ Name: 'minikube', Host: state, Kubelet: state, APIServer: state, Kubeconfig: 'Configured', Worker: false }));
  } else out(`minikube\ntype: Control Plane\nhost: ${state}\nkubelet: ${state}\napiserver: ${state}\nkubeconfig: Configured\n`);
  return up ? 0 : 7;
}

const addressOf = object => object?.status?.addresses?.find(a => a.type === 'InternalIP')?.address ?? '192.168.49.2';

function profile(args) {
  if (args[0] !== 'list') {
    out('minikube');
    return 0;
  }
  const found = node();
  const ready = found?.status?.conditions?.some(c => c.type === 'Ready' && c.status === 'True');
  const version = found?.status?.nodeInfo?.kubeletVersion ?? 'v1.36.2';
  if (args.includes('json') || args.includes('--output=json') || args.includes('-ojson')) {
    out(
      JSON.stringify({
        invalid: [],
        valid: [
          {
            Name: 'minikube',
            Status: ready ? 'OK' : 'Stopped',
            Config: {
              Name: 'minikube',
              Driver: 'docker',
              CPUs: Number(found?.status?.capacity?.cpu ?? 2),
              Memory: Math.round(Number.parseInt(found?.status?.capacity?.memory ?? '0', 10) / 1024),
              KubernetesConfig: { KubernetesVersion: version, ClusterName: 'minikube', ContainerRuntime: 'containerd' },
              Nodes: [{ Name: '', IP: addressOf(found), Port: 8443, KubernetesVersion: version, ContainerRuntime: 'containerd', ControlPlane: true, Worker: true }],
            },
            Active: true,
            ActiveKubeContext: true,
          },
        ],
      }),
    );
    return 0;
  }
  table(
    ['PROFILE', 'DRIVER', 'RUNTIME', 'IP', 'VERSION', 'STATUS', 'NODES', 'ACTIVE PROFILE', 'ACTIVE KUBECONTEXT'],
    [['minikube', 'docker', 'containerd', addressOf(found), version, ready ? 'OK' : 'Stopped', '1', '*', '*']],
  );
  return 0;
}

const exists = (...args) => kubectl(['get', ...args, '-o', 'name']).status === 0;
function enabledAddons() {
  const enabled = new Set();
  if (exists('storageclass', 'standard')) enabled.add('default-storageclass');
  if (exists('-n', 'kube-system', 'pod', 'storage-provisioner')) enabled.add('storage-provisioner');
  for (const [addon, { workload: [namespace, name] }] of Object.entries(INSTALLED))
    if (exists('-n', namespace, 'deployment', name)) enabled.add(addon);
  return enabled;
}

const list = items => JSON.stringify({ apiVersion: 'v1', kind: 'List', items });

function install(name, { images, workload: [namespace, deployment], verified, items }) {
  out(`${mark('💡')}${name} is an addon maintained by Kubernetes. For any concerns contact minikube on GitHub.`);
  out('You can view the list of minikube maintainers at: https://github.com/kubernetes/minikube/blob/master/OWNERS');
  for (const image of images) out(`${styled ? '    ▪ ' : '  - '}Using image ${image}`);
  const run = kubectl(['apply', '-f', '-'], list(items));
  if (run.status !== 0) {
    err(run.stderr.trimEnd());
    return 10;
  }
  if (verified) {
    out(`${mark('🔎')}Verifying ${name} addon...`);
    const wait = kubectl(['rollout', 'status', '-n', namespace, `deployment/${deployment}`, '--timeout=6m']);
    if (wait.status !== 0)
      return fail('MK_ADDON_ENABLE', 10, '', `enable failed: run callbacks: running callbacks: [waiting for ${verified} pods: context deadline exceeded]`);
  }
  out(`${mark('🌟')}The '${name}' addon is enabled`);
  return 0;
}

function uninstall(name, { items }) {
  const run = kubectl(['delete', '--ignore-not-found', '-f', '-'], list(items));
  if (run.status !== 0) {
    err(run.stderr.trimEnd());
    return 10;
  }
  out(`${mark('🌑')}"The '${name}' addon is disabled`);
  return 0;
}

function addons([verb, name]) {
  if (verb === 'list') {
    const enabled = enabledAddons();
    table(
      ['ADDON NAME', 'PROFILE', 'STATUS', 'MAINTAINER'],
      ADDONS.map(([addon, maintainer]) => [addon, 'minikube', enabled.has(addon) ? 'enabled ✅' : 'disabled', maintainer]),
    );
    return 0;
  }
  if (verb !== 'enable' && verb !== 'disable') {
    err('Usage: minikube addons (list|enable|disable) [ADDON_NAME]');
    return 64;
  }
  if (!ADDONS.some(([addon]) => addon === name)) {
    err('');
    err(`${mark('❌', 'X')}Exiting due to MK_ADDON_${verb.toUpperCase()}: ${verb} failed: run callbacks: ${name} is not a valid addon`);
    return 10;
  }
  if (INSTALLED[name]) return verb === 'enable' ? install(name, INSTALLED[name]) : uninstall(name, INSTALLED[name]);
  if (verb === 'enable' && enabledAddons().has(name)) {
    out(`${mark('🌟')}The '${name}' addon is enabled`);
    return 0;
  }
  if (verb === 'disable' && name === 'storage-provisioner') {
    kubectl(['-n', 'kube-system', 'delete', 'pod', 'storage-provisioner']);
    out(`${mark('🌑')}"The 'storage-provisioner' addon is disabled`);
    return 0;
  }
  return notHere(`the addon ${name}`);
}

const size = bytes =>
  bytes >= 1e9 ? `${Number((bytes / 1e9).toPrecision(3))}GB` : bytes >= 1e6 ? `${Number((bytes / 1e6).toPrecision(3))}MB` : `${Number((bytes / 1e3).toPrecision(3))}kB`;

function image([verb, ...names]) {
  const wanted = names.filter(n => !n.startsWith('-'));
  if (verb === 'ls' || verb === 'list') {
    const images = nodeRequest('GET', '/images')?.images ?? [];
    const rows = images.flatMap(i => i.names.map(n => [n, i])).sort(([a], [b]) => (a < b ? 1 : -1));
    if (names.some(n => n.includes('table')))
      table(
        ['IMAGE', 'TAG', 'IMAGE ID', 'SIZE'],
        rows.map(([n, i]) => [n.replace(/[:@][^:/]*$/, ''), n.includes('@') ? '<none>' : n.slice(n.lastIndexOf(':') + 1), i.id.slice(0, 13), size(i.sizeBytes)]),
      );
    else for (const [n] of rows) out(n);
    return 0;
  }
  if (verb === 'load' || verb === 'pull') {
    if (wanted.length === 0) return fail('MK_USAGE', 14, '', 'Please provide an image in the container runtime to load into minikube via <minikube image load IMAGE_NAME>');
    for (const name of wanted) {
      if (nodeRequest('POST', '/images', name)) continue;
      if (verb === 'pull') return fail('GUEST_IMAGE_PULL', 80, '', `Failed to pull image: pull image: ${name}: not found`);
      err(`${mark('❗', '!')}The image '${name}' was not found; unable to add it to cache.`);
    }
    return 0;
  }
  if (verb === 'rm' || verb === 'remove') {
    for (const name of wanted) nodeRequest('DELETE', '/images', name);
    return 0;
  }
  err('Usage: minikube image (load|ls|pull|rm) [IMAGE]');
  return 64;
}

/** Behind walls the node's address is this shell's own and its ports lead to the cluster; elsewhere nothing leads there. */
const reached = ip => Object.values(networkInterfaces()).some(all => all.some(({ address }) => address === ip));

/** As minikube does where the node's address leads nowhere: a port of this machine for as long as the command runs. */
function tunnel(namespace, name, ports) {
  const child = spawn('kubectl', ['port-forward', '-n', namespace, `service/${name}`, ...ports.map(({ port }) => `:${port.port}`)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  child.stdout.on('data', chunk => {
    said += chunk;
    const found = [...said.matchAll(/^Forwarding from (127\.0\.0\.1:\d+) ->.*\n/gm)];
    if (found.length < ports.length) return;
    child.stdout.removeAllListeners('data').resume();
    for (const [, at] of found) out(`http://${at}`);
    err(`${mark('❗', '!')}Because you are using a Docker driver on ${process.platform}, the terminal needs to be open to run it.`);
  });
  return new Promise(resolve => child.once('close', code => resolve(code ?? 1)));
}

function service(args) {
  const namespaceAt = args.findIndex(a => a === '-n' || a === '--namespace');
  const namespace = namespaceAt >= 0 ? args[namespaceAt + 1] : 'default';
  const name = args.find((a, i) => !a.startsWith("-") && (namespaceAt < 0 || i !== namespaceAt + 1));
  const ip = addressOf(node());
  const targets = s => (s.spec.ports ?? []).filter(p => p.nodePort).map(p => ({ port: p, url: `http://${ip}:${p.nodePort}` }));
  if (name === 'list') {
    const services = json(['get', 'services', '-A'])?.items ?? [];
    table(
      ['NAMESPACE', 'NAME', 'TARGET PORT', 'URL'],
      services.map(s => {
        const found = targets(s);
        return found.length === 0
          ? [s.metadata.namespace, s.metadata.name, 'No node port', '']
          : [s.metadata.namespace, s.metadata.name, found.map(f => `${f.port.name ? `${f.port.name}/` : ''}${f.port.port}`).join(' '), reached(ip) ? found.map(f => f.url).join(' ') : ''];
      }),
    );
    return 0;
  }
  const found = json(['get', 'service', name ?? '', '-n', namespace]);
  if (!found?.metadata)
    return fail(
      'SVC_NOT_FOUND',
      115,
      `You may select another namespace by using 'minikube service ${name} -n <namespace>'. Or list out all the services using 'minikube service list'`,
      `Service '${name}' was not found in '${namespace}' namespace.`,
    );
  const urls = targets(found);
  if (urls.length === 0) {
    err(`${mark('😿', '!')}service ${namespace}/${name} has no node port`);
    return 0;
  }
  if (!reached(ip)) return tunnel(namespace, name, urls);
  for (const { url } of urls) out(url);
  return 0;
}

function start(args) {
  const found = node();
  const value = name => args.find(a => a.startsWith(`--${name}=`))?.split('=')[1] ?? args[args.indexOf(`--${name}`) + 1];
  out(`${mark('😄')}minikube ${VERSION} on Linux (docker/amd64)`);
  out(`${mark('✨')}Using the docker driver based on existing profile`);
  if (args.some(a => a.startsWith('--memory')) && value('memory'))
    out(`${mark('❗', '!')}You cannot change the memory size for an existing minikube cluster. Please first delete the cluster.`);
  if (args.some(a => a.startsWith('--cpus')) && value('cpus'))
    out(`${mark('❗', '!')}You cannot change the CPUs for an existing minikube cluster. Please first delete the cluster.`);
  if (!found) return notHere('starting');
  out(`${mark('👍')}Starting "minikube" primary control-plane node in "minikube" cluster`);
  out(`${mark('🏃')}Updating the running docker "minikube" container ...`);
  out(`${mark('🔎')}Verifying Kubernetes components...`);
  out(`${mark('🌟')}Enabled addons: ${[...enabledAddons()].sort().reverse().join(', ')}`);
  out(`${mark('🏄')}Done! kubectl is now configured to use "minikube" cluster and "default" namespace by default`);
  return 0;
}

function config([verb, key, value]) {
  const folder = join(process.env.HOME ?? '.', '.minikube', 'config');
  const file = join(folder, 'config.json');
  let settings = {};
  try {
    settings = JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    // No settings yet.
  }
  if (verb === 'view') for (const [k, v] of Object.entries(settings)) out(`- ${k}: ${v}`);
  else if (verb === 'get' && settings[key] !== undefined) out(String(settings[key]));
  else if (verb === 'set') {
    mkdirSync(folder, { recursive: true });
    writeFileSync(file, `${JSON.stringify({ ...settings, [key]: value }, null, 2)}\n`);
    out(`${mark('❗', '!')}These changes will take effect upon a minikube delete and then a minikube start`);
  }
  return 0;
}

const COMMANDS = {
  version: args => {
    if (args.includes('--short')) out(VERSION);
    else out(`minikube version: ${VERSION}\ncommit: ${COMMIT}`);
    return 0;
  },
  status,
  ip: () => {
    const ip = addressOf(node());
    out(ip);
    if (!reached(ip)) err(`${mark('❗', '!')}This shell does not reach the ports of the node; use "minikube service NAME --url"`);
    return 0;
  },
  profile,
  addons,
  image,
  service,
  start,
  config,
  node: ([verb]) => {
    if (verb !== 'list') return notHere(`minikube node ${verb ?? ''}`.trimEnd());
    for (const n of json(['get', 'nodes'])?.items ?? []) out(`${n.metadata.name}\t${addressOf(n)}`);
    return 0;
  },
  kubectl: args => {
    const rest = args[0] === '--' ? args.slice(1) : args;
    return spawnSync('kubectl', rest, { stdio: 'inherit' }).status ?? 1;
  },
  stop: () => notHere('stopping'),
  delete: () => notHere('deleting'),
  pause: () => notHere('pausing'),
  unpause: () => notHere('unpausing'),
  ssh: () => notHere('logging in to the node'),
  logs: () => notHere('reading the node logs'),
  dashboard: () => notHere('the dashboard'),
  tunnel: () => notHere('a tunnel'),
};

const HELP = `minikube provisions and manages local Kubernetes clusters optimized for development workflows.

Here it belongs to a practice cluster: status, ip, profile list, addons, image load|ls|pull|rm, service, node list,
kubectl, config and version work as on a real one.`;

const [command, ...rest] = process.argv.slice(2).filter(a => a !== '-p' && a !== '--profile=minikube');
if (command === undefined || command === 'help' || command === '--help' || command === '-h') {
  out(HELP);
  process.exit(0);
}
const run = COMMANDS[command];
if (!run) {
  err(`Error: unknown command "${command}" for "minikube"\n`);
  const near = Object.keys(COMMANDS).find(c => c.length === command.length && [...c].filter((x, i) => x !== command[i]).length <= 2);
  if (near) err(`Did you mean this?\n\t${near}\n`);
  err("Run 'minikube --help' for usage.");
  process.exit(14);
}
Promise.resolve(run(rest)).then(code => process.exit(code));
