// Which commands an image brings and how its shell looks. Data; knows no container.

export interface ShellProfile {
  kind: 'ash' | 'bash';
  /** `{host}` and `{cwd}` are filled in. */
  prompt: string;
  path: string;
  /** Where the commands lie. */
  folder: string;
  commands: readonly string[];
  files?: Record<string, string>;
}

const words = (text: string) => text.trim().split(/\s+/);

const BUILTINS = words(
  ': . [ alias bg break cd command continue echo eval exec exit export false fg getopts hash help jobs kill let local printf pwd read readonly return set shift source test times trap true type ulimit umask unalias unset wait',
);

const BUSYBOX = words(`
  arch ash awk base64 basename cat chgrp chmod chown clear cp cut date dd df diff dirname du echo env expr false
  fallocate find free grep gunzip gzip head hostname httpd id kill ln ls md5sum mkdir
  mktemp mount mv nc netstat nl nproc nslookup od paste printenv printf ps pwd readlink
  rev rm rmdir sed seq sh sha1sum sha256sum sleep sort split stat strings sync tac tail
  tar tee test time timeout touch tr true truncate tty uname uniq uptime wc wget which
  whoami xargs yes zcat`);

const DEBIAN = words(`
  arch awk base64 basename bash cat chgrp chmod chown cp cut date dd df diff dirname du echo env expand expr fallocate false find
  fold getent grep gunzip gzip head hostname id join kill ln ls md5sum mkdir mktemp mount mv
  nl nproc od paste printenv printf pwd readlink rm rmdir sed seq sh sha1sum sha256sum
  sleep sort split stat sync tac tail tar tee test timeout touch tr true truncate tty uname uniq
  wc which whoami xargs yes zcat`);

const PASSWD = 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n';

const debian = (...more: string[]): ShellProfile => ({
  kind: 'bash',
  prompt: 'root@{host}:{cwd}# ',
  path: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  folder: '/bin',
  commands: [...DEBIAN, ...more],
  files: {
    '/etc/os-release':
      'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nNAME="Debian GNU/Linux"\nVERSION_ID="12"\nVERSION="12 (bookworm)"\nVERSION_CODENAME=bookworm\nID=debian\nHOME_URL="https://www.debian.org/"\n',
    '/etc/passwd': PASSWD,
  },
});
const busybox = (...more: string[]): ShellProfile => ({
  kind: 'ash',
  prompt: '{cwd} # ',
  path: '/bin',
  folder: '/bin',
  commands: [...BUSYBOX, ...more],
  files: { '/etc/passwd': PASSWD },
});
const alpine = (...more: string[]): ShellProfile => ({
  ...busybox(...more),
  path: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  files: {
    '/etc/os-release':
      'NAME="Alpine Linux"\nID=alpine\nVERSION_ID=3.21.0\nPRETTY_NAME="Alpine Linux v3.21"\n',
    '/etc/passwd': PASSWD,
  },
});

/** By repository, first fit; a trailing `*` fits what follows. */
export const PROFILES: readonly [string, ShellProfile][] = [
  ['docker.io/library/busybox', busybox()],
  ['docker.io/library/alpine', alpine()],
  ['docker.io/polinux/stress', alpine('bash')],
  ['docker.io/curlimages/curl', alpine('curl')],
  ['docker.io/nicolaka/netshoot', alpine('bash', 'curl', 'dig', 'jq', 'host')],
  ['docker.io/alpine/k8s', alpine('bash', 'curl', 'jq')],
  ['docker.io/library/nginx', debian('curl')],
  ['docker.io/library/httpd', debian('htpasswd')],
  ['docker.io/library/redis', debian('redis-cli')],
  ['docker.io/library/mysql', debian('mysql', 'mysqladmin')],
  ['gcr.io/ml-pipeline/mysql', debian('mysql', 'mysqladmin')],
  ['docker.io/library/postgres', debian('pg_isready')],
  ['docker.io/library/python', debian('curl', 'python', 'python3', 'wget')],
  ['docker.io/istio/proxyv2', debian('curl')],
  ['docker.io/istio/pilot', debian('curl')],
  ['ghcr.io/dexidp/dex', alpine()],
  ['registry.k8s.io/ingress-nginx/controller', alpine('bash', 'curl')],
  ['registry.k8s.io/e2e-test-images/agnhost', alpine('bash', 'curl', 'dig')],
];

/** Images built from scratch or distroless: there is no shell to start. */
const SHELLLESS = [
  'registry.k8s.io/pause',
  'registry.k8s.io/kube-apiserver',
  'registry.k8s.io/kube-controller-manager',
  'registry.k8s.io/kube-scheduler',
  'registry.k8s.io/coredns/*',
  'registry.k8s.io/metrics-server/*',
  'registry.k8s.io/jobset/*',
  'gcr.io/k8s-minikube/storage-provisioner',
  'gcr.io/knative-releases/*',
  'gcr.io/kubebuilder/*',
  'quay.io/brancz/*',
  'quay.io/jetstack/*',
  'docker.io/kserve/kserve-controller',
  'docker.io/kserve/kserve-localmodel-controller',
  'docker.io/kserve/llmisvc-controller',
  'docker.io/kubeflownotebookswg/notebook-controller',
  'docker.io/kubeflownotebookswg/profile-controller',
  'docker.io/kubeflownotebookswg/pvcviewer-controller',
  'docker.io/kubeflownotebookswg/tensorboard-controller',
  'docker.io/kubeflownotebookswg/poddefaults-webhook',
  'docker.io/kubeflownotebookswg/kfam',
  'docker.io/hashicorp/http-echo',
  'docker.io/traefik/whoami',
  'docker.io/kicbase/echo-server',
  'docker.io/library/hello-world',
  'quay.io/oauth2-proxy/*',
  'ghcr.io/kubeflow/dashboard/access-management',
  'ghcr.io/kubeflow/dashboard/profile-controller',
];

const fits = (pattern: string, repository: string) =>
  pattern.endsWith('*') ? repository.startsWith(pattern.slice(0, -1)) : pattern === repository;

/** What an image offers inside; undefined when there is no shell in it. */
export function profileOf(repository: string): ShellProfile | undefined {
  if (SHELLLESS.some(pattern => fits(pattern, repository))) return undefined;
  return PROFILES.find(([pattern]) => fits(pattern, repository))?.[1] ?? debian();
}

/** Whether the image has this command, by name or by path. */
export function hasCommand(profile: ShellProfile, executable: string): boolean {
  const slash = executable.lastIndexOf('/');
  const name = executable.slice(slash + 1);
  if (slash >= 0 && !/^(\/usr(\/local)?)?\/s?bin$/.test(executable.slice(0, slash))) return false;
  return (
    profile.commands.includes(name) ||
    (isShellName(name) && name !== (profile.kind === 'ash' ? 'bash' : 'ash'))
  );
}

export const isShellName = (name: string) => name === 'sh' || name === 'ash' || name === 'bash';

export const isBuiltin = (name: string) => BUILTINS.includes(name);
