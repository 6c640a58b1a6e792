// The python command: its version, http.server, and scripts as far as they are understood. Knows its container.

import { specOf } from './general.ts';
import { runScript } from './python-script.ts';
import { untilAborted } from './signals.ts';
import { serveFiles } from './static-files.ts';
import type { Container } from './types.ts';

export interface PythonIo {
  print(text: string): void;
  printError(text: string): void;
  /** Standard input, for `python -`. */
  input?: string;
  cwd: string;
  signal: AbortSignal;
  /** Lets others run. */
  pause(): Promise<void>;
}

/** Runs `python ARGS`; the value is the exit code. */
export async function runPython(
  container: Container,
  args: readonly string[],
  io: PythonIo,
): Promise<number> {
  const [first, second] = args.filter(a => a !== '-u');
  const rest = args.filter(a => a !== '-u').slice(2);
  if (first === '--version' || first === '-V') {
    io.print(`Python ${container.env['PYTHON_VERSION'] ?? '3'}\n`);
    return 0;
  }
  if (first === '-m' && second === 'http.server') return serve(container, rest, io);
  if (first === '-m') {
    io.printError(`python: this practice cluster has only the module http.server, not ${second}\n`);
    return 1;
  }
  if (first === '-c') return script(container, second ?? '', io);
  if (first === undefined || first === '-') return script(container, io.input ?? '', io);
  if (first.startsWith('-')) {
    io.printError(`python: the option ${first} is not supported in this practice cluster\n`);
    return 2;
  }
  const path = first.startsWith('/') ? first : `${io.cwd}/${first}`;
  const source = container.files.readText(path);
  if (source === undefined) {
    io.printError(
      `python: can't open file '${path.replace(/^\/+/, '/')}': [Errno 2] No such file or directory\n`,
    );
    return 2;
  }
  return script(container, source, io);
}

const SERVES = /\bHTTPServer\(\s*\(\s*["'][^"']*["']\s*,\s*(\w+)?.*\.serve_forever\(\)/s;

async function script(container: Container, source: string, io: PythonIo): Promise<number> {
  const server = SERVES.exec(source);
  if (server) return serveNothing(container, Number(server[1]), io);
  return runScript(source, {
    print: io.print,
    printError: io.printError,
    env: container.env,
    hostname: container.env['HOSTNAME'] ?? 'localhost',
    sleep: seconds => container.clock.sleep(seconds * 1000, io.signal),
    go: async () => {
      await io.pause();
      return !io.signal.aborted;
    },
  });
}

/** A script that is an HTTP server listens; what its handlers would do is beyond us, which every answer and its log say. */
async function serveNothing(container: Container, port: number, io: PythonIo): Promise<number> {
  const declared: number | undefined = specOf(container)?.ports?.[0]?.containerPort;
  const number = Number.isInteger(port) ? port : declared;
  if (number === undefined) {
    io.printError('python: the port of this HTTPServer cannot be told: write it as a number or in the pod\n');
    return 1;
  }
  const note = 'python: this practice cluster does not run the handlers of an HTTPServer';
  io.printError(`${note}; it listens on port ${number} and answers 501\n`);
  container.serveHttp(number, () => ({ status: 501, body: `${note}\n` }));
  await untilAborted(io.signal);
  return 143;
}

async function serve(container: Container, args: readonly string[], io: PythonIo): Promise<number> {
  const value = (...names: string[]) => {
    const at = args.findIndex(a => names.includes(a.split('=')[0]!));
    return at < 0 ? undefined : args[at]!.includes('=') ? args[at]!.split('=')[1] : args[at + 1];
  };
  const folder = value('-d', '--directory') ?? io.cwd;
  const port = Number(args.find((a, i) => /^\d+$/.test(a) && !args[i - 1]?.startsWith('-')) ?? 8000);
  const stamp = () => {
    const at = new Date(container.clock.now());
    return `${at.getUTCDate()}/${at.toUTCString().slice(8, 11)}/${at.getUTCFullYear()} ${at.toISOString().slice(11, 19)}`;
  };
  try {
    container.serveHttp(port, request => {
      const response = serveFiles(container.files, folder, request, 'busybox');
      io.printError(
        `10.244.0.1 - - [${stamp()}] "${request.method} ${request.path} HTTP/1.1" ${response.status} -\n`,
      );
      return response;
    });
  } catch {
    io.printError('OSError: [Errno 98] Address already in use\n');
    return 1;
  }
  io.print(`Serving HTTP on 0.0.0.0 port ${port} (http://0.0.0.0:${port}/) ...\n`);
  await untilAborted(io.signal);
  return 143;
}
