// The door behind the npm scripts: what it says when something is missing, and that it leaves nothing behind.

import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { newEnough } from '../../server/start/node.mjs';
import { reasonIn } from '../../server/start/npm.mjs';
import { missing } from '../../server/start/packages.mjs';
import { ROOT } from '../support/test-server.ts';

/** A start that takes longer hangs, in milliseconds. */
const PATIENCE = 60_000;

let data: string;
before(async () => {
  data = await mkdtemp(join(tmpdir(), 'kbd-start-'));
});
after(() => rm(data, { recursive: true, force: true }));

/** What a failed test left running would hold the folder that the next one wants. */
const started = new Set<ChildProcess>();
afterEach(() => {
  for (const { pid } of started) {
    try {
      process.kill(-pid!, 'SIGKILL');
    } catch {
      // It ended as it should.
    }
  }
  started.clear();
});

interface Run {
  child: ChildProcess;
  readonly said: string;
  until(what: RegExp): Promise<void>;
  /** Resolves with the exit code. */
  ended: Promise<number | null>;
}

function start(args: string[], env: NodeJS.ProcessEnv = {}, node = process.execPath): Run {
  const child = spawn(node, [join(ROOT, 'server', 'start.mjs'), ...args], {
    cwd: ROOT,
    env: { ...process.env, NODE_TEST_CONTEXT: undefined, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  started.add(child);
  let said = '';
  for (const stream of [child.stdout!, child.stderr!]) {
    stream.on('data', chunk => {
      said += chunk;
    });
  }
  const ended = new Promise<number | null>(resolve => child.once('close', resolve));
  return {
    child,
    get said() {
      return said;
    },
    ended,
    until: async what => {
      for (let waited = 0; waited < PATIENCE && child.exitCode === null; waited += 50) {
        if (what.test(said)) return;
        await sleep(50);
      }
      if (!what.test(said)) assert.fail(`${what} was not said; instead: ${said}`);
    },
  };
}

const stop = (run: Run, signal: NodeJS.Signals) => process.kill(-run.child.pid!, signal);

describe('npm start', () => {
  test('prints one URL that opens once, and stops at Ctrl-C without leaving a process', async () => {
    const run = start(['start', '--port', '0', '--data', data]);
    await run.until(/token=\S+\s/);
    assert.equal(run.said.match(/http:\/\//g)?.length, 1);
    const link = /http:\S+/.exec(run.said)![0];
    const answer = await fetch(link, { redirect: 'manual' });
    assert.equal(answer.status, 303);
    stop(run, 'SIGINT');
    assert.equal(await run.ended, 0);
    assert.deepEqual(await processesWith(data), []);
  });

  test('warm, is there within three seconds', async () => {
    const begun = performance.now();
    const run = start(['start', '--port', '0', '--data', data]);
    await run.until(/token=\S+\s/);
    const took = performance.now() - begun;
    stop(run, 'SIGTERM');
    await run.ended;
    // Three on a quiet machine; other tests run beside this one.
    assert.ok(took < 6000, `${Math.round(took)} ms`);
  });

  const oldNode = ['/usr/bin/node', '/usr/local/bin/node'].find(existsSync);
  test('hands over from an older Node, and the other process goes with it however it goes', {
    skip: oldNode ? false : 'there is no other Node on this machine',
  }, async () => {
    const run = start(['start', '--port', '0', '--data', data], {}, oldNode);
    await run.until(/token=\S+\s/);
    process.kill(run.child.pid!, 'SIGKILL');
    for (let i = 0; i < 100 && (await processesWith(data)).length > 0; i++) await sleep(50);
    assert.deepEqual(await processesWith(data), []);
  });

  test('on a taken port says so and names another way', async () => {
    const other = createServer();
    await new Promise<void>(resolve => other.listen(0, '127.0.0.1', resolve));
    const { port } = other.address() as { port: number };
    const run = start(['start', '--data', data], { PORT: String(port) });
    assert.equal(await run.ended, 1);
    assert.match(run.said, new RegExp(`Port ${port} is taken.*--port ${port + 1}`));
    assert.doesNotMatch(run.said, /\n\s+at /);
    other.close();
  });

  test('a second one in the same folder says where the first is; one that was killed is not in the way', async () => {
    const first = start(['start', '--port', '0', '--data', data]);
    await first.until(/token=\S+\s/);
    const { origin } = new URL(/http:\S+/.exec(first.said)![0]);
    const second = start(['start', '--port', '0', '--data', data]);
    assert.equal(await second.ended, 1);
    assert.ok(second.said.includes(`already uses ${data}, at ${origin}. Press Enter`), second.said);
    assert.doesNotMatch(second.said, /\n\s+at /);
    stop(first, 'SIGKILL');
    await first.ended;
    const third = start(['start', '--port', '0', '--data', data]);
    await third.until(/token=\S+\s/);
    stop(third, 'SIGINT');
    assert.equal(await third.ended, 0);
  });

  test('a data folder that cannot be one is named, with the way out', async () => {
    const file = join(data, 'a-file');
    await writeFile(file, '');
    for (const folder of [file, join(file, 'below')]) {
      const run = start(['start', '--port', '0', '--data', folder]);
      assert.equal(await run.ended, 1);
      assert.match(run.said, /a-file.*cannot be used[\s\S]*--data FOLDER/);
      assert.doesNotMatch(run.said, /\n\s+at /);
    }
  });

  test('says that the progress file is damaged, and goes on', async () => {
    const folder = join(data, 'damaged');
    await mkdir(folder);
    await writeFile(join(folder, 'progress.sqlite'), 'x'.repeat(9000));
    const run = start(['start', '--port', '0', '--data', folder]);
    await run.until(/The progress database was damaged[\s\S]*kept as/);
    stop(run, 'SIGINT');
    assert.equal(await run.ended, 0);
  });

  test('refuses an option it does not know, and a port that is none, with a sentence', async () => {
    for (const [args, says] of [
      [['--prot', '1'], /"--prot" is not an option/],
      [['--port', 'x'], /"x" is not a port/],
      [['--port'], /--port wants a value/],
    ] as const) {
      const run = start(['start', ...args]);
      assert.equal(await run.ended, 1);
      assert.match(run.said, says);
      assert.doesNotMatch(run.said, /\n\s+at /);
    }
  });

  test('without kubectl still serves, and says what is missing and the way out', async () => {
    const bin = join(data, 'empty');
    const run = start(['start', '--port', '0', '--data', data], { PATH: bin });
    await run.until(/kubectl was not found[\s\S]*install kubectl/);
    await run.until(/bubblewrap/);
    stop(run, 'SIGINT');
    assert.equal(await run.ended, 0);
  });
});

test('an unknown script is answered with the ones there are', async () => {
  const run = start(['sttart']);
  assert.equal(await run.ended, 1);
  assert.match(run.said, /"sttart" is not one of: start, dev/);
});

test('from Node 22.18 on nothing is fetched', () => {
  assert.deepEqual(['v20.20.2', '22.17.9', '22.18.0', '23.0.0', '24.21.0'].map(newEnough), [
    false,
    false,
    true,
    true,
    true,
  ]);
});

test('packages are missing when they are locked and not there in that version; optional ones do not count', () => {
  const wanted = {
    '': { version: '1.0.0' },
    'node_modules/a': { version: '1.0.0' },
    'node_modules/b': { version: '2.0.0', dev: true },
    'node_modules/c': { version: '3.0.0', optional: true },
  };
  assert.deepEqual(missing(wanted, { 'node_modules/a': { version: '1.0.0' } }, false), []);
  assert.deepEqual(missing(wanted, { 'node_modules/a': { version: '1.0.0' } }, true), ['node_modules/b']);
  assert.deepEqual(missing(wanted, { 'node_modules/a': { version: '0.9.0' } }, false), ['node_modules/a']);
});

test('npm’s complaints become half a sentence', () => {
  assert.match(reasonIn('npm error code ENOTFOUND\nnpm error network request failed'), /offline/);
  assert.match(reasonIn('npm error code EACCES\n'), /may not be written/);
  assert.equal(reasonIn('npm error code E404\nnpm error 404 Not found\n'), 'npm said "404 Not found"');
});

async function processesWith(text: string): Promise<string[]> {
  const lines: string[] = [];
  for (const pid of (await readdir('/proc').catch(() => [])).filter(name => /^\d+$/.test(name))) {
    const line = (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).replaceAll('\0', ' ');
    if (line.includes(text)) lines.push(line);
  }
  return lines;
}
