// Commands that ask the cluster's DNS: nslookup, dig, host and getent.

import type { ShellTools } from '../types.ts';
import { fail, ok } from './requests.ts';

const DNS_SERVER = '10.96.0.10';
/** What these wait for an answer. */
const DNS_TIMEOUT_MS = 10_000;
const UNANSWERED = ';; connection timed out; no servers could be reached\n';

export async function nslookup(args: string[], tools: ShellTools) {
  const name = args.find(a => !a.startsWith('-'));
  if (!name) return fail('Usage: nslookup [-type=QUERY_TYPE] [-debug] HOST [DNS_SERVER]\n', 1);
  const head = `Server:\t\t${DNS_SERVER}\nAddress:\t${DNS_SERVER}:53\n\n`;
  if (tools.container.network.dnsAnswers?.() === false) {
    await tools.container.clock.sleep(DNS_TIMEOUT_MS, tools.signal);
    return { ...ok, stdout: `${UNANSWERED}\n`, exitCode: 1 };
  }
  // Unlike other programs, nslookup asks for the name as it is when it has a dot, and along the search list otherwise.
  const found = tools.container.network.lookup(name.includes('.') ? `${name.replace(/\.$/, '')}.` : name);
  if (found.length === 0)
    return { stdout: `${head}** server can't find ${name}: NXDOMAIN\n\n`, stderr: '', exitCode: 1 };
  const namespace = tools.container.pod.metadata.namespace;
  const full = name.includes('.') ? name : `${name}.${namespace}.svc.cluster.local`;
  return { ...ok, stdout: `${head}\n${found.map(a => `Name:\t${full}\nAddress: ${a}\n`).join('')}\n` };
}

/** False after the time that a resolver waits for a server that does not answer. */
async function answers(tools: ShellTools): Promise<boolean> {
  if (tools.container.network.dnsAnswers?.() !== false) return true;
  await tools.container.clock.sleep(DNS_TIMEOUT_MS, tools.signal);
  return false;
}

/** Names as they are written: dig knows no search list unless it is asked to. */
export async function dig(args: string[], tools: ShellTools) {
  const name = args.find(a => !/^[-+@]/.test(a) && !/^(A|AAAA|ANY)$/i.test(a));
  if (!name) return fail('dig: a name is missing\n', 1);
  if (!(await answers(tools))) return { ...fail('', 9), stdout: UNANSWERED };
  const full = `${name.replace(/\.$/, '')}.`;
  const searched = args.includes('+search');
  const found = tools.container.network.lookup(searched ? name : full);
  if (args.includes('+short')) return { ...ok, stdout: found.map(address => `${address}\n`).join('') };
  const status = found.length > 0 ? 'NOERROR' : 'NXDOMAIN';
  const id = tools.container.random.below(65_536);
  const answer = found.map(address => `${full}\t\t30\tIN\tA\t${address}\n`).join('');
  return {
    ...ok,
    stdout: `\n; <<>> DiG 9.20 <<>> ${args.join(' ')}\n;; global options: +cmd\n;; Got answer:\n;; ->>HEADER<<- opcode: QUERY, status: ${status}, id: ${id}\n;; flags: qr aa rd; QUERY: 1, ANSWER: ${found.length}, AUTHORITY: 0, ADDITIONAL: 1\n\n;; QUESTION SECTION:\n;${full}\t\t\tIN\tA\n${answer ? `\n;; ANSWER SECTION:\n${answer}` : ''}\n;; SERVER: ${DNS_SERVER}#53(${DNS_SERVER}) (UDP)\n\n`,
  };
}

export async function host(args: string[], tools: ShellTools) {
  const name = args.find(a => !a.startsWith('-')) ?? '';
  if (!(await answers(tools))) return { ...fail('', 1), stdout: UNANSWERED };
  const found = tools.container.network.lookup(name);
  if (found.length === 0) return { ...fail('', 1), stdout: `Host ${name} not found: 3(NXDOMAIN)\n` };
  return { ...ok, stdout: found.map(address => `${name} has address ${address}\n`).join('') };
}

/** `getent hosts NAME`: the search list applies, as for every program. */
export async function getent(args: string[], tools: ShellTools) {
  const [database, name] = args;
  if (database === 'passwd' || database === 'group') {
    const text = tools.container.files.readText(`/etc/${database}`) ?? '';
    const lines = text.split('\n').filter(line => line && (!name || line.startsWith(`${name}:`)));
    return lines.length > 0 ? { ...ok, stdout: `${lines.join('\n')}\n` } : fail('', 2);
  }
  if ((database !== 'hosts' && database !== 'ahosts') || !name)
    return fail(`Unknown database: ${database ?? ''}\n`, 1);
  if (!(await answers(tools))) return fail('', 2);
  const found = tools.container.network.lookup(name);
  if (found.length === 0) return fail('', 2);
  return { ...ok, stdout: found.map(address => `${address.padEnd(15)} ${name}\n`).join('') };
}
