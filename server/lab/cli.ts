// `npm run labs -- lint|test|run|solve|watch|new|schema [id]`: the author's workbench on the command line.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ID } from '#common/lab/index.ts';
import { segments } from '../check/index.ts';
import { realClock } from '../clock.ts';
import { createMinikubeProvider } from '../cluster/index.ts';
import { onPath } from '../on-path.ts';
import { solutionOf } from './files.ts';
import { EDITOR_SCHEMAS, lintLab, lintSchemas, printed } from './lint.ts';
import { type Lab, LabError, listLabs, loadLab } from './load.ts';
import { newLab } from './new-lab.ts';
import { proveLab } from './prove.ts';
import { openRehearsal } from './rehearsal.ts';
import { scriptLines } from './script-lines.ts';
import { practiceTools } from './tools.ts';
import { watchLabs } from './watch.ts';

const LABS = join(import.meta.dirname, '../../labs');

/** Read by server/config.ts. */
const AUTHOR = 'KUBEFLOW_BY_DOING_AUTHOR';

const USAGE = `npm run labs -- COMMAND [id ...] [--kubeconfig FILE | --minikube PROFILE]
  lint    what is wrong with a lab without running it
  test    proves it: unsolved fails, the solution passes twice, every mistake is refused
  run     sets a lab up and says how each step stands, until Ctrl-C
  solve   types the solution and shows the terminal
  watch   opens the page with a panel for authors, and lints and proves a lab whenever it is saved
  new     makes a small lab to start from
  schema  prints the files editors read
Without an id: every lab. With --kubeconfig or --minikube: on that cluster instead of a practice
cluster; what a lab makes there is taken away again at its end.`;

async function main(argv: string[]): Promise<number> {
  const asked = read(argv);
  if (typeof asked === 'string') return complain(`${asked}\n${USAGE}`);
  const { values, positionals } = asked;
  const [command, ...given] = positionals;
  if (values.help || command === undefined) {
    console.log(USAGE);
    return command === undefined && !values.help ? 2 : 0;
  }
  if (values.kubeconfig !== undefined && values.minikube !== undefined)
    return complain('give either --kubeconfig or --minikube');
  const kubeconfig =
    values.minikube === undefined ? values.kubeconfig : await minikubeConfig(values.minikube);
  if (values.minikube !== undefined && kubeconfig === undefined)
    return complain(`minikube has no profile ${values.minikube}; "minikube profile list" shows those it has`);
  switch (command) {
    case 'schema':
      for (const [name, schema] of Object.entries(EDITOR_SCHEMAS))
        writeFileSync(join(LABS, name), printed(schema()));
      return 0;
    case 'new':
      return create(given);
    case 'lint':
      return lint(chosen(given), given.length === 0);
    case 'test':
      return test(chosen(given), kubeconfig);
    case 'run':
    case 'solve': {
      if (given.length !== 1) return complain(`${command} wants one lab: ${listLabs(LABS).join(', ')}`);
      return command === 'run'
        ? run(loadLab(LABS, given[0] as string), kubeconfig)
        : solve(loadLab(LABS, given[0] as string), kubeconfig);
    }
    case 'watch':
      return watching(given, kubeconfig);
    default:
      return complain(`there is no command ${command}.\n${USAGE}`);
  }
}

/** The options and words of a line, or why it cannot be followed. */
function read(argv: string[]) {
  try {
    return parseArgs({
      args: argv,
      allowPositionals: true,
      options: { kubeconfig: { type: 'string' }, minikube: { type: 'string' }, help: { type: 'boolean' } },
    });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const [option = 'that option'] = /--?[\w-]+/.exec(message) ?? [];
    return code === 'ERR_PARSE_ARGS_UNKNOWN_OPTION'
      ? `there is no option ${option}`
      : `${option} wants a value, and --help none`;
  }
}

const chosen = (given: string[]) => (given.length > 0 ? given : listLabs(LABS));

function complain(sentence: string): number {
  console.error(sentence);
  return 2;
}

function create([id, ...rest]: string[]): number {
  if (id === undefined || rest.length > 0 || !ID.test(id))
    return complain('new wants one id: lower-case words joined by hyphens');
  if (existsSync(join(LABS, id))) return complain(`labs/${id} is there already`);
  for (const [path, text] of Object.entries(newLab())) {
    mkdirSync(join(LABS, id, path, '..'), { recursive: true });
    writeFileSync(join(LABS, id, path), text);
  }
  console.log(`labs/${id} is there. Next: npm run labs -- test ${id}`);
  return 0;
}

function lint(ids: string[], all: boolean): number {
  const problems = [...ids.flatMap(id => lintLab(LABS, id)), ...(all ? lintSchemas(LABS) : [])];
  for (const problem of problems) console.error(`labs/${problem}`);
  if (problems.length === 0) console.log(`${ids.join(', ')}: nothing to say`);
  return problems.length === 0 ? 0 : 1;
}

async function test(ids: string[], kubeconfig: string | undefined): Promise<number> {
  let failed = 0;
  for (const id of ids) {
    console.log(id);
    const problems = lintLab(LABS, id);
    if (problems.length > 0) {
      for (const problem of problems) console.log(`  ✖ ${problem}`);
      failed++;
      continue;
    }
    const missing = kubeconfig === undefined ? [] : await missingTools(loadLab(LABS, id));
    if (missing.length > 0) {
      console.log(`  … skipped: it types ${missing.join(' and ')}, which is not on the PATH`);
      continue;
    }
    const started = performance.now();
    const { failures } = await proveLab({
      lab: loadLab(LABS, id),
      labs: LABS,
      clock: realClock(),
      kubeconfig,
      tools: await practiceTools(),
      progress: line =>
        console.log(
          `  ${line.replaceAll('\n', '\n    ')} (${((performance.now() - started) / 1000).toFixed(1)} s)`,
        ),
    });
    if (failures.length > 0) failed++;
  }
  return failed === 0 ? 0 : 1;
}

/** Commands that a practice shell has of its own and this machine has not. */
async function missingTools(lab: Lab): Promise<string[]> {
  const typed = lab.definition.steps
    .flatMap(({ id }) => scriptLines(solutionOf(lab, id) ?? ''))
    .flatMap(line => ('type' in line ? segments(line.type) : []))
    .map(([program]) => program);
  const missing: string[] = [];
  for (const { name } of await practiceTools())
    if (typed.includes(name) && !(await onPath(name))) missing.push(name);
  return missing;
}

/** A kubeconfig of our own for a profile; the learner's is not touched. */
async function minikubeConfig(profile: string): Promise<string | undefined> {
  const provider = createMinikubeProvider();
  const offer = (await provider.available()).find(one => one.profile === profile);
  if (!offer) return undefined;
  const folder = mkdtempSync(join(tmpdir(), 'labs-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  return (await provider.attach(folder, offer, {}, () => {})).kubeconfig;
}

const rehearse = async (lab: Lab, kubeconfig: string | undefined) =>
  openRehearsal({ lab, labs: LABS, clock: realClock(), kubeconfig, tools: await practiceTools() });

async function run(lab: Lab, kubeconfig: string | undefined): Promise<number> {
  const stage = await rehearse(lab, kubeconfig);
  stage.attempt.subscribe(event => {
    if (event.type === 'attempt') console.log(`${event.attempt.status} ${event.attempt.note?.en ?? ''}`);
    else
      console.log(
        `${event.step.id}: ${event.step.state} ${event.step.checks.map(check => `${check.id} ${check.state}${check.said ? ` (${check.said.en})` : ''}`).join('; ')}`,
      );
  });
  console.log(`kubectl --kubeconfig ${stage.cluster.kubeconfig} get pods -A`);
  const alive = setInterval(() => {}, 60_000);
  await new Promise<void>(resolve => process.once('SIGINT', resolve));
  clearInterval(alive);
  await stage.close();
  return 0;
}

/** The page runs as its own program, told that an author is looking; its progress is not the learner's. */
async function watching(ids: string[], kubeconfig: string | undefined): Promise<number> {
  for (const id of ids) if (!listLabs(LABS).includes(id)) return complain(`there is no lab ${id}`);
  const root = join(LABS, '..');
  const port = await freePort();
  const page = spawn(
    process.execPath,
    [join(root, 'server/start.mjs'), 'start', '--data', join(root, '.data/author'), '--port', String(port)],
    { stdio: 'inherit', env: { ...process.env, [AUTHOR]: '1' } },
  );
  for (const id of ids)
    for (const path of pagesOf(join(root, 'content'), id))
      console.log(`${id}: http://127.0.0.1:${port}${path} (come in through the link below first)`);
  const tools = await practiceTools();
  const stop = watchLabs({
    labs: LABS,
    ids,
    clock: realClock(),
    say: line => console.log(line),
    prove: async (id, signal) => {
      const { failures } = await proveLab({
        lab: loadLab(LABS, id),
        labs: LABS,
        clock: realClock(),
        kubeconfig,
        tools,
        signal,
      });
      return failures;
    },
  });
  await new Promise<void>(resolve => {
    process.once('SIGINT', resolve);
    process.once('SIGTERM', resolve);
    page.once('exit', () => resolve());
  });
  page.kill('SIGTERM');
  await stop();
  return 0;
}

/** Where the page shows a lab, in each language: in the lesson that names it in its head, or alone. */
function pagesOf(content: string, id: string): string[] {
  const named = new RegExp(`^---\n[\\s\\S]*?^lab: *${id}$`, 'm');
  return ['zh-TW', 'en'].map(language => {
    const folder = join(content, language);
    const lesson = readdirSync(folder, { recursive: true, encoding: 'utf8' }).find(
      file => file.endsWith('.mdx') && named.test(readFileSync(join(folder, file), 'utf8')),
    );
    return lesson ? `/${language}/${lesson.slice(0, -'.mdx'.length)}/` : `/${language}/labs/${id}/`;
  });
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}

async function solve(lab: Lab, kubeconfig: string | undefined): Promise<number> {
  const stage = await rehearse(lab, kubeconfig);
  try {
    await stage.attempt.ready;
    for (const { id } of lab.definition.steps) await stage.perform(solutionOf(lab, id) ?? '', id);
    console.log(stage.transcript);
    for (const step of stage.attempt.view().steps)
      console.log(`${step.state === 'passed' ? '✔' : '✖'} ${step.id}`);
    return stage.attempt.view().steps.every(step => step.state === 'passed') ? 0 : 1;
  } finally {
    await stage.close();
  }
}

// The clusters and terminals of a rehearsal hold no handle that keeps the process alive.
const alive = setInterval(() => {}, 60_000);
main(process.argv.slice(2))
  .catch((error: unknown) => {
    console.error(
      error instanceof LabError ? error.problems.map(problem => `labs/${problem}`).join('\n') : error,
    );
    return 1;
  })
  .then(code => {
    clearInterval(alive);
    process.exit(code);
  });
