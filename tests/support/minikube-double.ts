// A stand-in for the minikube CLI: an executable that answers as minikube 1.38 does, for tests of whoever runs it.

import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

export interface DoubleProfile {
  name: string;
  state: 'running' | 'stopped' | 'paused' | 'nonexistent';
  version?: string;
  ip?: string;
  port?: number;
  driver?: string;
}

export interface MinikubeDouble {
  /** Put this in front of the PATH. */
  bin: string;
  /** For MINIKUBE_HOME. */
  home: string;
  /** Every command line it was given so far. */
  calls(): Promise<string[]>;
}

/** `home` gets the certificates minikube keeps for each profile; `credentials` are real ones where something listens. */
export async function minikubeDouble(
  folder: string,
  profiles: readonly DoubleProfile[],
  credentials?: { caCert: string; clientCert: string; clientKey: string },
): Promise<MinikubeDouble> {
  const bin = join(folder, 'bin');
  const home = join(folder, 'home');
  const log = join(folder, 'calls');
  await mkdir(bin, { recursive: true });
  await mkdir(join(home, '.minikube'), { recursive: true });
  await writeFile(log, '');
  await writeFile(join(home, '.minikube', 'ca.crt'), credentials?.caCert ?? 'the authority');
  for (const { name } of profiles) {
    const profile = join(home, '.minikube', 'profiles', name);
    await mkdir(profile, { recursive: true });
    await writeFile(join(profile, 'client.crt'), credentials?.clientCert ?? `certificate of ${name}`);
    await writeFile(join(profile, 'client.key'), credentials?.clientKey ?? `key of ${name}`);
  }
  await writeFile(join(bin, 'minikube'), script(profiles, log), { mode: 0o755 });
  return {
    bin,
    home,
    calls: async () => (await readFile(log, 'utf8')).split('\n').filter(line => line !== ''),
  };
}

/** Exit codes: 7 stopped, 2 paused, 85 no such profile, 14 no profile at all. */
function script(profiles: readonly DoubleProfile[], log: string): string {
  const cases = profiles.map(profile => {
    const { out, code } = status(profile);
    return [
      `  "status -p ${profile.name} -o json") printf '%s' '${out}'; exit ${code};;`,
      `  "ip -p ${profile.name}") echo ${profile.ip ?? '192.168.49.2'}; exit 0;;`,
    ].join('\n');
  });
  const list = JSON.stringify({ invalid: [], valid: profiles.map(listed) });
  return `#!/bin/sh
echo "$*" >> '${log}'
case "$*" in
${cases.join('\n')}
  "profile list -o json --light") printf '%s' '${list}'; exit ${profiles.length === 0 ? 14 : 0};;
esac
echo '* Profile "'"$3"'" not found. Run "minikube profile list" to view all profiles.'
echo '  To start a cluster, run: "minikube start"'
exit 85
`;
}

function status({ name, state }: DoubleProfile): { out: string; code: number } {
  const of = (host: string, kubelet: string, apiserver: string, kubeconfig: string) =>
    JSON.stringify({
      Name: name,
      Host: host,
      Kubelet: kubelet,
      APIServer: apiserver,
      Kubeconfig: kubeconfig,
      Worker: false,
    });
  if (state === 'running') return { out: of('Running', 'Running', 'Running', 'Configured'), code: 0 };
  if (state === 'paused') return { out: of('Running', 'Stopped', 'Paused', 'Configured'), code: 2 };
  if (state === 'stopped') return { out: of('Stopped', 'Stopped', 'Stopped', 'Stopped'), code: 7 };
  return { out: of('Nonexistent', 'Nonexistent', 'Nonexistent', 'Nonexistent'), code: 7 };
}

function listed({ name, state, version, ip, port, driver }: DoubleProfile) {
  return {
    Name: name,
    Status: state === 'running' ? 'OK' : 'Stopped',
    Config: {
      Name: name,
      Driver: driver ?? 'docker',
      APIServerPort: port ?? 8443,
      KubernetesConfig: { KubernetesVersion: version ?? 'v1.35.1' },
      Nodes: [{ Name: '', IP: ip ?? '192.168.49.2', Port: port ?? 8443, ControlPlane: true }],
    },
    Active: false,
    ActiveKubeContext: false,
  };
}
