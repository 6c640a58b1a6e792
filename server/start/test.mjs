// Behind `npm test`: rules, types, the tests of every folder, the site, the browser. Ends with one line of counts.

import { spawn } from 'node:child_process';
import { glob } from 'node:fs/promises';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { lintSteps } from './lint.mjs';
import { buildSite } from './site.mjs';

/** A single test that takes longer hangs, in milliseconds. */
const TEST_TIMEOUT = 180_000;
/** A whole step that takes longer hangs, in milliseconds. */
const STEP_TIMEOUT = 14 * 60_000;
const BROWSER = join('tests', 'browser');
const TEST_FILES = ['server/**/*.test.ts', 'src/**/*.test.ts', 'labs/**/*.test.ts', 'tests/**/*.test.ts'];

/** `npm test -- PART...` runs only the named parts: lint, node, site, browser; `npm test -- FILE...` only those files. */
export async function run({ root, args }) {
  const parts = args.filter(arg => ['lint', 'node', 'site', 'browser'].includes(arg));
  const files = args.filter(arg => !parts.includes(arg));
  const wanted = part => (files.length > 0 ? part === 'node' : parts.length === 0 || parts.includes(part));
  const counts = { passed: 0, failed: 0, skipped: 0 };
  const started = performance.now();

  if (wanted('lint')) {
    for (const step of lintSteps(root)) {
      const result = await command(root, step.name, process.execPath, step.args);
      add(counts, result.code === 0 ? { passed: 1 } : { failed: 1 });
      if (result.code !== 0) console.log(result.output);
    }
  }
  if (wanted('site') || wanted('browser')) add(counts, await siteStep(root));
  if (wanted('node'))
    add(counts, await nodeTests(root, 'tests', files.length > 0 ? files : await testFiles(root)));
  if (wanted('browser')) add(counts, await nodeTests(root, 'browser', await testFiles(root, BROWSER)));

  const seconds = Math.round((performance.now() - started) / 1000);
  const skipped = counts.skipped > 0 ? `, ${counts.skipped} skipped` : '';
  console.log(`\n(${seconds} s)\n${counts.passed} passed, ${counts.failed} failed${skipped}`);
  return counts.failed === 0 ? 0 : 1;
}

function add(counts, more) {
  for (const [name, count] of Object.entries(more)) counts[name] += count;
}

async function siteStep(root) {
  const begun = performance.now();
  try {
    await buildSite(root, { quiet: true });
    report('site', 'ok', begun);
    return { passed: 1 };
  } catch (error) {
    report('site', 'FAILED', begun);
    console.log(error.message);
    return { failed: 1 };
  }
}

async function nodeTests(root, name, list) {
  if (list.length === 0) return {};
  const concurrency = String(Math.max(2, Math.min(4, cpus().length)));
  const result = await command(root, name, process.execPath, [
    '--test',
    `--test-concurrency=${concurrency}`,
    `--test-timeout=${TEST_TIMEOUT}`,
    '--test-reporter=spec',
    ...list,
  ]);
  const number = name => Number(new RegExp(`^. ${name} (\\d+)$`, 'm').exec(result.output)?.[1] ?? 0);
  const failed = number('fail') + number('cancelled');
  const whySkipped = skipReasons(result.output);
  for (const [reason, count] of whySkipped) console.log(`    ${count} skipped: ${reason}`);
  if (result.code !== 0) console.log(failures(result.output));
  // A runner that could not even count has failed.
  return {
    passed: number('pass'),
    failed: failed || (result.code === 0 ? 0 : 1),
    skipped: number('skipped') + number('todo'),
  };
}

/** Those of the browser run by themselves, after the rest: each drives a chromium. */
async function testFiles(root, below = '') {
  const found = [];
  for (const pattern of TEST_FILES) for await (const file of glob(pattern, { cwd: root })) found.push(file);
  const inBrowser = file => file.startsWith(BROWSER);
  return [...new Set(found)].filter(file => inBrowser(file) === (below === BROWSER)).sort();
}

/** Reporter lines of skipped tests end in `# reason`. */
function skipReasons(output) {
  const reasons = new Map();
  for (const [, reason] of output.matchAll(/^\s*﹣ .*? \([\d.]+ms\) # (.+)$/gm))
    reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
  return reasons;
}

/** The part of the report that tells what failed and how. */
function failures(output) {
  const start = output.indexOf('✖ failing tests:');
  return start < 0 ? output.slice(-6000) : output.slice(start, start + 30_000);
}

/** Runs one step, keeps what it says, shows one line. */
function command(root, name, file, args, env = {}) {
  const begun = performance.now();
  return new Promise(resolve => {
    const child = spawn(file, args, {
      cwd: root,
      env: { ...process.env, ASTRO_TELEMETRY_DISABLED: '1', FORCE_COLOR: '0', NO_COLOR: '1', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    const keep = chunk => {
      output += chunk;
      if (process.env.VERBOSE) process.stdout.write(chunk);
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    const timer = setTimeout(() => child.kill('SIGKILL'), STEP_TIMEOUT);
    child.once('error', error => {
      clearTimeout(timer);
      report(name, 'FAILED', begun);
      resolve({ code: 1, output: String(error) });
    });
    child.once('close', code => {
      clearTimeout(timer);
      report(name, code === 0 ? 'ok' : 'FAILED', begun);
      resolve({ code: code ?? 1, output });
    });
  });
}

function report(name, how, begun) {
  console.log(`  ${name.padEnd(28)} ${how.padEnd(8)} ${((performance.now() - begun) / 1000).toFixed(1)} s`);
}
