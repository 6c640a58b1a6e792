// The practice shell's minikube and docker: self-contained files that speak through kubectl. A stand-in kubectl answers.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { practiceTools } from './index.ts';

/** Answers the few things the tools ask, and writes down what was posted. */
const KUBECTL = `#!/bin/sh
case "$*" in
  "get --raw /readyz"*) echo ok ;;
  "get node minikube -o json") echo '{"status":{"addresses":[{"type":"InternalIP","address":"192.168.49.2"}],"capacity":{"cpu":"2","memory":"4Gi"},"conditions":[{"type":"Ready","status":"True"}],"nodeInfo":{"kubeletVersion":"v1.36.2"}}}' ;;
  "get --raw /api/v1/nodes/minikube/proxy/images") echo '{"images":[{"id":"sha256:fe407f17","names":["docker.io/library/busybox:1.35"],"sizeBytes":2131253}]}' ;;
  *"images?name=nope"*) echo 'Error from server (NotFound)' >&2; exit 1 ;;
  *"images?name=nginx"*) echo "$*" >> "$HOME/calls"; echo '{"sizeBytes":69000000,"reference":{"canonical":"docker.io/library/nginx:1.27","path":"library/nginx","tag":"1.27"}}' ;;
  "get service web -n default -o json") echo '{"metadata":{"name":"web","namespace":"default"},"spec":{"ports":[{"port":80,"nodePort":30129}]}}' ;;
  "port-forward -n default service/web :80") echo 'Forwarding from 127.0.0.1:41231 -> 80'; echo 'Forwarding from [::1]:41231 -> 80'; sleep 0.2 ;;
  "get storageclass standard -o name"|*"pod storage-provisioner -o name") echo found ;;
  *) echo "Error from server (NotFound): $*" >&2; exit 1 ;;
esac
`;

let folder = '';
const run = (tool: string, ...args: string[]) => {
  const done = spawnSync(join(folder, tool), args, {
    encoding: 'utf8',
    env: { PATH: `${folder}:/usr/bin:/bin`, HOME: folder, KBD_NODE: process.execPath },
    timeout: 20_000,
  });
  return { out: done.stdout, err: done.stderr, code: done.status };
};

describe('tools of the practice shell', () => {
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'practice-tools-'));
    writeFileSync(join(folder, 'kubectl'), KUBECTL);
    chmodSync(join(folder, 'kubectl'), 0o755);
    for (const tool of practiceTools()) {
      writeFileSync(join(folder, tool.name), tool.text);
      chmodSync(join(folder, tool.name), 0o755);
    }
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  it('minikube says how its cluster is, as a real one does', () => {
    assert.deepEqual(run('minikube', 'status'), {
      out: 'minikube\ntype: Control Plane\nhost: Running\nkubelet: Running\napiserver: Running\nkubeconfig: Configured\n\n',
      err: '',
      code: 0,
    });
    assert.deepEqual(run('minikube', 'ip'), {
      out: '192.168.49.2\n',
      err: '! This shell does not reach the ports of the node; use "minikube service NAME --url"\n',
      code: 0,
    });
    assert.match(
      run('minikube', 'profile', 'list').out,
      /\n│ minikube │ docker │ containerd │ 192\.168\.49\.2 │ v1\.36\.2 │ OK {5}│ 1 {5}│ \* {14}│ \* {18}│\n/,
    );
    assert.equal(JSON.parse(run('minikube', 'profile', 'list', '-o', 'json').out).valid[0].Name, 'minikube');
  });

  it('minikube lists add-ons with what is enabled', () => {
    const { out } = run('minikube', 'addons', 'list');
    assert.match(out, /│ storage-provisioner {9}│ minikube │ enabled ✅ │/);
    assert.match(out, /│ metrics-server {14}│ minikube │ disabled {3}│/);
    assert.equal(run('minikube', 'addons', 'enable', 'nope').code, 10);
  });

  it('minikube loads an image into the node, or says that it was not found', () => {
    assert.deepEqual(run('minikube', 'image', 'load', 'nginx:1.27'), { out: '', err: '', code: 0 });
    assert.equal(
      run('minikube', 'image', 'load', 'nope:1').err,
      "! The image 'nope:1' was not found; unable to add it to cache.\n",
    );
    assert.match(
      run('minikube', 'image', 'ls', '--format', 'table').out,
      /busybox │ 1\.35 │ sha256:fe407f │ 2\.13MB │/,
    );
  });

  it('minikube gives the address of a service and refuses what it cannot do', () => {
    // This machine is not behind walls, where the node's address would be its own.
    assert.deepEqual(run('minikube', 'service', 'web', '--url'), {
      out: 'http://127.0.0.1:41231\n',
      err: `! Because you are using a Docker driver on ${process.platform}, the terminal needs to be open to run it.\n`,
      code: 0,
    });
    assert.equal(run('minikube', 'service', 'nope').code, 115);
    assert.match(run('minikube', 'delete').err, /this is a practice cluster that belongs to the page/);
    assert.equal(run('minikube', 'nope').code, 14);
  });

  it('docker keeps its own images, which are not the node’s', () => {
    assert.match(run('docker', 'pull', 'nginx:1.27').out, /Status: Downloaded newer image for nginx:1\.27\n/);
    assert.match(run('docker', 'images').out, /^nginx +1\.27 +[0-9a-f]{12} /m);
    assert.match(
      run('docker', 'pull', 'nope:1').err,
      /pull access denied for nope, repository does not exist/,
    );
  });
});
