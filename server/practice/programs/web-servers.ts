// Plain web servers: nginx, httpd, echo servers and python's http.server. Knows their defaults and logs.

import { specOf } from './general.ts';
import { accessStamp, errorStamp } from './nginx-stamps.ts';
import { runPython } from './python.ts';
import { hasCommand, profileOf } from './shell/profiles.ts';
import { otherCommand, runAsShell } from './shell-images.ts';
import { exitOf, untilAborted } from './signals.ts';
import { serveFiles } from './static-files.ts';
import type { Container, HttpRequest, HttpResponse, Program } from './types.ts';

const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
const tagOf = (container: Container) => /:([\d.]+)/.exec(container.image)?.[1] ?? '';

const hasIn = (repository: string) => (executable: string) => {
  const profile = profileOf(repository);
  return profile !== undefined && hasCommand(profile, executable);
};

const WELCOME = `<!DOCTYPE html>
<html>
<head>
<title>Welcome to nginx!</title>
</head>
<body>
<h1>Welcome to nginx!</h1>
<p>This web server is installed and working.</p>
</body>
</html>
`;

/** Port and folder of the first server block found in the configuration that is mounted. */
function nginxServer(container: Container): { port: number; root: string; error?: string } {
  const folder = '/etc/nginx/conf.d';
  const text = [
    container.files.readText('/etc/nginx/nginx.conf') ?? '',
    ...container.files
      .list(folder)
      .filter(name => name.endsWith('.conf'))
      .map(name => container.files.readText(`${folder}/${name}`) ?? ''),
  ].join('\n');
  const open = (text.match(/\{/g) ?? []).length;
  const close = (text.match(/\}/g) ?? []).length;
  if (open !== close)
    return { port: 80, root: '/usr/share/nginx/html', error: 'unexpected end of file, expecting "}"' };
  const port = Number(/^\s*listen\s+(?:[\d.]+:)?(\d+)/m.exec(text)?.[1] ?? 80);
  const root = /^\s*root\s+([^;]+);/m.exec(text)?.[1]?.trim() ?? '/usr/share/nginx/html';
  return { port, root };
}

const nginx: Program = {
  image: 'docker.io/library/nginx',
  config: {
    entrypoint: ['/docker-entrypoint.sh'],
    cmd: ['nginx', '-g', 'daemon off;'],
    env: { PATH, NGINX_VERSION: '1.27' },
    files: {
      '/docker-entrypoint.sh': '#!/bin/sh\nexec "$@"\n',
      '/usr/share/nginx/html/index.html': WELCOME,
      '/usr/share/nginx/html/50x.html': '<html><body><h1>An error occurred.</h1></body></html>\n',
      '/etc/nginx/conf.d/default.conf':
        'server {\n    listen       80;\n    server_name  localhost;\n\n    location / {\n        root   /usr/share/nginx/html;\n        index  index.html index.htm;\n    }\n}\n',
    },
  },
  has: executable =>
    ['/docker-entrypoint.sh', 'nginx', 'nginx-debug'].includes(executable) ||
    hasIn('docker.io/library/nginx')(executable),
  async run(container) {
    const argv = container.argv[0] === '/docker-entrypoint.sh' ? container.argv.slice(1) : container.argv;
    const other = otherCommand({ ...container, argv }, ['nginx', 'nginx-debug']);
    if (other) return other;
    return runNginx(container);
  },
};

async function runNginx(container: Container): Promise<number> {
  const version = tagOf(container) || '1.27';
  const stamp = () => errorStamp(container);
  const notice = (text: string) => container.logError(`${stamp()} [notice] 1#1: ${text}`);
  container.use({ cpuMillis: 1, memoryBytes: 6 * 1024 * 1024 });
  if (container.argv[0] === '/docker-entrypoint.sh') {
    container.log(
      '/docker-entrypoint.sh: /docker-entrypoint.d/ is not empty, will attempt to perform configuration',
    );
    container.log('/docker-entrypoint.sh: Configuration complete; ready for start up');
  }
  const { port, root, error } = nginxServer(container);
  if (error) {
    container.logError(`${stamp()} [emerg] 1#1: ${error} in /etc/nginx/conf.d/default.conf`);
    container.logError(`nginx: [emerg] ${error} in /etc/nginx/conf.d/default.conf`);
    return 1;
  }
  try {
    container.serveHttp(port, request => {
      const response = serveFiles(container.files, root, request, 'nginx', version);
      const size = response.body?.length ?? 0;
      const date = accessStamp(container.clock.now());
      container.log(
        `10.244.0.1 - - [${date}] "${request.method} ${request.path} HTTP/1.1" ${response.status} ${size} "-" "${request.headers['user-agent'] ?? '-'}" "-"`,
      );
      if (response.status === 404)
        container.logError(
          `${stamp()} [error] 29#29: *1 open() "${root}${request.path}" failed (2: No such file or directory), client: 10.244.0.1, server: localhost, request: "${request.method} ${request.path} HTTP/1.1", host: "${request.headers['host'] ?? ''}"`,
        );
      return response;
    });
  } catch {
    container.logError(
      `${stamp()} [emerg] 1#1: bind() to 0.0.0.0:${port} failed (98: Address already in use)`,
    );
    return 1;
  }
  notice('using the "epoll" event method');
  notice(`nginx/${version}`);
  notice('start worker processes');
  notice('start worker process 29');
  await untilAborted(container.signal);
  if (container.signal.reason === 'SIGTERM') notice('signal 15 (SIGTERM) received, exiting');
  return exitOf(container);
}

const httpd: Program = {
  image: 'docker.io/library/httpd',
  config: {
    cmd: ['httpd-foreground'],
    env: { PATH },
    files: { '/usr/local/apache2/htdocs/index.html': '<html><body><h1>It works!</h1></body></html>\n' },
  },
  async run(container) {
    const other = otherCommand(container, ['httpd-foreground', 'httpd']);
    if (other) return other;
    container.use({ cpuMillis: 1, memoryBytes: 8 * 1024 * 1024 });
    container.serveHttp(80, request =>
      serveFiles(container.files, '/usr/local/apache2/htdocs', request, 'busybox'),
    );
    container.logError(
      `[${new Date(container.clock.now()).toUTCString()}] [mpm_event:notice] [pid 1:tid 1] AH00489: Apache/2.4 (Unix) configured -- resuming normal operations`,
    );
    await untilAborted(container.signal);
    return exitOf(container);
  },
};

function simpleServer(
  image: string,
  port: (c: Container) => number,
  answer: (r: HttpRequest, c: Container) => HttpResponse,
): Program {
  return {
    image,
    config: { entrypoint: ['/server'], env: { PATH } },
    async run(container) {
      container.use({ cpuMillis: 1, memoryBytes: 7 * 1024 * 1024 });
      const number = port(container);
      container.serveHttp(number, request => answer(request, container));
      container.log(`Server listening on port ${number}`);
      await untilAborted(container.signal);
      return exitOf(container);
    },
  };
}

const text = (body: string, status = 200): HttpResponse => ({
  status,
  headers: { 'Content-Type': 'text/plain; charset=utf-8' },
  body,
});
const option = (c: Container, name: string) => {
  for (const [i, arg] of c.argv.entries()) {
    const plain = arg.replace(/^--?/, '');
    if (plain === name) return c.argv[i + 1];
    if (plain.startsWith(`${name}=`)) return plain.slice(name.length + 1);
  }
  return undefined;
};
const echo = (r: HttpRequest, c: Container) =>
  text(
    `Request served by ${c.env['HOSTNAME'] ?? ''}\n\n${r.method} ${r.path} HTTP/1.1\n\n${Object.entries(
      r.headers,
    )
      .map(([k, v]) => `${k}: ${v}\n`)
      .join('')}`,
  );

const python: Program = {
  image: 'docker.io/library/python',
  config: { cmd: ['python3'], env: { PATH } },
  has: hasIn('docker.io/library/python'),
  async run(container) {
    const [executable = '', ...args] = container.argv;
    if (!/^(.*\/)?python3?$/.test(executable)) return runAsShell(container);
    container.use({ cpuMillis: 1, memoryBytes: 16 * 1024 * 1024 });
    // Python leaves SIGTERM to the kernel, which does not let it end a container's first process.
    const code = await runPython(container, args, {
      print: text => container.write(text),
      printError: text => container.write(text, 'stderr'),
      cwd: specOf(container)?.workingDir ?? '/',
      signal: container.killed,
      pause: () => container.clock.sleep(0, container.killed),
    });
    return container.killed.aborted ? 137 : code;
  },
};

export const webServers: readonly Program[] = [
  nginx,
  httpd,
  python,
  simpleServer(
    'docker.io/hashicorp/http-echo',
    c => Number((option(c, 'listen') ?? ':5678').split(':').pop()),
    (_r, c) => text(`${option(c, 'text') ?? c.env['ECHO_TEXT'] ?? 'hello-world'}\n`),
  ),
  simpleServer('docker.io/kicbase/echo-server', c => Number(c.env['PORT'] ?? 8080), echo),
  simpleServer('registry.example.com/team/echo-server', c => Number(c.env['PORT'] ?? 8080), echo),
  simpleServer('docker.io/ealen/echo-server', c => Number(c.env['PORT'] ?? 80), echo),
  simpleServer('registry.k8s.io/echoserver', () => 8080, echo),
  simpleServer(
    'docker.io/traefik/whoami',
    () => 80,
    (r, c) => text(`Hostname: ${c.env['HOSTNAME'] ?? ''}\n${r.method} ${r.path} HTTP/1.1\n`),
  ),
  simpleServer(
    'gcr.io/google-samples/hello-app',
    c => Number(c.env['PORT'] ?? 8080),
    (_r, c) => text(`Hello, world!\nVersion: ${tagOf(c) || '1.0'}.0\nHostname: ${c.env['HOSTNAME'] ?? ''}\n`),
  ),
];
