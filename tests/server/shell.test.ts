// A learner's shell through the whole server: page, socket, pty, sandbox, and a cluster that only says hello.

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { probeSandbox } from '../../server/workspace/index.ts';
import { helloProvider, listeningLab } from '../support/fake-parts.ts';
import { connectTerminal } from '../support/terminal-client.ts';
import { ROOT, startTestServer, type TestServer } from '../support/test-server.ts';

const sandbox = await probeSandbox();
const noVi = existsSync('/usr/bin/vi') ? false : 'there is no vi on this machine';
const noWalls = sandbox.tier === 'bwrap' ? false : 'bubblewrap does not work here';
const KUBECTL = { state: 'found', path: '/bin/true', version: 'v1.36.2', source: 'path' } as const;

async function opened(options: { tier: 'bwrap' | 'none' }) {
  const lab = listeningLab();
  const provider = helloProvider();
  const server = await startTestServer({
    providers: [provider],
    lab: async () => lab,
    kubectl: KUBECTL,
    tools: async () => [{ name: 'hello-tool', text: '#!/bin/sh\necho tool says $((6 * 7))\n' }],
    sandbox:
      options.tier === 'bwrap'
        ? sandbox
        : { tier: 'none', forwarder: 'node', note: { 'zh-TW': '無', en: 'none' } },
  });
  const answer = await server.open({});
  assert.ok(answer.ok, JSON.stringify(answer));
  return { lab, provider, server, session: answer.state.session, id: answer.state.terminals[0]!.id };
}

/** Runs one line and gives what it printed. */
async function output(
  terminal: Awaited<ReturnType<typeof connectTerminal>>,
  lab: ReturnType<typeof listeningLab>,
  line: string,
) {
  const before = lab.options[0]!.commands.recent().length;
  terminal.run(line);
  await terminal.prompt();
  const run = lab.options[0]!.commands.recent()[before];
  assert.equal(run?.line, line);
  return { text: run!.output, exit: run!.exit };
}

/** Presses Ctrl-C until it is heard: right after its start a command may not be in the foreground yet. */
async function interrupt(terminal: Awaited<ReturnType<typeof connectTerminal>>) {
  const begun = terminal.frames.length;
  await eventually(() => {
    terminal.type('\x03');
    return terminal.frames.slice(begun).some(frame => frame.op === 'command' && !frame.running);
  }, 200);
}

async function eventually(holds: () => boolean | Promise<boolean>, every = 50) {
  for (let waited = 0; waited < 10_000; waited += every) {
    if (await holds()) return;
    await sleep(every);
  }
  assert.fail(`not within 10 s: ${holds}`);
}

for (const tier of ['bwrap', 'none'] as const) {
  describe(`a shell, ${tier}`, { skip: tier === 'bwrap' && noWalls }, () => {
    let lab: ReturnType<typeof listeningLab>;
    let server: TestServer;
    let session: string;
    let id: string;
    before(async () => {
      ({ lab, server, session, id } = await opened({ tier }));
    });
    after(() => server.close());
    const connect = (terminal = id) => connectTerminal(server.origin, terminal, { cookie: server.cookie });

    test('runs what the page asks for and tells how it ended', async () => {
      const terminal = await connect();
      await terminal.prompt();
      assert.deepEqual(await output(terminal, lab, 'echo "閘道; \\\\ $((1+1))"'), {
        text: '閘道; \\ 2\n',
        exit: 0,
      });
      assert.deepEqual(await output(terminal, lab, 'cd /tmp && false'), { text: '', exit: 1 });
      assert.equal(lab.options[0]!.commands.recent().at(-1)?.line, 'cd /tmp && false');
      assert.deepEqual(await output(terminal, lab, 'pwd'), { text: '/tmp\n', exit: 0 });
      await output(terminal, lab, 'cd');
      terminal.close();
    });
    test('keeps a line of several lines, quotes and semicolons as one command', async () => {
      const terminal = await connect();
      await terminal.prompt();
      const line = "cat <<'END'\na; b\n\tc\nEND";
      assert.equal((await output(terminal, lab, line)).text, 'a; b\n\tc\n');
      terminal.close();
    });
    test('has its own home with its own kubeconfig, mode 0600, in its own folder', async () => {
      const terminal = await connect();
      await terminal.prompt();
      const home = lab.options[0]!.home;
      assert.ok(home.startsWith(server.data), home);
      assert.equal((await stat(join(home, '.kube', 'config'))).mode & 0o777, 0o600);
      assert.equal((await stat(join(server.data, 'sessions', session))).mode & 0o777, 0o700);
      await output(terminal, lab, 'echo made by the learner > ~/note.txt');
      assert.equal(await readFile(join(home, 'note.txt'), 'utf8'), 'made by the learner\n');
      assert.match(
        (await output(terminal, lab, 'echo $KUBECONFIG $KUBECACHEDIR')).text,
        /\/\.kube\/config \S+\/\.kube\/cache\n$/,
      );
      terminal.close();
    });
    test('gets its kubeconfig again in the next terminal and by a reset, whatever was made of it', async () => {
      const terminal = await connect();
      await terminal.prompt();
      const path = join(lab.options[0]!.home, '.kube', 'config');
      const atFirst = await readFile(path, 'utf8');
      const { WebSocket } = await import('ws');
      const control = new WebSocket(`${server.origin.replace('http', 'ws')}/ws/session/${session}`, {
        headers: { cookie: server.cookie },
        origin: server.origin,
      });
      const listed: string[] = [];
      control.on('message', data => listed.push(String(data)));
      await new Promise(resolve => control.once('open', resolve));
      const openAnother = async () => {
        const before = listed.length;
        control.send('{"type":"open-terminal"}');
        await eventually(() => listed.slice(before).some(text => text.includes('"terminals"')));
      };

      await output(terminal, lab, 'rm -rf ~/.kube');
      await openAnother();
      assert.equal(await readFile(path, 'utf8'), atFirst);
      assert.equal((await stat(path)).mode & 0o777, 0o600);

      await output(terminal, lab, 'echo mine > ~/.kube/config');
      await openAnother();
      assert.equal(await readFile(path, 'utf8'), 'mine\n', 'what is there is the learner’s');

      control.send('{"type":"reset"}');
      await eventually(async () => (await readFile(path, 'utf8')) === atFirst);
      control.close();
      terminal.close();
    });
    test('knows the commands of the practice cluster', async () => {
      const terminal = await connect();
      await terminal.prompt();
      assert.equal((await output(terminal, lab, 'hello-tool')).text, 'tool says 42\n');
      assert.match((await output(terminal, lab, 'command -v kubectl')).text, /\/bin\/kubectl\n$/);
      terminal.close();
    });
    test('holds its own terminal open and no other: what is written to another would be typed there', async t => {
      if (!existsSync('/proc/self/fd')) return t.skip('this system does not show open files as paths');
      const answer = await server.open({ lab: 'another' });
      assert.ok(answer.ok);
      const terminal = await connect(answer.state.terminals[0]!.id);
      await terminal.prompt();
      terminal.run('for fd in /proc/$$/fd/*; do readlink $fd; done | sort | uniq -c; echo all');
      await terminal.until(/\nall\r?\n/);
      assert.match(terminal.text, /\d \/dev\/pts\/\d+\r?\nall/);
      assert.doesNotMatch(terminal.text, /ptmx|socket:|pipe:/);
      terminal.close();
    });

    test('keeps the nonce of its marks to itself', async () => {
      const terminal = await connect();
      await terminal.prompt();
      assert.equal((await output(terminal, lab, 'env | grep -c KBD_NONCE')).text, '0\n');
      // Marks without it, printed by a command, count for nothing.
      await output(terminal, lab, "printf '\\e]633;D;0\\a\\e]633;E;fake\\a\\e]633;C\\a'");
      assert.equal(
        lab.options[0]!.commands.recent().some(run => run.line === 'fake'),
        false,
      );
      terminal.close();
    });
    test('comes back after a reload with its screen, and two tabs see the same', async () => {
      const first = await connect();
      await first.prompt();
      await output(first, lab, 'echo remember me');
      first.close();
      const second = await connect();
      const third = await connect();
      await second.until(/remember me/);
      await third.until(/remember me/);
      second.type('echo typed in one tab\r');
      await third.until(/typed in one tab[\s\S]*typed in one tab/);
      second.close();
      third.close();
    });
    test('answers Ctrl-C within 200 ms while a flood runs', async () => {
      const terminal = await connect();
      await terminal.prompt();
      terminal.run('yes');
      await terminal.until(text => text.length > 500_000);
      const begun = performance.now();
      const frames = terminal.frames.length;
      terminal.type('\x03');
      await terminal.until(() =>
        terminal.frames.slice(frames).some(frame => frame.op === 'command' && frame.exitCode === 130),
      );
      const took = performance.now() - begun;
      assert.ok(took < 200, `${took} ms`);
      terminal.close();
    });
    test('stops a flood that a page does not read at a few hundred kilobytes', async () => {
      const terminal = await connectTerminal(server.origin, id, { cookie: server.cookie, acks: false });
      await terminal.prompt();
      terminal.run('yes 0123456789');
      await sleep(1000);
      assert.ok(terminal.received < 600_000, `${terminal.received}`);
      const before = terminal.received;
      terminal.ack(before);
      await terminal.until(() => terminal.received > before);
      terminal.close();
      const next = await connect();
      await interrupt(next);
      next.close();
    });
    test('refuses to run anything while something runs, in the language of the page', async () => {
      const terminal = await connectTerminal(server.origin, id, { cookie: server.cookie, language: 'zh-TW' });
      await terminal.prompt();
      terminal.run('sleep 30');
      await terminal.untilFrame(frame => frame.op === 'command' && frame.running);
      terminal.run('echo no');
      const refused = await terminal.untilFrame(frame => frame.op === 'refused');
      assert.match('text' in refused ? refused.text : '', /還有指令在執行/);
      await interrupt(terminal);
      terminal.close();
    });
    test('takes the size of the page that spoke last', async () => {
      const one = await connect();
      const two = await connect();
      await one.prompt();
      one.resize(111, 33);
      await two.untilFrame(frame => frame.op === 'resize' && frame.cols === 111 && frame.rows === 33);
      assert.equal((await output(one, lab, 'stty size')).text, '33 111\n');
      one.close();
      two.close();
    });
  });
}

describe('the sandbox', { skip: noWalls }, () => {
  let lab: ReturnType<typeof listeningLab>;
  let server: TestServer;
  let session: string;
  let id: string;
  before(async () => {
    ({ lab, server, session, id } = await opened({ tier: 'bwrap' }));
  });
  after(() => server.close());
  const shell = async (terminal = id) => {
    const client = await connectTerminal(server.origin, terminal, { cookie: server.cookie });
    await client.prompt();
    return client;
  };

  test('reaches the cluster at both of its addresses and nothing else', async () => {
    const terminal = await shell();
    for (const address of ['127.0.0.1', '192.168.49.2']) {
      assert.equal((await output(terminal, lab, `cat < /dev/tcp/${address}/8443`)).text, 'hello\n');
    }
    assert.match(
      await readFile(join(lab.options[0]!.home, '.kube', 'config'), 'utf8'),
      /server: https:\/\/192\.168\.49\.2:8443/,
    );
    // This very server listens on the machine's loopback; inside there is another one.
    const own = await output(terminal, lab, `cat < /dev/tcp/127.0.0.1/${server.port}`);
    assert.match(own.text, /Connection refused/);
    const outside = await output(terminal, lab, 'cat < /dev/tcp/1.1.1.1/80');
    assert.match(outside.text, /unreachable/);
    terminal.close();
  });
  test('shows nothing of the machine: no home, no project, no other process, no right to write', async () => {
    const terminal = await shell();
    assert.match((await output(terminal, lab, 'id -un; pwd')).text, /^learner\n\/home\/learner\n$/);
    assert.notEqual((await output(terminal, lab, `ls ${ROOT}/package.json`)).exit, 0);
    if (homedir() !== '/home/learner')
      assert.notEqual((await output(terminal, lab, `ls -d ${homedir()}/..?* ${homedir()}/.[!.]*`)).exit, 0);
    assert.match((await output(terminal, lab, 'cat /etc/shadow')).text, /No such file/);
    assert.match(
      (await output(terminal, lab, 'touch /usr/x /etc/x /opt/kubeflow-by-doing/bin/x')).text,
      /(Read-only file system[\s\S]*){2}/,
    );
    assert.doesNotMatch(
      (await output(terminal, lab, 'cat /proc/[0-9]*/cmdline | tr "\\0" " "')).text,
      /shell\.test\.ts/,
    );
    // A server that runs as root owns the kernel's settings; to open one for appending changes nothing.
    assert.match(
      (await output(terminal, lab, ': >> /proc/sys/kernel/core_pattern')).text,
      /Read-only file system|Permission denied/,
    );
    assert.match(
      (await output(terminal, lab, 'grep -E "NoNewPrivs|CapEff|CapPrm" /proc/self/status')).text,
      /CapPrm:\t0+\nCapEff:\t0+\nNoNewPrivs:\t1/,
    );
    terminal.close();
  });
  test('shows no terminal of the machine, and writes to the one it has', async () => {
    const terminal = await shell();
    assert.notEqual((await output(terminal, lab, 'ls /dev/pts')).exit, 0);
    assert.equal((await output(terminal, lab, 'echo here > /dev/tty')).text, 'here\n');
    terminal.close();
  });
  test('redraws a program that fills the screen for a page that comes back, and leaves it whole', async () => {
    const terminal = await shell();
    terminal.resize(90, 20);
    await output(terminal, lab, 'seq 1 500 > numbers.txt');
    terminal.run('less numbers.txt');
    await terminal.until(/17\r?\n.*18\r?\n/s);
    terminal.type('G');
    await terminal.until(/500\r?\n/);
    terminal.close();
    const again = await connectTerminal(server.origin, id, { cookie: server.cookie });
    await again.until(/482[\s\S]*500/);
    again.type('q');
    await again.prompt();
    assert.doesNotMatch((await output(again, lab, 'echo back')).text, /500/);
    again.close();
  });
  test('runs vi: what is written there is in the file', { skip: noVi }, async () => {
    const terminal = await shell();
    terminal.run('vi note.txt');
    await terminal.until(/~\s*\r?\n?/);
    terminal.type('i');
    terminal.type('寫在 vi 裡\x1b');
    await sleep(300);
    terminal.type(':wq\r');
    await terminal.prompt();
    assert.equal(await readFile(join(lab.options[0]!.home, 'note.txt'), 'utf8'), '寫在 vi 裡\n');
    terminal.close();
  });
  test('tells a program inside when the page changes its size', async () => {
    const terminal = await shell();
    terminal.run(`bash -c 'trap "stty size" WINCH; while :; do sleep 0.1; done'`);
    await terminal.untilFrame(frame => frame.op === 'command' && frame.running);
    await sleep(500);
    terminal.resize(77, 19);
    await terminal.until(/19 77/);
    await interrupt(terminal);
    terminal.close();
  });
  test('is one network for all terminals of a session: what listens in one is reached from another', async () => {
    const { WebSocket } = await import('ws');
    const control = new WebSocket(`${server.origin.replace('http', 'ws')}/ws/session/${session}`, {
      headers: { cookie: server.cookie },
      origin: server.origin,
    });
    const messages: { type: string; terminals?: { id: string }[] }[] = [];
    control.on('message', data => messages.push(JSON.parse(String(data))));
    await new Promise(resolve => control.once('open', resolve));
    control.send('{"type":"open-terminal"}');
    const first = await shell();
    await eventually(() => messages.some(message => message.type === 'terminals'));
    const second = messages.find(message => message.type === 'terminals')!.terminals!.at(-1)!.id;
    assert.notEqual(second, id);
    const other = await shell(second);
    const listen = (await output(other, lab, 'command -v socat python3')).text;
    if (listen !== '') {
      const serve = listen.includes('socat')
        ? "socat TCP-LISTEN:8080,reuseaddr SYSTEM:'echo served'"
        : `python3 -c "import socket; s=socket.create_server(('127.0.0.1',8080)); c,_=s.accept(); c.send(b'served\\n')"`;
      other.run(serve);
      await sleep(700);
      assert.equal((await output(first, lab, 'cat < /dev/tcp/127.0.0.1/8080')).text, 'served\n');
    }
    control.send(JSON.stringify({ type: 'close-terminal', terminal: second }));
    await eventually(
      () => messages.filter(message => message.type === 'terminals').at(-1)?.terminals?.length === 1,
    );
    control.close();
    first.close();
  });
});

test('closing the server ends every shell and leaves no socket behind', { skip: noWalls }, async () => {
  const { server, id, provider } = await opened({ tier: 'bwrap' });
  const terminal = await connectTerminal(server.origin, id, { cookie: server.cookie });
  await terminal.prompt();
  terminal.run('sleep 98765');
  const running = () => processes().then(list => list.filter(line => line.startsWith('sleep 98765')));
  await eventually(async () => (await running()).length === 1);
  const run = join(server.data, 'run');
  await server.close();
  assert.equal(provider.attached, 0);
  assert.deepEqual(await readdir(run).catch(() => []), []);
  await eventually(async () => (await running()).length === 0);
});

/** Command lines of this machine's processes. */
async function processes(): Promise<string[]> {
  const lines: string[] = [];
  for (const pid of (await readdir('/proc')).filter(name => /^\d+$/.test(name))) {
    lines.push((await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).replaceAll('\0', ' '));
  }
  return lines;
}
