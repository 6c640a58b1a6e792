// Behind `npm test`: rules, types, the tests of every folder, the site, the browser. Ends with one line of counts.

import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { glob, mkdtemp, readdir, readFile, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { lintSteps } from './lint.mjs';
import { ensureSchemas } from './schemas.mjs';
import { buildSite } from './site.mjs';

const REPORTER = fileURLToPath(new URL('test-report.mjs', import.meta.url));
const OUTPUT = new URL('test-output.mjs', import.meta.url);
/** What is run beside each other at most; more would only make each wait for the processor. */
const BESIDE = 2;
const SECOND = 1000;
const MINUTE = 60 * SECOND;
/** What a test leaves running this long after its suite has ended was forgotten, in milliseconds. */
const GRACE = 3 * SECOND;
/** Says in a process's environment that these tests started it. */
const MARK = 'KBD_TEST_RUN';

/**
 * The suites, in order. `files` of several suites are the first one's. What measures time runs one file at a time, when
 * nothing else does. `timeout` is for each test, `limit` for the whole suite, in milliseconds. A suite in `bunches` runs
 * so many files in one process, one after the other: to load and warm up what they test takes longer than to test it. Its
 * tests leave no trace in the process. More bunches than run beside each other, so that none is left to the end alone.
 */
const SUITES = [
  { name: 'browser', files: ['tests/browser/**'], beside: BESIDE, timeout: 8 * MINUTE, limit: 30 * MINUTE },
  { name: 'server', files: ['tests/server/**'], beside: 1, timeout: 2 * MINUTE, limit: 5 * MINUTE },
  {
    name: 'labs',
    files: ['tests/labs/**', 'labs/**'],
    beside: BESIDE,
    timeout: 6 * MINUTE,
    limit: 20 * MINUTE,
  },
  { name: 'lessons', files: ['tests/content/**'], beside: BESIDE, timeout: 4 * MINUTE, limit: 8 * MINUTE },
  {
    name: 'practice',
    files: ['tests/conformance/**', 'tests/practice/**'],
    bunches: 8,
    beside: BESIDE + 1,
    timeout: 2 * MINUTE,
    limit: 8 * MINUTE,
  },
  {
    name: 'units',
    files: ['src/**', 'server/**', 'tests/**'],
    bunches: BESIDE,
    beside: BESIDE,
    timeout: MINUTE,
    limit: 5 * MINUTE,
  },
].map(suite => ({ ...suite, files: suite.files.map(folder => `${folder}/*.test.ts`) }));
/** The quick ones first: what they find need not be waited for. Lessons and labs wait half of their time, so they go together. */
const ORDER = [['units'], ['practice'], ['lessons', 'labs'], ['server'], ['browser']];
const PARTS = ['lint', 'site', ...ORDER.flat()];

/** `npm test -- PART...` runs only the named parts, `npm test -- FILE...` only those files. */
export async function run({ root, args }) {
  const parts = args.filter(arg => PARTS.includes(arg));
  const files = args.filter(arg => !PARTS.includes(arg));
  const strange = files.find(file => !existsSync(join(root, file)));
  if (strange) {
    console.error(`"${strange}" is neither a test file nor one of: ${PARTS.join(', ')}.`);
    return 1;
  }
  const wanted = part => (parts.length === 0 && files.length === 0) || parts.includes(part);
  const begun = performance.now();
  const total = { passed: 0, failed: 0, skipped: 0 };
  const table = [];
  const failures = [];
  const reasons = new Map();
  // Sockets have short names only: close to the root.
  const temporary = await mkdtemp(join(await realpath(tmpdir()), 'kbd-t'));
  const run = { root, temporary, mark: `${process.pid}-${Date.now()}` };

  const add = result => {
    for (const name of Object.keys(total)) total[name] += result[name] ?? 0;
    failures.push(...(result.failures ?? []));
    for (const reason of result.reasons ?? []) reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
    table.push(result);
    console.log(row(result));
    // At once by name, whole at the end.
    for (const failure of result.failures ?? []) console.log(`    ✖ ${failure.split('\n')[0]}`);
  };
  const all = await testFiles(root);
  const listed = files.length > 0 ? await inSuites(root, files, all) : all;

  try {
    // The site's build and the rules are short and fit beside the types, which are long and use one processor.
    const [rules, ...types] = lintSteps(root);
    const before = async () => {
      if (wanted('lint')) add(await lintStep(run, rules));
      if (wanted('site') || wanted('browser')) add(await siteStep(run));
    };
    const typesOneByOne = async () => {
      if (wanted('lint')) for (const step of types) add(await lintStep(run, step));
    };
    await Promise.all([before(), typesOneByOne()]);
    for (const together of ORDER)
      await Promise.all(
        together.map(async name => {
          const list = listed.get(name) ?? [];
          if ((wanted(name) || files.length > 0) && list.length > 0) add(await suiteStep(run, name, list));
        }),
      );
  } finally {
    await rm(temporary, { recursive: true, force: true, maxRetries: 5 });
  }

  for (const failure of failures) console.log(`\n✖ ${failure}`);
  if (failures.length > 0) console.log(`\n${table.map(row).join('\n')}`);
  for (const [reason, count] of reasons) console.log(`  ${count} skipped: ${reason}`);
  console.log(row({ name: 'together', begun }));
  const skipped = total.skipped > 0 ? `, ${total.skipped} skipped` : '';
  console.log(`\n${total.passed} passed, ${total.failed} failed${skipped}`);
  return total.failed === 0 ? 0 : 1;
}

function row({ name, begun, seconds = since(begun), passed, failed, skipped, slowest }) {
  const counts =
    passed === undefined
      ? ''
      : `${passed} passed${failed ? `, ${failed} FAILED` : ''}${skipped ? `, ${skipped} skipped` : ''}`;
  return `  ${name.padEnd(18)} ${seconds.toFixed(1).padStart(7)} s   ${counts.padEnd(34)} ${slowest ?? ''}`.trimEnd();
}

function since(begun) {
  return (performance.now() - begun) / SECOND;
}

async function lintStep(run, step) {
  const begun = performance.now();
  const { code, output } = await command(run, step.args, 5 * MINUTE);
  return {
    name: step.name,
    seconds: since(begun),
    passed: code === 0 ? 1 : 0,
    failed: code === 0 ? 0 : 1,
    failures: code === 0 ? [] : [`${step.name}\n${output.slice(-20_000)}`],
  };
}

async function siteStep(run) {
  const { root } = run;
  const begun = performance.now();
  try {
    await Promise.all([buildSite(root, { quiet: true }), ensureSchemas(root)]);
    run.site = join(root, 'dist');
    return { name: 'site', seconds: since(begun), passed: 1, failed: 0 };
  } catch (error) {
    return {
      name: 'site',
      seconds: since(begun),
      passed: 0,
      failed: 1,
      failures: [`site\n${error.message}`],
    };
  }
}

async function suiteStep(whole, name, list) {
  // What one suite leaves running is not what another still needs.
  const run = { ...whole, mark: `${whole.mark}-${name}` };
  const begun = performance.now();
  const { beside, bunches, timeout, limit } = SUITES.find(suite => suite.name === name);
  const ask = [
    '--test',
    ...(bunches ? ['--test-isolation=none'] : [`--test-concurrency=${beside}`]),
    `--test-timeout=${timeout}`,
    // One forgotten timer or socket would hold up the whole suite.
    '--test-force-exit',
    `--import=${OUTPUT}`,
    `--test-reporter=${REPORTER}`,
    '--test-reporter-destination=stdout',
  ];
  const runs = await byHands(bunches ? deal(list, bunches) : [list], beside, files =>
    command(run, [...ask, ...files], limit),
  );
  const code = runs.find(one => one.code !== 0)?.code ?? 0;
  const late = runs.some(one => one.late);
  const output = runs.map(one => one.output).join('\n');
  const tests = [];
  const other = [];
  for (const line of output.split('\n')) {
    try {
      tests.push(JSON.parse(line));
    } catch {
      if (line.trim()) other.push(line);
    }
  }
  const failures = tests
    .filter(test => test.state === 'failed')
    .map(test => {
      const said = test.said?.trim() ? `\n  the file also said:\n${indent(test.said.trim())}` : '';
      return `${place(run.root, test.file)}: ${test.name}\n${indent(test.error)}${said}`;
    });
  const ran = new Set(tests.map(test => place(run.root, test.file)));
  for (const file of late ? list : []) {
    if (!ran.has(file))
      failures.push(`${file}: did not end within the ${limit / MINUTE} minutes of its suite`);
  }
  for (const left of await leftRunning(run)) failures.push(`${name}: left a process running: ${left}`);
  // A runner that could not even count has failed.
  if (code !== 0 && failures.length === 0) failures.push(`${name}\n${other.slice(-60).join('\n')}`);
  return {
    name,
    seconds: since(begun),
    passed: tests.filter(test => test.state === 'passed').length,
    failed: failures.length,
    skipped: tests.filter(test => test.state === 'skipped').length,
    reasons: tests.filter(test => test.state === 'skipped').map(test => test.reason),
    failures,
    slowest: slowest(run.root, tests),
  };
}

/** Files by turns to so many bunches, none of them empty. */
function deal(files, bunches) {
  return Array.from({ length: Math.min(bunches, files.length) }, (_, bunch) =>
    files.filter((_, index) => index % bunches === bunch),
  );
}

/** What came of `work` on each item: so many hands at once, each of which takes the next one when it has done one. */
async function byHands(items, hands, work) {
  const done = [];
  const left = items.entries();
  const hand = async () => {
    for (const [index, item] of left) done[index] = await work(item);
  };
  await Promise.all(Array.from({ length: hands }, hand));
  return done;
}

function slowest(root, tests) {
  const sums = new Map();
  for (const test of tests)
    if (test.nesting === 0) sums.set(test.file, (sums.get(test.file) ?? 0) + test.ms / SECOND);
  const [first] = [...sums].sort((a, b) => b[1] - a[1]);
  return first ? `longest: ${place(root, first[0])}, ${first[1].toFixed(0)} s` : '';
}

function place(root, file) {
  return file ? relative(root, file) : 'a test';
}

function indent(text) {
  return text.replace(/^/gm, '    ');
}

/** Test files by suite. */
async function testFiles(root) {
  const taken = new Set();
  const bySuite = new Map();
  for (const { name, files } of SUITES) {
    const list = [];
    for await (const file of glob(files, { cwd: root })) if (!taken.has(file)) list.push(file);
    for (const file of list) taken.add(file);
    bySuite.set(name, list.sort());
  }
  return bySuite;
}

async function inSuites(root, files, all) {
  const wanted = new Set(files.map(file => relative(root, join(root, file))));
  return new Map([...all].map(([name, list]) => [name, list.filter(file => wanted.has(file))]));
}

/** Processes with our mark that are still there after a moment. Ends them. Only where /proc tells. */
async function leftRunning({ mark }) {
  const until = performance.now() + GRACE;
  for (;;) {
    const left = await marked(mark);
    if (left.length === 0) return [];
    if (performance.now() > until) {
      for (const { pid } of left) {
        try {
          process.kill(pid, 'SIGKILL');
        } catch {
          // It ended by itself in the meantime.
        }
      }
      return left.map(({ line }) => line);
    }
    await new Promise(resolve => setTimeout(resolve, 100));
  }
}

async function marked(mark) {
  const found = [];
  for (const name of await readdir('/proc').catch(() => [])) {
    if (!/^\d+$/.test(name)) continue;
    const environment = await readFile(`/proc/${name}/environ`, 'utf8').catch(() => '');
    if (!environment.includes(`${MARK}=${mark}`)) continue;
    const line = (await readFile(`/proc/${name}/cmdline`, 'utf8').catch(() => ''))
      .replaceAll('\0', ' ')
      .trim();
    if (line) found.push({ pid: Number(name), line: line.slice(0, 200) });
  }
  return found;
}

/** Runs Node with these arguments and keeps what it says. After `limit` milliseconds it is ended with all it started. */
function command({ root, temporary, mark, site }, args, limit) {
  return new Promise(resolve => {
    const child = spawn(process.execPath, args, {
      cwd: root,
      env: {
        ...process.env,
        ASTRO_TELEMETRY_DISABLED: '1',
        FORCE_COLOR: '0',
        NO_COLOR: '1',
        TMPDIR: temporary,
        // Some 160 files load much the same modules, each in a process of its own.
        NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE ?? join(root, '.cache', 'compile'),
        // The stories look at the site that has just been built.
        ...(site ? { KBD_SITE: site } : {}),
        [MARK]: mark,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
      // A group of its own can be ended as a whole.
      detached: true,
    });
    const end = signal => {
      try {
        process.kill(-child.pid, signal);
      } catch {
        // It is gone.
      }
    };
    const onSignal = signal => {
      end('SIGKILL');
      process.exit(signal === 'SIGINT' ? 130 : 143);
    };
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, onSignal);
    let output = '';
    const keep = chunk => {
      output += chunk;
      if (process.env.VERBOSE) process.stdout.write(chunk);
    };
    child.stdout.setEncoding('utf8').on('data', keep);
    child.stderr.setEncoding('utf8').on('data', keep);
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      end('SIGKILL');
    }, limit);
    const done = (code, more = '') => {
      clearTimeout(timer);
      for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.off(signal, onSignal);
      resolve({ code, output: output + more, late });
    };
    child.once('error', error => done(1, String(error)));
    child.once('close', code => done(code ?? 1));
  });
}
