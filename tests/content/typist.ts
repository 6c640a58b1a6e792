// Types a lesson's commands in page order into real terminals of a session on the practice cluster, and hands back what they
// printed. Knows no page and compares nothing.

import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { stringify } from 'yaml';
import type { AttemptView, SessionMessage, SessionRequest, SessionState } from '#common/protocol/index.ts';
import { type Exchange, exchangesOf } from '../../src/course/lesson-blocks.ts';
import type { Lesson } from '../../src/course/read.ts';
import { connectTerminal, type TerminalClient } from '../support/terminal-client.ts';
import { startTestServer, type TestServer } from '../support/test-server.ts';

/** How long one command may take, and how long one marked `stays` is listened to (`stays=40`: 40 s), in ms. */
const COMMAND_TIMEOUT = 90_000;
const LISTEN = 3_000;
/** How long a cluster may take to be prepared, ms. */
const PREPARE_TIMEOUT = 180_000;
/** A command that only looks is typed again while its output is not as expected yet: the cluster is still moving. */
const ONLY_LOOKS =
  /^(kubectl (get|describe|top|logs|events|auth can-i|cluster-info|wait)\b|minikube (status|image ls|addons list)|curl (?!.* -(d|X) ))(?!.*\|.*(apply|create|delete))/;
const LOOK_AGAIN_FOR = 30_000;
const LOOK_AGAIN_AFTER = 700;
/** Wide enough that nothing is wrapped by the shell. */
const SIZE = [250, 60] as const;

export interface Typed {
  command: string;
  output: string;
  /** Undefined when it was still running and was stopped later. */
  exit: number | undefined;
}

/** Whether an output is what the page shows; the typist looks again while it is not. */
export type Expected = (exchange: Exchange, output: string) => boolean;

export interface Typist {
  type(lesson: Lesson, expected?: Expected): Promise<Typed[]>;
  close(): Promise<void>;
}

/** Lessons that have commands, each with the folder name of its stage. */
export const stageOf = (lesson: Lesson) => lesson.id.replace('/', '-');

export async function createTypist(root: string, lessons: readonly Lesson[]): Promise<Typist> {
  const folder = await mkdtemp(join(tmpdir(), 'lessons-'));
  for (const lesson of lessons) await buildStage(root, join(folder, stageOf(lesson)), lesson);
  const server = await startTestServer({ labs: folder });
  return {
    type: (lesson, expected = () => true) => typeLesson(server, lesson, expected),
    close: async () => {
      await server.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** A lab folder of the lesson's own: a copy of its lab, or one that only names the lesson's baseline. */
async function buildStage(root: string, folder: string, lesson: Lesson): Promise<void> {
  const { lab, cluster } = lesson.pages.en.front;
  if (lab) return cp(join(root, 'labs', lab), folder, { recursive: true });
  if (!cluster)
    throw new Error(`${lesson.id} has commands to run, but neither \`lab\` nor \`cluster\` says where`);
  const say = (text: string) => ({ 'zh-TW': text, en: text });
  await mkdir(folder);
  await writeFile(
    join(folder, 'lab.yaml'),
    stringify({
      title: say(lesson.id),
      minutes: 1,
      cluster,
      steps: [
        {
          id: 'read',
          task: say('Read.'),
          hints: [say('Read.')],
          checks: [{ command: { ran: 'read on', exit: 0 } }],
        },
      ],
    }),
  );
}

async function typeLesson(server: TestServer, lesson: Lesson, expected: Expected): Promise<Typed[]> {
  const answer = await server.open({ lab: stageOf(lesson) });
  if (!answer.ok) throw new Error(`${lesson.id}: ${answer.note.en}`);
  const session = await openSession(server, answer.state);
  const terminals: TerminalClient[] = [];
  try {
    await session.prepared();
    const terminal = async (number: number) => {
      while (terminals.length < number) {
        const id = await session.terminal(terminals.length);
        const client = await connectTerminal(server.origin, id, { cookie: server.cookie });
        client.resize(...SIZE);
        await client.prompt();
        terminals.push(client);
      }
      return terminals[number - 1]!;
    };
    const typed: Typed[] = [];
    let staying: TerminalClient | undefined;
    for (const exchange of exchangesOf(lesson.pages.en.body)) {
      const { meta } = exchange.command;
      const client = await terminal(Number(meta.terminal ?? 1));
      if (client === staying) {
        // Whoever types the next command here has stopped what ran, unless it has ended by itself.
        if (runs(client)) client.type('\x03');
        await atPrompt(client);
        staying = undefined;
      }
      typed.push(await typeOne(client, exchange, output => expected(exchange, output)));
      if (meta.stays) staying = client;
    }
    return typed;
  } finally {
    for (const client of terminals) client.close();
    session.close();
  }
}

async function typeOne(
  client: TerminalClient,
  { command }: Exchange,
  expected: (output: string) => boolean,
): Promise<Typed> {
  const text = command.code.trim();
  const { stays } = command.meta;
  const frames = client.frames.length;
  const start = client.text.length;
  const output = () => printed(client.text.slice(start));
  if (stays) {
    client.run(text);
    const end = Date.now() + (typeof stays === 'string' ? Number(stays) * 1000 : LISTEN);
    do await sleep(100);
    while (Date.now() < end && !(output() && expected(output())));
    return { command: text, output: output(), exit: undefined };
  }
  const again = ONLY_LOOKS.test(text) ? Date.now() + LOOK_AGAIN_FOR : 0;
  for (;;) {
    const from = client.text.length;
    client.run(text);
    await atPrompt(client);
    const came = printed(client.text.slice(from));
    if (expected(came) || Date.now() > again) {
      const ends = client.frames.slice(frames).filter(frame => frame.op === 'command' && !frame.running);
      const last = ends.at(-1);
      return {
        command: text,
        output: came,
        exit: last?.op === 'command' && !last.running ? last.exitCode : undefined,
      };
    }
    await sleep(LOOK_AGAIN_AFTER);
  }
}

const runs = (client: TerminalClient) => {
  const last = client.frames.findLast(frame => frame.op === 'command');
  return last?.op === 'command' && last.running;
};

/** The client's own patience is short; some commands wait for the cluster. */
async function atPrompt(client: TerminalClient): Promise<void> {
  const end = Date.now() + COMMAND_TIMEOUT;
  for (;;) {
    try {
      return await client.prompt();
    } catch (error) {
      if (Date.now() > end) throw error;
    }
  }
}

/** What came between the command's line and the next prompt, as plain text. */
function printed(shown: string): string {
  const begin = shown.indexOf('\x1b[?2004l');
  if (begin < 0) return '';
  const end = shown.indexOf('\x1b[?2004h', begin);
  return shown
    .slice(begin + '\x1b[?2004l'.length, end < 0 ? undefined : end)
    .replace(/^\r/, '')
    .replace(/\x1b\[[0-9;?]*[A-Za-z]|\x1b\][^\x07]*\x07|\x1b[=>]/g, '')
    .replace(/\r\n/g, '\n')
    .replace(/[^\n]*\r(?=[^\n])/g, '')
    .replace(/\s+$/, '');
}

interface OpenSession {
  /** Resolves when the cluster is as the lesson wants it. */
  prepared(): Promise<void>;
  /** The id of the terminal at this place, opened when it is not there. */
  terminal(index: number): Promise<string>;
  close(): void;
}

async function openSession(server: TestServer, state: SessionState): Promise<OpenSession> {
  let { attempt, terminals } = state;
  const socket = new WebSocket(`${server.origin.replace('http', 'ws')}/ws/session/${state.session}`, {
    headers: { cookie: server.cookie },
    origin: server.origin,
  });
  socket.on('message', data => {
    const message = JSON.parse(String(data)) as SessionMessage;
    if (message.type === 'state') ({ attempt, terminals } = message.state);
    if (message.type === 'attempt') attempt = message.attempt;
    if (message.type === 'terminals') terminals = message.terminals;
  });
  await new Promise<void>((resolve, reject) => {
    socket.once('open', () => resolve());
    socket.once('error', reject);
  });
  const until = async (holds: () => boolean, limit: number, what: string) => {
    const end = Date.now() + limit;
    while (!holds()) {
      if (Date.now() > end) throw new Error(`${what} after ${limit / 1000} s`);
      await sleep(50);
    }
  };
  return {
    prepared: async () => {
      const status = (): AttemptView['status'] | undefined => attempt?.status;
      await until(
        () => status() !== undefined && status() !== 'preparing',
        PREPARE_TIMEOUT,
        'The cluster is not prepared',
      );
      if (status() === 'failed') throw new Error(attempt?.note?.en ?? 'The cluster could not be prepared.');
    },
    terminal: async index => {
      if (terminals.length <= index)
        socket.send(JSON.stringify({ type: 'open-terminal' } satisfies SessionRequest));
      await until(() => terminals.length > index, 15_000, 'There is no further terminal');
      return terminals[index]!.id;
    },
    close: () => socket.close(),
  };
}
