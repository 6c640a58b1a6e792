// `docker` as the learner's shell sees it in practice: a local image store of the session, which is not the node's: what
// is pulled here does not reach the cluster. Runs alone, outside this project. Knows no containers.

const { spawnSync } = process.getBuiltinModule('node:child_process');
const { createHash } = process.getBuiltinModule('node:crypto');
const { mkdirSync, readFileSync, writeFileSync } = process.getBuiltinModule('node:fs');
const { join } = process.getBuiltinModule('node:path');

const FOLDER = join(process.env.HOME ?? '.', '.docker');
const STORE = join(FOLDER, 'practice-images.json');
const out = text => process.stdout.write(`${text}\n`);
const err = text => process.stderr.write(`${text}\n`);
const hash = text => createHash('sha256').update(text).digest('hex');

function images() {
  try {
    return JSON.parse(readFileSync(STORE, 'utf8'));
  } catch {
    return [];
  }
}

function save(list) {
  mkdirSync(FOLDER, { recursive: true });
  writeFileSync(STORE, `${JSON.stringify(list, null, 2)}\n`);
}

/** What a registry holds under this name; undefined when it does not. */
function registry(name) {
  const url = `/api/v1/nodes/minikube/proxy/images?name=${encodeURIComponent(name)}`;
  const run = spawnSync('kubectl', ['get', '--raw', url], { encoding: 'utf8' });
  return run.status === 0 ? JSON.parse(run.stdout) : undefined;
}

const short = canonical => canonical.replace(/^docker\.io\/(library\/)?/, '');
const size = bytes =>
  bytes >= 1e9 ? `${(bytes / 1e9).toPrecision(3)}GB` : bytes >= 1e6 ? `${Number((bytes / 1e6).toPrecision(3))}MB` : `${(bytes / 1e3).toPrecision(3)}kB`;

function pull(args) {
  const name = args.find(a => !a.startsWith('-'));
  if (!name) {
    err("docker: 'docker pull' requires 1 argument");
    return 1;
  }
  const tagged = name.includes('@') || name.slice(name.lastIndexOf('/') + 1).includes(':');
  if (!tagged) out('Using default tag: latest');
  const full = tagged ? name : `${name}:latest`;
  const found = registry(full);
  if (!found) {
    const repository = full.replace(/:[^:/]*$/, '');
    const known = ['latest', '1', '8', '8.0', '1.27', '3', 'stable'].some(tag => registry(`${repository}:${tag}`));
    err(
      known
        ? `Error response from daemon: manifest for ${full} not found: manifest unknown: manifest unknown`
        : `Error response from daemon: pull access denied for ${repository}, repository does not exist or may require 'docker login': denied: requested access to the resource is denied`,
    );
    return 1;
  }
  const { canonical, path, tag } = found.reference;
  const digest = `sha256:${hash(`manifest ${canonical}`)}`;
  const list = images();
  const present = list.some(i => i.canonical === canonical);
  out(`${tag ?? 'latest'}: Pulling from ${path}`);
  if (!present) {
    out(`${hash(`layer ${canonical}`).slice(0, 12)}: Pull complete`);
    save([...list, { canonical, id: hash(`config ${canonical}`), sizeBytes: found.sizeBytes, at: new Date().toISOString() }]);
  }
  out(`Digest: ${digest}`);
  out(present ? `Status: Image is up to date for ${short(canonical)}` : `Status: Downloaded newer image for ${short(canonical)}`);
  out(canonical);
  return 0;
}

function list() {
  const rows = images().map(i => {
    const name = short(i.canonical);
    const colon = name.lastIndexOf(':');
    return [name.slice(0, colon), name.slice(colon + 1), i.id.slice(0, 12), 'just now', size(i.sizeBytes)];
  });
  const heads = ['REPOSITORY', 'TAG', 'IMAGE ID', 'CREATED', 'SIZE'];
  const widths = heads.map((h, i) => Math.max(h.length, ...rows.map(r => r[i].length)) + 3);
  for (const row of [heads, ...rows]) out(row.map((c, i) => (i === row.length - 1 ? c : c.padEnd(widths[i]))).join(''));
  return 0;
}

function remove(args) {
  let code = 0;
  for (const name of args.filter(a => !a.startsWith('-'))) {
    const kept = images().filter(i => short(i.canonical) !== name && i.canonical !== name && short(i.canonical) !== `${name}:latest`);
    if (kept.length === images().length) {
      err(`Error response from daemon: No such image: ${name}`);
      code = 1;
    } else {
      save(kept);
      out(`Untagged: ${name}`);
    }
  }
  return code;
}

const [command, ...rest] = process.argv.slice(2);
const run = {
  pull: () => pull(rest),
  images: list,
  rmi: () => remove(rest),
  image: () => (rest[0] === 'pull' ? pull(rest.slice(1)) : rest[0] === 'rm' ? remove(rest.slice(1)) : list()),
  version: () => {
    out('Client: Docker Engine - Community\n Version:           28.1.1\n API version:       1.49');
    return 0;
  },
  ps: () => {
    out('CONTAINER ID   IMAGE     COMMAND   CREATED   STATUS    PORTS     NAMES');
    return 0;
  },
}[command ?? ''];
if (!run) {
  err(
    command === undefined
      ? 'Usage:  docker pull|images|rmi'
      : `docker: '${command}' is not available in the practice shell: only pull, images and rmi are. Containers run in the cluster; use kubectl.`,
  );
  process.exit(1);
}
process.exit(run());
