// Commands that reach the cluster's network from inside a container. Names, services and connections are the network's.

import { type CustomCommand, defineCommand } from 'just-bash';
import type { ShellTools } from '../types.ts';
import { httpd, netcat, netstat, pgIsReady } from './connections.ts';
import { curl } from './curl.ts';
import { dig, getent, host, nslookup } from './names.ts';
import { wget } from './wget.ts';

export function networkCommands(tools: ShellTools): CustomCommand[] {
  return [
    defineCommand('curl', (args, ctx) => curl(args, ctx, tools)),
    defineCommand('wget', (args, ctx) => wget(args, ctx, tools)),
    defineCommand('nslookup', args => nslookup(args, tools)),
    defineCommand('dig', args => dig(args, tools)),
    defineCommand('host', args => host(args, tools)),
    defineCommand('getent', args => getent(args, tools)),
    defineCommand('nc', (args, ctx) => netcat(args, ctx, tools)),
    defineCommand('netstat', args => netstat(args, tools)),
    defineCommand('pg_isready', args => pgIsReady(args, tools)),
    defineCommand('httpd', (args, ctx) => httpd(args, ctx, tools)),
  ];
}
