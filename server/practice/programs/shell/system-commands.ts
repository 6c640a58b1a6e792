// Commands about the container itself that the shell library lacks: processes, users, kernel, memory, disks.

import { type CustomCommand, defineCommand } from 'just-bash';
import type { ShellTools } from './types.ts';

const text = (stdout: string, exitCode = 0) => ({ stdout, stderr: '', exitCode });
const fail = (stderr: string, exitCode = 1) => ({ stdout: '', stderr, exitCode });
/** Variables that the shell library exports on its own. */
const OWN = new Set(
  'IFS OSTYPE MACHTYPE HOSTTYPE OLDPWD OPTIND SHELLOPTS BASHOPTS BASH BASH_VERSION PWD SHLVL __due __bgpid'.split(
    ' ',
  ),
);
/** The library's files have one owner. */
const LS_OWNER = /^([-dl][-rwxst]{9} +\d+) user user /gm;
const KERNEL = '6.18.44';
const YES_LINES = 10_000;

export function systemCommands(tools: ShellTools): CustomCommand[] {
  const { container, profile } = tools;
  const host = () => container.env['HOSTNAME'] ?? 'localhost';
  const user = () => {
    const spec = container.pod['spec'];
    const own = [...(spec.containers ?? []), ...(spec.initContainers ?? [])].find(
      (c: any) => c.name === container.name,
    );
    return own?.securityContext?.runAsUser ?? spec.securityContext?.runAsUser ?? 0;
  };
  /** Exported variables without those that the shell library makes for itself. */
  const shown = (ctx: any): [string, string][] => {
    const exported: Record<string, string> = ctx.exportedEnv ?? {};
    const names = [
      ...Object.keys(container.env),
      ...Object.keys(exported).filter(n => !(n in container.env) && !OWN.has(n)),
    ];
    return names.filter(n => n in exported).map(n => [n, exported[n]!]);
  };
  return [
    defineCommand('env', async (args, ctx) =>
      args.length > 0
        ? ctx.origCommand!(args)
        : text(
            shown(ctx)
              .map(([k, v]) => `${k}=${v}\n`)
              .join(''),
          ),
    ),
    defineCommand('printenv', async (args, ctx) => {
      const all = new Map(shown(ctx));
      if (args.length === 0) return text([...all].map(([k, v]) => `${k}=${v}\n`).join(''));
      const found = args.filter(n => all.has(n)).map(n => `${all.get(n)}\n`);
      return text(found.join(''), found.length === args.length ? 0 : 1);
    }),
    defineCommand('ls', async (args, ctx) => {
      const result = await ctx.origCommand!(args);
      const owner = user() === 0 ? 'root' : String(user());
      return { ...result, stdout: String(result.stdout).replace(LS_OWNER, `$1 ${owner} root `) };
    }),
    defineCommand('ps', async args => {
      const command = container.argv.join(' ');
      if (profile.kind === 'ash')
        return text(
          `PID   USER     TIME  COMMAND\n${'1'.padStart(5)} ${'root'.padEnd(8)}  0:00 ${command}\n${'20'.padStart(5)} ${'root'.padEnd(8)}  0:00 ps${args.length ? ` ${args.join(' ')}` : ''}\n`,
        );
      return text(`    PID TTY          TIME CMD\n      1 ?        00:00:00 ${container.argv[0] ?? ''}\n`);
    }),
    defineCommand('hostname', async args => {
      if (args[0] === '-i' || args[0] === '-I')
        return text(
          `${container.files.readText('/etc/hosts')?.trimEnd().split('\n').at(-1)?.split(/\s/)[0] ?? ''}\n`,
        );
      return text(`${host()}\n`);
    }),
    defineCommand('whoami', async () =>
      user() === 0 ? text('root\n') : fail(`whoami: unknown uid ${user()}\n`),
    ),
    defineCommand('id', async args => {
      const uid = user();
      if (args[0] === '-u') return text(`${uid}\n`);
      if (args[0] === '-g') return text('0\n');
      return text(
        uid === 0 ? 'uid=0(root) gid=0(root) groups=0(root)\n' : `uid=${uid} gid=0(root) groups=0(root)\n`,
      );
    }),
    defineCommand('uname', async args => {
      const all = `Linux ${host()} ${KERNEL} #1 SMP PREEMPT_DYNAMIC x86_64 GNU/Linux\n`;
      if (args[0] === '-a') return text(all);
      const parts: Record<string, string> = {
        '-s': 'Linux',
        '-n': host(),
        '-r': KERNEL,
        '-m': 'x86_64',
        '-o': 'GNU/Linux',
      };
      return text(`${parts[args[0] ?? '-s'] ?? 'Linux'}\n`);
    }),
    defineCommand('arch', async () => text('x86_64\n')),
    defineCommand('nproc', async () => text('2\n')),
    defineCommand('tty', async () => (tools.io.tty ? text('/dev/pts/0\n') : text('not a tty\n', 1))),
    defineCommand('uptime', async () => text(' up 12 min,  0 users,  load average: 0.12, 0.10, 0.05\n')),
    defineCommand('sync', async () => text('')),
    defineCommand('free', async () => {
      const total = 4_194_304;
      return text(
        `              total        used        free      shared  buff/cache   available\nMem:        ${total}     1310720     2097152        1024      786432     2752512\nSwap:             0           0           0\n`,
      );
    }),
    defineCommand('df', async () =>
      text(
        'Filesystem           1K-blocks      Used Available Use% Mounted on\noverlay              264212084  38212084 212500000  15% /\n',
      ),
    ),
    defineCommand('mount', async () =>
      text(
        'overlay on / type overlay (rw,relatime)\nproc on /proc type proc (rw,nosuid,nodev,noexec,relatime)\n',
      ),
    ),
    defineCommand('chown', async () => text('')),
    defineCommand('chgrp', async () => text('')),
    defineCommand('mktemp', async args => {
      const path = `/tmp/tmp.${container.random.text(6, 'abcdefghijkmnpqrstuvwxyz')}`;
      if (args.includes('-d')) container.files.mkdir(path, true);
      else container.files.write(path, '');
      return text(`${path}\n`);
    }),
    defineCommand('kill', async args => {
      const targets = args.filter(a => !a.startsWith('-'));
      if (targets.length === 0) return fail('kill: you need to specify whom to kill\n');
      const hard = args.some(a => a === '-9' || a === '-KILL' || a === '-SIGKILL');
      for (const target of targets) {
        // The kernel does not deliver SIGKILL to PID 1 from inside its own namespace.
        if (target === '1' && !hard) container.terminate();
        else if (target !== '1') return fail(`sh: can't kill pid ${target}: No such process\n`);
      }
      return text('');
    }),
    defineCommand('tail', async (args, ctx) => {
      const follows = args.some(a => a === '-f' || a === '-F' || a === '--follow');
      if (!follows) return ctx.origCommand!(args);
      const files = args.filter(a => !a.startsWith('-') && !/^\d+$/.test(a));
      const sizes = new Map<string, number>();
      for (const name of files) {
        const path = name.startsWith('/') ? name : `${ctx.cwd}/${name}`;
        const content = path === '/dev/null' ? '' : container.files.readText(path);
        if (content === undefined) {
          tools.printError(`tail: can't open '${name}': No such file or directory\n`);
          // Only -F waits for a file that is not there yet.
          if (args.includes('-F')) sizes.set(path, 0);
          continue;
        }
        tools.print(content.split('\n').slice(-11).join('\n'));
        sizes.set(path, content.length);
      }
      if (sizes.size === 0 && files.length > 0) return fail('tail: no files\n');
      if ([...sizes.keys()].every(path => path === '/dev/null')) await untilAborted(tools.signal);
      while (!tools.signal.aborted) {
        await container.clock.sleep(1000, tools.signal);
        for (const [path, size] of sizes) {
          const content = path === '/dev/null' ? '' : (container.files.readText(path) ?? '');
          if (content.length > size) tools.print(content.slice(size));
          sizes.set(path, content.length);
        }
      }
      return text('', 143);
    }),
    defineCommand('tar', async (args, ctx) => {
      // Real tar never stores absolute names; kubectl cp relies on that.
      const creates = /^-?[a-z]*c/.test(args[0] ?? '') || args.includes('-c');
      const first = args.findIndex(
        (arg, index) => index > 0 && arg.startsWith('/') && !/^-?[a-zA-Z]*[fC]$/.test(args[index - 1]!),
      );
      if (!creates || first < 0 || args.includes('-C')) return ctx.origCommand!(args);
      const relative = args.slice(first).map(arg => (arg.startsWith('/') ? arg.slice(1) || '.' : arg));
      const result = await ctx.origCommand!([...args.slice(0, first), '-C', '/', ...relative]);
      // What is not there is told as tar tells it.
      const missing = /^tar: .*ENOENT: no such file or directory, '([^']*)'$/gm;
      const told = result.stderr.replace(missing, 'tar: $1: Cannot stat: No such file or directory');
      const end = told === result.stderr ? '' : 'tar: Exiting with failure status due to previous errors\n';
      return { ...result, stderr: `tar: Removing leading \`/' from member names\n${told}${end}` };
    }),
    // Into a pipe or a file: as much as whatever reads it here will ever want.
    defineCommand('yes', async args => text(`${args.join(' ') || 'y'}\n`.repeat(YES_LINES))),
    defineCommand('__yes', async ([to, ...args]) => {
      const line = `${args.join(' ') || 'y'}\n`;
      while (!tools.signal.aborted) {
        if (to !== '/dev/null') tools.print(line);
        await tools.pause();
      }
      return text('', 143);
    }),
  ];
}

function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
