// One running container: a program with its files, log, ports and signals. Knows no pod lifecycle and no restarts.

import type { Clock } from '../../clock.ts';
import type { ApiClient, KubeObject } from '../../kube/index.ts';
import type { Random } from '../../random.ts';
import { type Attachment, type ByteStream, type Network, serveHttp } from '../network/index.ts';
import type {
  Container,
  ContainerFileSystem,
  ContainerStdin,
  HostNetwork,
  Program,
} from '../programs/index.ts';
import { LogBuffer } from './logs.ts';

/** What `kubectl top` shows for a program that says nothing about itself. */
const IDLE_USAGE = { cpuMillis: 1, memoryBytes: 12 * 1024 * 1024 };
const SIGKILL_EXIT = 137;

export interface Exit {
  code: number;
  reason: 'Completed' | 'Error' | 'OOMKilled';
  /** Milliseconds since the epoch. */
  at: number;
}

export interface InstanceOptions {
  id: string;
  pod: KubeObject;
  name: string;
  image: string;
  program: Program;
  argv: string[];
  env: Record<string, string>;
  files: ContainerFileSystem;
  attachment: Attachment;
  network: Network;
  /** Of the node, for a pod that lives in it. */
  host?: HostNetwork;
  namespace: string;
  api?: ApiClient;
  clock: Clock;
  random: Random;
  /** Bytes; 0 for none. */
  memoryLimit: number;
  stdin: boolean;
  /** Of the pod's containers, those whose processes this one sees. */
  processes(): { name: string; ended: boolean }[];
  /** A container that ran before the cluster was taken back to this moment. */
  resumed?: boolean;
}

export class ContainerInstance {
  readonly id: string;
  readonly options: InstanceOptions;
  readonly log: LogBuffer;
  readonly files: ContainerFileSystem;
  /** Milliseconds since the epoch; 0 before `start`. */
  startedAt = 0;
  exit: Exit | undefined;
  usage = { ...IDLE_USAGE };
  /** Bytes; 0 for none. A resize changes it. */
  memoryLimit: number;
  private readonly term = new AbortController();
  private readonly dead = new AbortController();
  private readonly stdinListeners: { data: ((text: string) => void)[]; end: (() => void)[] } = {
    data: [],
    end: [],
  };
  private pendingInput: string[] = [];
  private inputEnded = false;
  private readonly ports = new Set<number>();
  private readonly connections = new Set<ByteStream>();
  private readonly onExit: (exit: Exit) => void;

  constructor(options: InstanceOptions, onExit: (exit: Exit) => void) {
    this.options = options;
    this.memoryLimit = options.memoryLimit;
    this.id = options.id;
    this.files = options.files;
    this.log = new LogBuffer(() => options.clock.now());
    this.onExit = onExit;
  }

  get running(): boolean {
    return this.startedAt > 0 && this.exit === undefined;
  }

  /** Fires when the container is gone, however it ended. */
  get gone(): AbortSignal {
    return this.dead.signal;
  }

  /** `at` back-dates the start of a container that is taken over from an earlier life of the cluster. */
  start(at: number = this.options.clock.now()): void {
    this.startedAt = at;
    void this.run();
  }

  private async run(): Promise<void> {
    let code: number;
    try {
      code = await this.options.program.run(this.container());
    } catch (error) {
      if (!this.exit) this.log.write(`${error instanceof Error ? error.message : String(error)}\n`, 'stderr');
      code = 1;
    }
    this.finish({ code, reason: code === 0 ? 'Completed' : 'Error', at: this.options.clock.now() });
  }

  /** Asks the program to end (SIGTERM). */
  terminate(): void {
    if (!this.exit) this.term.abort('SIGTERM');
  }

  /** Ends it at once (SIGKILL). */
  kill(reason: Exit['reason'] = 'Error'): void {
    this.finish({ code: SIGKILL_EXIT, reason, at: this.options.clock.now() });
  }

  private finish(exit: Exit): void {
    if (this.exit) return;
    this.exit = exit;
    for (const port of this.ports) this.options.attachment.unlisten(port);
    for (const stream of this.connections) stream.end();
    this.log.end();
    this.term.abort('SIGKILL');
    this.dead.abort('SIGKILL');
    this.onExit(exit);
  }

  /** Whatever a process has open is closed with it, as its kernel does. */
  private opened(stream: ByteStream): ByteStream {
    if (this.exit) stream.end();
    this.connections.add(stream);
    stream.onClose(() => this.connections.delete(stream));
    return stream;
  }

  /** Text from an attached client. */
  input(text: string): void {
    if (!this.options.stdin || this.exit) return;
    if (this.stdinListeners.data.length === 0) this.pendingInput.push(text);
    else for (const listener of this.stdinListeners.data) listener(text);
  }

  endInput(): void {
    if (this.inputEnded) return;
    this.inputEnded = true;
    for (const listener of this.stdinListeners.end) listener();
  }

  private stdin(): ContainerStdin {
    return {
      onData: listener => {
        this.stdinListeners.data.push(listener);
        for (const text of this.pendingInput.splice(0)) listener(text);
      },
      onEnd: listener => {
        this.stdinListeners.end.push(listener);
        if (this.inputEnded) queueMicrotask(listener);
      },
    };
  }

  /** What the program sees; also what an exec in this container runs in. */
  container(overrides: Partial<Container> = {}): Container {
    const o = this.options;
    const source = { namespace: o.namespace, podIP: o.attachment.address };
    const write = (text: string, stream: 'stdout' | 'stderr' = 'stdout') => {
      if (!this.exit) this.log.write(text, stream);
    };
    const line = (text: string) => (text.endsWith('\n') ? text : `${text}\n`);
    const listen: Container['listen'] = (port, onConnection) => {
      if (this.exit) return () => {};
      if (!o.attachment.listen(port, (stream, peer) => onConnection(this.opened(stream), peer))) {
        throw new Error(`listen tcp :${port}: bind: address already in use`);
      }
      this.ports.add(port);
      return () => {
        if (this.ports.delete(port)) o.attachment.unlisten(port);
      };
    };
    return {
      pod: o.pod,
      name: o.name,
      image: o.image,
      argv: o.argv,
      env: o.env,
      files: this.files,
      clock: o.clock,
      random: o.random,
      network: {
        dial: async (host, port, from = source) => this.opened(await o.network.dial(host, port, from)),
        lookup: (name, namespace = o.namespace) => o.network.lookup(name, namespace),
        dnsAnswers: () => o.network.dnsAnswers?.(o.attachment.address) ?? true,
      },
      ...(o.host ? { host: o.host } : {}),
      ...(o.api ? { api: o.api } : {}),
      ...(o.stdin ? { stdin: this.stdin() } : {}),
      ...(o.resumed ? { resumed: true } : {}),
      signal: this.term.signal,
      killed: this.dead.signal,
      log: text => write(line(text)),
      logError: text => write(line(text), 'stderr'),
      write,
      listen,
      terminate: () => this.terminate(),
      listening: () => o.attachment.listening(),
      processes: () => o.processes(),
      serveHttp: (port, handle) =>
        listen(port, (stream, peer) =>
          serveHttp(
            stream,
            request => handle(request, peer),
            () => o.clock.now(),
          ),
        ),
      use: resources => {
        if (this.exit) return;
        if (resources.cpuMillis !== undefined) this.usage.cpuMillis = resources.cpuMillis;
        if (resources.memoryBytes !== undefined) this.usage.memoryBytes = resources.memoryBytes;
        if (this.memoryLimit > 0 && this.usage.memoryBytes > this.memoryLimit) this.kill('OOMKilled');
      },
      ...overrides,
    };
  }
}
