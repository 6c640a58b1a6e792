// Programs whose point is the load they are: stress, and the web server of the autoscaling walkthrough. Know what they
// use, not who measures it.

import { specOf } from './general.ts';
import { hasCommand, profileOf } from './shell/profiles.ts';
import { otherCommand } from './shell-images.ts';
import { untilAborted } from './signals.ts';
import type { Container, Program } from './types.ts';

const STRESS = 'docker.io/polinux/stress';
const HPA_EXAMPLE = 'registry.k8s.io/hpa-example';
const MIB = 1024 * 1024;
/** What a memory worker takes when it is not told: 256 MB. */
const VM_BYTES = 256 * MIB;
/** Filling memory takes a moment. */
const VM_MS = 500;
const UNITS: Record<string, number> = { '': 1, B: 1, K: 1024, M: MIB, G: 1024 * MIB };
const SECONDS: Record<string, number> = { '': 1, s: 1, m: 60, h: 3600, d: 86_400 };

const OPTIONS: Record<string, string> = {
  '-c': '--cpu',
  '-i': '--io',
  '-m': '--vm',
  '-d': '--hdd',
  '-t': '--timeout',
};

/** A number with a unit of this table; NaN when it is none. */
function amount(text: string, units: Record<string, number>): number {
  const [, digits, unit = ''] = /^(\d+)([A-Za-z]?)$/.exec(text) ?? [];
  return digits === undefined ? Number.NaN : Number(digits) * (units[unit] ?? Number.NaN);
}

const has =
  (image: string, ...own: string[]) =>
  (executable: string) =>
    own.includes(executable) || hasCommand(profileOf(image)!, executable);

const stress: Program = {
  image: STRESS,
  config: { cmd: ['stress', '--verbose'], env: { PATH: profileOf(STRESS)!.path } },
  has: has(STRESS, 'stress'),
  run: container => otherCommand(container, ['stress']) ?? runStress(container),
};

async function runStress(container: Container): Promise<number> {
  const options = new Map<string, string>();
  const args = container.argv.slice(1);
  for (let at = 0; at < args.length; at++) {
    const name = OPTIONS[args[at]!] ?? args[at]!;
    if (name === '-v' || name === '--verbose' || name === '--vm-keep') continue;
    if (!/^--(cpu|io|vm|hdd|timeout|vm-bytes|vm-hang|vm-stride|hdd-bytes|backoff)$/.test(name)) {
      container.logError(`stress: FAIL: [1] (244) unrecognized option: ${name}`);
      return 1;
    }
    options.set(name, args[++at] ?? '');
  }
  const count = (name: string) => Number(options.get(name) ?? 0);
  const [cpu, io, vm, hdd] = ['--cpu', '--io', '--vm', '--hdd'].map(count) as [
    number,
    number,
    number,
    number,
  ];
  if (cpu + io + vm + hdd === 0) {
    container.log("`stress' imposes certain types of compute stress on your system");
    return 0;
  }
  const bytes = amount(options.get('--vm-bytes') ?? String(VM_BYTES), UNITS);
  const seconds = amount(options.get('--timeout') ?? '0', SECONDS);
  container.log(`stress: info: [1] dispatching hogs: ${cpu} cpu, ${io} io, ${vm} vm, ${hdd} hdd`);
  // A worker that hangs keeps its memory and rests; one that does not fills it again and again.
  const busy = cpu + (options.has('--vm-hang') ? 0 : vm);
  container.use({ cpuMillis: busy * 1000 + (io + hdd) * 100, memoryBytes: MIB });
  await container.clock.sleep(VM_MS, container.killed);
  container.use({ memoryBytes: MIB + vm * bytes });
  if (seconds > 0) await container.clock.sleep(seconds * 1000, container.signal);
  else await untilAborted(container.signal);
  if (container.signal.aborted) return container.signal.reason === 'SIGTERM' ? 143 : 137;
  container.log(`stress: info: [1] successful run completed in ${seconds}s`);
  return 0;
}

/** What one request costs: a million square roots in PHP. */
const REQUEST_MILLIS = 90;
/** Shares of a core are told once in so long. */
const TOLD_MS = 1_000;
/** Requests are worked on one after the other beyond what a core does in a second. */
const CORE_MILLIS = 1_000;

const hpaExample: Program = {
  image: HPA_EXAMPLE,
  config: { cmd: ['apache2-foreground'], env: { PATH: profileOf(HPA_EXAMPLE)!.path } },
  has: has(HPA_EXAMPLE, 'apache2-foreground'),
  run: container => otherCommand(container, ['apache2-foreground']) ?? runHpaExample(container),
};

async function runHpaExample(container: Container): Promise<number> {
  let requests = 0;
  container.use({ cpuMillis: 1, memoryBytes: 12 * MIB });
  container.serveHttp(80, async () => {
    requests++;
    await container.clock.sleep(REQUEST_MILLIS, container.killed);
    return { status: 200, headers: { 'Content-Type': 'text/html; charset=UTF-8' }, body: 'OK!' };
  });
  container.logError(
    "AH00558: apache2: Could not reliably determine the server's fully qualified domain name. Set the 'ServerName' directive globally to suppress this message",
  );
  while (!container.signal.aborted) {
    await container.clock.sleep(TOLD_MS, container.signal);
    const cores = Math.max(1, Math.ceil(limitOf(container) / CORE_MILLIS));
    container.use({ cpuMillis: 1 + Math.min(requests * REQUEST_MILLIS, cores * CORE_MILLIS) });
    requests = 0;
  }
  return container.signal.reason === 'SIGTERM' ? 0 : 137;
}

/** Thousandths of a core; one core without a limit. */
function limitOf(container: Container): number {
  const limit: string | undefined = specOf(container)?.resources?.limits?.cpu;
  if (limit === undefined) return CORE_MILLIS;
  return limit.endsWith('m') ? Number(limit.slice(0, -1)) : Number(limit) * 1000;
}

export const loads: readonly Program[] = [stress, hpaExample];
